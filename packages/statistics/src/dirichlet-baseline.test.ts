import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ballTest, baselineShares, baselineSlack, logBestWithin, predictiveAround } from './dirichlet-baseline.ts'
import { exp, ln, logSumExp } from './elementary.ts'
import { lgamma } from './special.ts'

function divergence(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, share, bin) => sum + share * ln(share / (q[bin] as number)), 0)
}

test('the predictive law is the product of its one-row-ahead predictions, in any order', () => {
  const centre = [0.5, 0.3, 0.2]
  const orders = [
    [0, 0, 1, 2, 0, 1],
    [2, 1, 1, 0, 0, 0],
  ]
  for (const order of orders) {
    const products = [20, 200, 2000].map((strength) => {
      const counts = [0, 0, 0]
      let log = 0
      for (const [i, bin] of order.entries()) {
        log += ln((strength * (centre[bin] as number) + (counts[bin] as number)) / (strength + i))
        counts[bin] = (counts[bin] as number) + 1
      }
      return log - ln(3)
    })
    expect(predictiveAround(centre)([3, 2, 1])).toBeCloseTo(logSumExp(products), 10)
  }
})

test('the best law within the ball is found: a fine search over three bins finds none better, and hardly any as good', () => {
  const p = [0.5, 0.3, 0.2]
  for (const tolerance of [0.005, 0.05])
    for (const counts of [
      [10, 60, 30],
      [100, 0, 0],
      [50, 31, 19],
    ]) {
      let best = Number.NEGATIVE_INFINITY
      for (let i = 1; i < 400; i++)
        for (let j = 1; i + j < 400; j++) {
          const q = [i / 400, j / 400, (400 - i - j) / 400]
          if (divergence(p, q) > tolerance) continue
          best = Math.max(
            best,
            counts.reduce((sum, count, bin) => sum + count * ln(q[bin] as number), 0),
          )
        }
      const found = logBestWithin(counts, p, tolerance)
      expect(found).toBeGreaterThanOrEqual(best - 1e-9)
      expect(found - best).toBeLessThan(1)
    }
})

test('for every law within the ball the expected e-value is at most 1', () => {
  const p = [0.7, 0.3]
  const tolerance = 0.02
  for (const n of [5, 40, 200])
    for (const first of [0.61, 0.65, 0.7, 0.75, 0.79]) {
      const q = [first, 1 - first]
      if (divergence(p, q) > tolerance) continue
      let sum = 0
      for (let s = 0; s <= n; s++) {
        const chance = lgamma(n + 1) - lgamma(s + 1) - lgamma(n - s + 1) + s * ln(first) + (n - s) * ln(1 - first)
        sum += exp(chance + ballTest(p, tolerance, 1)([s, n - s]))
      }
      expect(sum).toBeLessThanOrEqual(1 + 1e-9)
    }
})

test('where each row comes φ times the expected e-value is at most 1 too', () => {
  // All outcomes of 24 clumps of φ equal rows in three bins: the design effect is φ exactly.
  const p = [0.5, 0.3, 0.2]
  const clumps = 24
  for (const phi of [1, 3, 20]) {
    let sum = 0
    for (let a = 0; a <= clumps; a++)
      for (let b = 0; a + b <= clumps; b++) {
        const counts = [a, b, clumps - a - b]
        const chance = counts.reduce(
          (log, count, bin) => log + count * ln(p[bin] as number) - lgamma(count + 1),
          lgamma(clumps + 1),
        )
        sum += exp(chance + ballTest(p, 0, phi)(counts.map((count) => phi * count)))
      }
    expect(sum).toBeLessThanOrEqual(1 + 1e-6)
  }
})

test('rows that left the ball give evidence, rows within it none', () => {
  const p = baselineShares([5000, 3000, 2000, 0])
  expect(ballTest(p, 0.02, 1)([300, 500, 200, 0])).toBeGreaterThan(20)
  expect(ballTest(p, 0.02, 1)([500, 300, 200, 0])).toBeLessThan(0)
  expect(ballTest(p, 0.02, 1)([400, 240, 160, 200])).toBeGreaterThan(20)
})

test('any counts, tolerances and empty bins give a number', () => {
  const counts = fc.array(fc.oneof(fc.constant(0), fc.nat(1000), fc.integer({ min: 2 ** 50, max: 2 ** 52 })), {
    minLength: 1,
    maxLength: 6,
  })
  fc.assert(
    fc.property(counts, fc.constantFrom(0, 0.001, 0.3, 3), fc.nat(), (bins, tolerance, seed) => {
      const baseline = bins.map((_, bin) => (seed >> bin) % 5)
      expect(Number.isFinite(ballTest(baselineShares(baseline), tolerance, 1.5)(bins))).toBe(true)
    }),
  )
})

test('a small baseline widens the ball, a large one hardly', () => {
  expect(baselineSlack(10, 500, 1)).toBeGreaterThan(0.01)
  expect(baselineSlack(10, 500_000, 1)).toBeLessThan(0.0001)
  expect(baselineSlack(1, 0, 1)).toBe(0)
})
