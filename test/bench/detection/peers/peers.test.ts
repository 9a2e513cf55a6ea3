import { expect, test } from 'vitest'
import { random } from '../../sampling/random.ts'
import { normal } from '../gamma.ts'
import { adwin, adwinThreshold } from './adwin.ts'
import { tabularCusum } from './cusum.ts'
import { ddm, ddmThreshold } from './ddm.ts'
import { eddm, eddmThreshold } from './eddm.ts'
import { ewma } from './ewma.ts'
import { frourosCusum } from './frouros-cusum.ts'
import { logEqualSizedKolmogorov } from './kolmogorov.ts'
import { kswin, kswinThreshold } from './kswin.ts'
import { pageHinkley } from './page-hinkley.ts'
import real from './peers.vectors.json' with { type: 'json' }
import { chiSquare, kolmogorovSmirnov, psi } from './window-tests.ts'

/** The streams on which the real libraries were run: normal values and single errors, changing at value 1,000. */
function stream(kind: string, seed: number): number[] {
  const draw = random(seed)
  return Array.from({ length: 3_000 }, (_, i) =>
    kind === 'values' ? normal(draw) + (i < 1_000 ? 0 : 0.75) : draw.next() < (i < 1_000 ? 0.05 : 0.2) ? 1 : 0,
  )
}

function firstAlarm(step: (value: number) => number, values: readonly number[], threshold: number): number | null {
  const at = values.findIndex((value) => step(value) > threshold)
  return at < 0 ? null : at
}

const rules: Readonly<Record<string, readonly [step: () => (value: number) => number, threshold: number]>> = {
  ADWIN: [adwin, adwinThreshold],
  'ADWIN, every value': [() => adwin(1), Math.log(1 / 0.2)],
  PageHinkley: [() => pageHinkley(0.005), 50],
  'PageHinkley, δ = ½': [() => pageHinkley(0.5), 6],
  CUSUM: [() => frourosCusum(0.005), 50],
  'CUSUM, δ = ½': [() => frourosCusum(0.5), 6],
  DDM: [ddm, ddmThreshold],
  EDDM: [eddm, eddmThreshold],
}

test.each(real.alarms)('$name alarms where $library does on $kind $seed', ({ name, kind, seed, alarm }) => {
  const [step, threshold] = rules[name]!
  expect(firstAlarm(step(), stream(kind, seed), threshold)).toBe(alarm)
})

/** Mean panes to the first number that reaches the threshold, over shifted normal values. */
function meanRun(chart: () => (z: number) => number, threshold: number, shift: number, runs: number): number {
  const draw = random(7)
  let panes = 0
  for (let run = 0; run < runs; run++) {
    const step = chart()
    do panes++
    while (step(normal(draw) + shift) < threshold)
  }
  return panes / runs
}

test('CUSUM run lengths are those of Montgomery’s table, doubled where only one side watches', () => {
  // Two-sided ARL at no change 168 (h = 4) and 465 (h = 5): one side alone has twice that. Under a shift the other side is idle.
  for (const [h, shift, published] of [
    [4, 0, 336],
    [4, 1, 8.38],
    [5, 0, 930],
    [5, 0.5, 38],
    [5, 1, 10.4],
    [5, 2, 4.01],
  ] as const) {
    expect(meanRun(tabularCusum, h, shift, 4_000) / published).toBeCloseTo(1, 1)
  }
})

test('EWMA run lengths are those of Lucas and Saccucci, doubled where only one side watches', () => {
  for (const [shift, published] of [
    [0, 1_000],
    [0.5, 31.3],
    [1, 10.3],
    [2, 4.4],
  ] as const) {
    expect(meanRun(ewma, 2.814, shift, 4_000) / published).toBeCloseTo(1, 1)
  }
})

test('the exact Kolmogorov–Smirnov law of equal samples has the published values', () => {
  // scipy.stats.ks_2samp(mode="exact") for 30 and 30 values at D = 8/30 and 12/30, for 10 and 10 at 0.7.
  for (const [n, k, p] of real.kolmogorov as [number, number, number][]) {
    expect(Math.exp(logEqualSizedKolmogorov(n, k))).toBeCloseTo(p, 10)
  }
})

test('KSWIN cries on healthy normal values about once in 750, as published simulations say', () => {
  let [values, alarms] = [0, 0]
  for (let run = 0; run < 60; run++) {
    const draw = random(run)
    const step = kswin(run)
    for (let i = 0; i < 3_000; i++) {
      values++
      if (step(normal(draw)) < kswinThreshold) continue
      alarms++
      break
    }
  }
  expect(values / alarms).toBeGreaterThan(450)
  expect(values / alarms).toBeLessThan(1_150)
})

test('window tests have the golden values of three bins', () => {
  // scipy: p = (.1, .4, .5) and counts (30, 30, 40): PSI .2708050201, X² of 100 rows 44.5, D .2.
  const counts = Float64Array.of(30, 30, 40)
  const reference = [0.1, 0.4, 0.5]
  expect(psi(counts, reference)).toBeCloseTo(0.2708050201, 9)
  expect(chiSquare(counts, reference)).toBeCloseTo(44.5, 9)
  expect(kolmogorovSmirnov(counts, reference)).toBeCloseTo(2, 9)
})
