import { expect, test } from 'vitest'
import { ln } from '../elementary.ts'
import { hits, seeded } from '../seeded.ts'
import { gap } from './gap.ts'
import { cell, paneMs, run, setupOf } from './panes.ts'

const setup = setupOf('volume', { detector: 'gap', reference: 'history', budget: { falsePerYear: 1 } })
const limit = ln(3_155_760)
const rows = (count: number) => ({ now: cell(count), reference: null })
const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

function steady(seed: number, panes: number, mean: number) {
  const next = seeded(seed)
  return Array.from({ length: panes }, () => rows(hits(mean * 10, 0.1, next)))
}

test('silence of a busy version is found in its first pane, of a slow one after φ·ln A expected rows', () => {
  const busy = run(gap, setup, [...steady(1, 60, 200), rows(0)]).readings.at(-1)
  expect(busy?.logE.harm).toBeGreaterThan(limit)
  expect(busy?.onset).toEqual({ from: 60 * paneMs, to: 61 * paneMs })
  const slow = run(gap, setup, [...steady(2, 60, 2), ...repeat(30, rows(0))]).readings.slice(60)
  const panes = slow.findIndex(({ logE }) => logE.harm > limit) + 1
  expect(panes).toBeGreaterThan(4)
  expect(panes).toBeLessThan(12)
})

test('a row ends the silence, and its panes are counted as past', () => {
  const { readings } = run(gap, setup, [...steady(3, 60, 2), ...repeat(4, rows(0)), rows(1), ...repeat(2, rows(0))])
  expect(readings[64]?.logE.harm).toBe(0)
  expect(readings.at(-1)?.logE.harm).toBeLessThan(readings[63]?.logE.harm as number)
})

test('traffic of 0.3 rows a pane, mostly zeros, does not alarm in 2,000 panes', () => {
  const next = seeded(4)
  const panes = Array.from({ length: 2000 }, () => rows(hits(3, 0.1, next)))
  expect(Math.max(...run(gap, setup, panes).readings.map(({ logE }) => logE.harm))).toBeLessThan(limit)
})

test('rows that come in clumps make it patient', () => {
  const clumps = Array.from({ length: 120 }, (_, pane) => rows(pane % 4 === 0 ? 80 : 0))
  const { readings } = run(gap, setup, clumps)
  expect(Math.max(...readings.slice(60).map(({ logE }) => logE.harm))).toBeLessThan(limit)
})

test('against stable, a silence of both arms is no silence of the candidate', () => {
  const against = setupOf('volume', { detector: 'gap', reference: 'stable' })
  const both = (now: number, reference: number) => ({ now: cell(now), reference: cell(reference) })
  const usual = repeat(30, both(20, 80))
  expect(run(gap, against, [...usual, ...repeat(5, both(0, 0))]).readings.at(-1)?.logE.harm).toBeLessThan(1)
  expect(run(gap, against, [...usual, ...repeat(5, both(0, 80))]).readings.at(-1)?.logE.harm).toBeGreaterThan(ln(1000))
})

test('before ten panes with rows it is too early to speak of silence', () => {
  const last = run(gap, setup, [...repeat(5, rows(50)), ...repeat(20, rows(0))]).readings.at(-1)
  expect(last?.status).toBe('too-few')
  expect(last?.logE.harm).toBe(0)
})

test('a night that is quiet every week alarms nobody who knows the hours, and a silence at noon is still found', () => {
  const next = seeded(6)
  // Forty busy panes, forty with hardly a row, three times over; the hours say so.
  const usual = Array.from({ length: 240 }, (_, pane) => (Math.floor(pane / 40) % 2 === 0 ? 30 : 0.05))
  const day = usual.map((expected) => ({
    now: cell(hits(Math.round(expected * 1_000), 0.001, next)),
    reference: null,
    expected,
  }))
  const harm = (panes: Parameters<typeof run>[2]) => run(gap, setup, panes).readings.map(({ logE }) => logE.harm)
  expect(Math.max(...harm(day))).toBeLessThan(limit / 2)
  expect(Math.max(...harm(day.map(({ now }) => ({ now, reference: null }))))).toBeGreaterThan(limit)
  expect(harm([...day, { ...rows(0), expected: 30 }]).at(-1)).toBeGreaterThan(limit)
})

test('half as much traffic as the hours say is a level, and the hours go on to tell its shape', () => {
  const busy = repeat(60, { ...rows(10), expected: 20 })
  const silence = run(gap, setup, [...busy, ...repeat(3, { ...rows(0), expected: 2 })])
  expect(silence.readings.at(-1)?.events.reference).toBe(3)
})
