import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  logBetaBinomial,
  logRatioIncrement,
  mixOverRatios,
  ratiosAbove,
  ratiosBelow,
} from './conditional-beta-binomial.ts'
import { exp, ln } from './elementary.ts'
import { hits, seeded } from './seeded.ts'
import { lgamma } from './special.ts'

function choose(n: number, k: number): number {
  return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
}

describe('the expected e-value of a pane, summed over all outcomes, is at most 1', () => {
  /** Both arms binomial: exact sum over all (S, F). */
  function expectation(
    n: number,
    m: number,
    rate: number,
    ratio: number,
    alternative: number,
    nullRatio: number,
  ): number {
    let sum = 0
    const candidate = rate * ratio
    for (let s = 0; s <= n; s++)
      for (let f = 0; f <= m; f++) {
        const chance =
          choose(n, s) +
          s * ln(candidate) +
          (n - s) * ln(1 - candidate) +
          choose(m, f) +
          f * ln(rate) +
          (m - f) * ln(1 - rate)
        sum += exp(chance + logRatioIncrement(s, f, n / (n + m), alternative, nullRatio))
      }
    return sum
  }

  test('harm: for every ratio up to the tolerated one, small rates and large', () => {
    for (const [n, m] of [
      [3, 20],
      [12, 12],
      [25, 4],
    ] as const)
      for (const rate of [0.01, 0.2, 0.6])
        for (const ratio of [0.5, 1, 1.2])
          for (const alternative of [1.25, 2, 8])
            expect(expectation(n, m, rate, ratio, alternative, 1.2)).toBeLessThanOrEqual(1 + 1e-12)
  })

  test('safe: for every ratio from the tolerated one on', () => {
    for (const rate of [0.01, 0.2, 0.5])
      for (const ratio of [1.2, 1.5])
        for (const alternative of [0.1, 0.8, 1.1])
          expect(expectation(14, 9, rate, ratio, alternative, 1.2)).toBeLessThanOrEqual(1 + 1e-12)
  })

  test('and beyond the tolerated ratio it grows', () => {
    expect(expectation(12, 12, 0.2, 3, 2, 1.2)).toBeGreaterThan(1.2)
  })

  test('also when the failing events are fixed and only dealt to the arms', () => {
    for (const [n, m, failing] of [
      [5, 15, 6],
      [10, 10, 9],
      [18, 2, 4],
    ] as const)
      for (const alternative of [1.03, 2, 30]) {
        let sum = 0
        for (let s = Math.max(0, failing - m); s <= Math.min(n, failing); s++)
          sum += exp(
            choose(n, s) +
              choose(m, failing - s) -
              choose(n + m, failing) +
              logRatioIncrement(s, failing - s, n / (n + m), alternative, 1),
          )
        expect(sum).toBeLessThanOrEqual(1 + 1e-12)
      }
  })
})

test('weights of both grids sum to one and lie on their side of the tolerated ratio', () => {
  for (const nullRatio of [0.5, 1, 1.2, 3]) {
    for (const grid of [ratiosAbove(nullRatio), ratiosBelow(nullRatio)])
      expect(grid.logWeights.reduce((sum, log) => sum + exp(log), 0)).toBeCloseTo(1, 12)
    expect(Math.min(...ratiosAbove(nullRatio).ratios)).toBeGreaterThan(nullRatio)
    expect(Math.max(...ratiosBelow(nullRatio).ratios)).toBeLessThan(nullRatio)
  }
})

test('at a constant share the grid is within 0.8 nats of the closed form, around the limit', () => {
  for (const share of [0.5, 0.1])
    for (const [s, f] of [
      [90, 45],
      [160, 107],
      [40, 8],
      [30, 30],
    ] as const) {
      const stable = Math.round((f * (1 - share)) / share)
      const grid = ratiosAbove(1)
      const mixed = mixOverRatios(
        grid,
        grid.ratios.map((ratio) => logRatioIncrement(s, stable, share, ratio, 1)),
      )
      expect(Math.abs(mixed - logBetaBinomial(s, stable, share, 1))).toBeLessThan(0.8)
    }
})

test('the median delay is the published one: 9,000 requests at 2×, ρ = .5, α = .001', () => {
  const grid = ratiosAbove(1)
  const delays = Array.from({ length: 300 }, (_, run) => {
    const next = seeded(run)
    let s = 0
    let f = 0
    for (let requests = 200; ; requests += 200) {
      s += hits(100, 0.02, next)
      f += hits(100, 0.01, next)
      const logs = grid.ratios.map((ratio) => logRatioIncrement(s, f, 0.5, ratio, 1))
      if (mixOverRatios(grid, logs) >= ln(1000)) return requests
    }
  }).sort((a, b) => a - b)
  expect(delays[150]).toBeGreaterThan(0.9 * 9000)
  expect(delays[150]).toBeLessThan(1.1 * 9000)
})

test('splitting a pane in two of the same share changes nothing', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(500), fc.nat(500), fc.nat(500), (a, b, c, d) => {
      const whole = logRatioIncrement(a + b, c + d, 0.2, 2, 1)
      const parts = logRatioIncrement(a, c, 0.2, 2, 1) + logRatioIncrement(b, d, 0.2, 2, 1)
      expect(parts).toBeCloseTo(whole, 8)
    }),
  )
})

test('harm beyond a ratio and safety below it are never both above 1', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 99 })), { maxLength: 20 }),
      (panes) => {
        const evidence = (grid: ReturnType<typeof ratiosAbove>): number =>
          mixOverRatios(
            grid,
            grid.ratios.map((ratio) =>
              panes.reduce(
                (sum, [s, f, share]) => sum + logRatioIncrement(s, f, share / 100, ratio, grid.nullRatio),
                0,
              ),
            ),
          )
        expect(Math.min(evidence(ratiosAbove(1.2)), evidence(ratiosBelow(1.2)))).toBeLessThanOrEqual(1e-9)
      },
    ),
  )
})

test('a tolerance that leaves no ratio is refused', () => {
  expect(() => ratiosAbove(0)).toThrow('a tolerance must be above −1')
})
