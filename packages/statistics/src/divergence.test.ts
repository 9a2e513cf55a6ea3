import fc from 'fast-check'
import { expect, test } from 'vitest'
import { divergence, divergenceCeiling, driversOf, logDivergenceAbove, logTwoLaws } from './divergence.ts'
import { ln } from './elementary.ts'
import { rowsIn, seeded } from './seeded.ts'

const p = [0.1, 0.4, 0.5]
const q = [0.3, 0.3, 0.4]
/** KL(p‖q) = 0.1167833758 (docs/statistics.md). */
const exact = 0.1167833758
const sampleOf = (bins: readonly number[]) => ({ bins, rows: bins.reduce((a, b) => a + b, 0) })

test('with many rows the estimate is the divergence of the laws', () => {
  const scaled = (law: readonly number[]) => sampleOf(law.map((share) => Math.round(share * 1e7)))
  expect(divergence(scaled(p), scaled(q), 1, 0.05).estimate).toBeCloseTo(exact, 5)
})

test('the interval holds the truth in at least 95 % of 200 samples, at no difference and at a large one', () => {
  for (const [law, truth] of [
    [p, 0],
    [q, exact],
  ] as const) {
    let held = 0
    let sum = 0
    for (let run = 0; run < 200; run++) {
      const next = seeded(run)
      const { estimate, low, high } = divergence(
        sampleOf(rowsIn(600, p, next)),
        sampleOf(rowsIn(400, law, next)),
        1,
        0.05,
      )
      if (low <= truth && truth <= high) held++
      sum += estimate
    }
    expect(held).toBeGreaterThanOrEqual(190)
    expect(sum / 200).toBeLessThan(truth + 0.01)
  }
})

test('evidence above a tolerance needs a divergence above it', () => {
  const base = sampleOf([1000, 4000, 5000])
  expect(logDivergenceAbove(base, sampleOf([300, 300, 400]), 1, 0.02)).toBeGreaterThan(5)
  expect(logDivergenceAbove(base, sampleOf([300, 300, 400]), 1, 0.2)).toBeLessThanOrEqual(0)
  expect(logDivergenceAbove(base, sampleOf([0, 0, 0]), 1, 0.02)).toBe(0)
})

test('two laws are likelier than one by half the G statistic, less what chance brings', () => {
  const one = sampleOf([300, 300, 400])
  expect(logTwoLaws(sampleOf([600, 600, 800]), one, 1)).toBeCloseTo(-1 - 2, 12)
  // 2·G of these tables is 2·Σ O·ln(O/E), with E from the pooled shares (0.2, 0.35, 0.45).
  const g =
    100 * ln(0.5) +
    400 * ln(0.4 / 0.35) +
    500 * ln(0.5 / 0.45) +
    300 * ln(1.5) +
    300 * ln(0.3 / 0.35) +
    400 * ln(0.4 / 0.45)
  expect(logTwoLaws(sampleOf([100, 400, 500]), one, 1)).toBeCloseTo(g - 3, 10)
  expect(logTwoLaws(sampleOf([100, 400, 500]), one, 2)).toBeCloseTo(g / 2 - 3, 10)
  expect(logTwoLaws(sampleOf([0, 0, 0]), one, 1)).toBe(0)
})

test('drivers are the bins with too much, largest first, with their part of it', () => {
  const drivers = driversOf(['a', 'b', 'missing'], 'x', sampleOf([50, 50, 0]), sampleOf([20, 50, 30]))
  expect(drivers).toEqual([{ dimension: 'x', value: 'missing', share: 1, now: 0.3, reference: 0 }])
  expect(driversOf(['a'], 'x', sampleOf([0]), sampleOf([5]))).toEqual([])
  expect(driversOf(['a', 'b'], 'x', sampleOf([5, 5]), sampleOf([7, 7]))).toEqual([])
})

test('any counts give ordered finite numbers', () => {
  const count = fc.oneof(fc.constant(0), fc.nat(50), fc.integer({ min: 2 ** 50, max: 2 ** 52 }))
  const sample = fc.array(count, { minLength: 3, maxLength: 3 }).map(sampleOf)
  fc.assert(
    fc.property(sample, sample, (reference, now) => {
      const { estimate, low, high } = divergence(reference, now, 1.3, 0.05)
      expect(low).toBeGreaterThanOrEqual(0)
      expect(estimate).toBeGreaterThanOrEqual(low)
      expect(high).toBeGreaterThanOrEqual(estimate)
      expect(high).toBeLessThanOrEqual(divergenceCeiling)
      expect(Number.isFinite(logDivergenceAbove(reference, now, 1.3, 0.02))).toBe(true)
    }),
  )
})

test('sampling noise is not divergence: 30 bins of 300 rows each side would show .097 without the correction', () => {
  const flat = Array.from({ length: 30 }, () => 1 / 30)
  let sum = 0
  for (let run = 0; run < 50; run++) {
    const next = seeded(run)
    sum += divergence(sampleOf(rowsIn(300, flat, next)), sampleOf(rowsIn(300, flat, next)), 1, 0.05).estimate
  }
  expect(sum / 50).toBeLessThan(0.02)
})
