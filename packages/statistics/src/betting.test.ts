import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bettingInterval, endsOf, logWealth, stakes } from './betting.ts'
import { exp } from './elementary.ts'
import { rowsIn, seeded } from './seeded.ts'

test('the golden bet: 1,0,0,1,1,1,0,1 with λ = 1 on a mean above ½ ends with 0.94921875', () => {
  expect(exp(logWealth([3, 5], [0, 1], 0.5, 0.5))).toBeCloseTo(0.94921875, 14)
})

test('one row never raises the expected wealth while the mean is at most m, whatever the law', () => {
  const shares = fc.array(fc.nat(100), { minLength: 5, maxLength: 5 }).filter((all) => all.some((share) => share > 0))
  fc.assert(
    fc.property(
      shares,
      fc.constantFrom(...stakes),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      (weights, stake, by) => {
        const values = [0, 0.2, 0.5, 0.9, 1]
        const total = weights.reduce((a, b) => a + b, 0)
        const mean = weights.reduce((sum, weight, bin) => sum + (weight / total) * (values[bin] as number), 0)
        const m = Math.min(0.999, Math.max(0.001, mean + by * (1 - mean)))
        const one = (bin: number) => values.map((_, b) => (b === bin ? 1 : 0))
        const wealth = weights.reduce(
          (sum, weight, bin) => sum + (weight / total) * exp(logWealth(one(bin), values, m, stake)),
          0,
        )
        expect(wealth).toBeLessThan(1 + 1e-12)
      },
    ),
  )
})

test('values are cut off at the edges, and each bin counts as its lower or its upper end', () => {
  expect(endsOf([10, 20, 30, 50])).toEqual({ lower: [0, 0, 0.25, 0.5, 1], upper: [0, 0.25, 0.5, 1, 1] })
})

test('the interval holds the mean at all times together in 95 of 100 streams and more (seed 21)', () => {
  const next = seeded(21)
  const ends = endsOf([0, 0.25, 0.5, 0.75, 1])
  const shares = [0, 0.1, 0.3, 0.4, 0.2, 0]
  // The rows lie anywhere in their bins: the true mean is somewhere between those of the ends.
  const [low, high] = [ends.lower, ends.upper].map((end) =>
    shares.reduce((sum, p, bin) => sum + p * (end[bin] as number), 0),
  )
  let missed = 0
  for (let stream = 0; stream < 200; stream++) {
    const counts = shares.map(() => 0)
    let outside = false
    for (let look = 0; look < 30; look++) {
      for (const [bin, rows] of rowsIn(20, shares, next).entries()) counts[bin] = (counts[bin] as number) + rows
      const [from, to] = bettingInterval(counts, ends, 0.05)
      outside ||= from > (low as number) || to < (high as number)
    }
    if (outside) missed++
  }
  expect(missed).toBeLessThanOrEqual(10)
})

test('it narrows with the rows to the ends of the bins, and is everything without rows', () => {
  const ends = endsOf([0, 0.5, 1])
  expect(bettingInterval([0, 0, 0, 0], ends, 0.05)).toEqual([0, 1])
  const [low, high] = bettingInterval([0, 500_000, 500_000, 0], ends, 0.05)
  expect(low).toBeGreaterThan(0.22)
  expect(low).toBeLessThan(0.25)
  expect(high).toBeGreaterThan(0.75)
  expect(high).toBeLessThan(0.78)
})

test('clumps widen it', () => {
  const ends = endsOf([0, 0.5, 1])
  const [low, high] = bettingInterval([0, 50, 50, 0], ends, 0.05)
  const [wideLow, wideHigh] = bettingInterval([0, 50, 50, 0], ends, 0.05, 3)
  expect(wideLow).toBeLessThan(low)
  expect(wideHigh).toBeGreaterThan(high)
})
