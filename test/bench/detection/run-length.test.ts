import { expect, test } from 'vitest'
import { random } from '../sampling/random.ts'
import { oracle } from './charts.ts'
import { delays } from './delay.ts'
import { errors } from './families.ts'
import { solve } from './flight-days.ts'
import { plot } from './plot.ts'
import { calibrate, firstAlarm, healthyRecords, type Records, runLength } from './run-length.ts'
import { courses, independent } from './stream.ts'
import { table } from './words.ts'

/** Streams of independent uniform numbers, as records. */
function uniform(streams: number, panes: number): Records[] {
  const draw = random(1)
  return Array.from({ length: streams }, () => {
    const [at, value]: [number[], number[]] = [[], []]
    for (let pane = 0; pane < panes; pane++) {
      const number = draw.next()
      if (number <= (value.at(-1) ?? -1)) continue
      at.push(pane)
      value.push(number)
    }
    return { at, value }
  })
}

test('the first alarm is the first record that reaches the threshold', () => {
  const records = { at: [0, 4, 9], value: [1, 2, 5] }
  expect([0.5, 1, 1.5, 2, 5, 6].map((threshold) => firstAlarm(records, threshold))).toEqual([0, 0, 4, 4, 9, null])
})

test('a memoryless alarm of 1 in 200 has a run length of 200, within its interval, and no more early alarms than it should', () => {
  const { mean, low, high, early } = runLength(uniform(400, 800), 800, 0.995)
  expect(low).toBeLessThan(200)
  expect(high).toBeGreaterThan(200)
  expect(mean! / 200).toBeCloseTo(1, 0)
  expect(early).toBeGreaterThan(0.8)
  expect(early).toBeLessThan(1.2)
})

test('without any alarm there is a lower bound and no mean', () => {
  expect(runLength(uniform(5, 100), 100, 2)).toMatchObject({ alarms: 0, mean: null, high: null, early: null })
})

test('a calibrated threshold reaches the run length, and a chart that cannot has none', () => {
  expect(calibrate(uniform(400, 800), 800, 200)).toBeCloseTo(0.995, 2)
  expect(calibrate(uniform(5, 10), 10, 1e6)).toBe(null)
})

test('the oracle needs 12.6 panes for a doubled error rate at a run length of 1,000', () => {
  // Simulated for the specification: 1 % of 100 requests, change at the first pane.
  const kind = oracle(errors, 1)
  const panes = 1_000
  const [records] = healthyRecords(errors, independent, [kind], { streams: 300, panes, seed: 7 })
  const threshold = calibrate(records!, panes, 1_000)!
  const plan = { family: errors, noise: independent, size: 1, course: courses.abrupt }
  const [delay] = delays({ plan, streams: 400, healthy: [0, 0], horizon: 200, seed: 8 }, [{ kind, threshold }])
  expect(delay!.mean.value).toBeGreaterThan(11)
  expect(delay!.mean.value).toBeLessThan(14.2)
  expect(delay!.missed).toBe(0)
})

test('streams that alarm before the change say nothing about its delay, and missed ones count as the horizon', () => {
  const kind = { name: 'pane 3', whose: 'peer', threshold: () => 1, start: () => ({ step: () => 0 }) } as const
  const plan = { family: errors, noise: independent, size: 1, course: courses.abrupt }
  const change = { plan, streams: 10, healthy: [5, 5], horizon: 20, seed: 1 } as const
  expect(delays(change, [{ kind, threshold: 0 }])).toEqual([null])
  expect(delays(change, [{ kind, threshold: 1 }])[0]).toMatchObject({ missed: 1, streams: 10, p90: 20 })
})

test('a symmetric system is solved', () => {
  const x = solve([Float64Array.of(4, 2), Float64Array.of(2, 3)], Float64Array.of(8, 8))
  expect(x[0]).toBeCloseTo(1, 12)
  expect(x[1]).toBeCloseTo(2, 12)
})

test('plots and tables keep their words and hold no broken number', () => {
  const svg = plot('a < b', 'x', 'y', [
    {
      name: 'line',
      colour: '#000',
      points: [
        [1, 2],
        [10, 20],
      ],
    },
  ])
  expect(svg).toContain('a &lt; b')
  expect(svg).not.toMatch(/NaN|Infinity/)
  expect(table(['a', 'b'], [['1|2', '3']])).toBe('| a    | b   |\n| ---- | --- |\n| 1\\|2 | 3   |')
})
