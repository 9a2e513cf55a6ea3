import { expect, test } from 'vitest'
import { exp, ln, logSumExp } from './elementary.ts'
import { logOwnRateBelow, logOwnRateIncrement, logWeightsAbove, ratesAbove } from './own-rate.ts'
import { lgamma } from './special.ts'

function chance(n: number, s: number, rate: number): number {
  return lgamma(n + 1) - lgamma(s + 1) - lgamma(n - s + 1) + s * ln(rate) + (n - s) * ln(1 - rate)
}

test('at the limit and on the null side the expected e-value is at most 1, both ways', () => {
  for (const n of [1, 10, 80])
    for (const limit of [0.01, 0.3]) {
      for (const rate of [limit, limit * 1.5, limit * 3]) {
        let sum = 0
        for (let s = 0; s <= n; s++) sum += exp(chance(n, s, rate) + logOwnRateBelow(s, n, limit))
        expect(sum).toBeLessThanOrEqual(1 + 1e-12)
      }
      for (const alternative of ratesAbove(limit)) {
        let sum = 0
        for (let s = 0; s <= n; s++)
          sum += exp(chance(n, s, limit * 0.9) + logOwnRateIncrement(s, n, alternative, limit))
        expect(sum).toBeLessThanOrEqual(1 + 1e-12)
      }
    }
})

test('a router without a single error is shown to be below 0.1 % after about 4,000 requests', () => {
  expect(logOwnRateBelow(0, 2_000, 0.001)).toBeLessThan(ln(20))
  expect(logOwnRateBelow(0, 5_000, 0.001)).toBeGreaterThan(ln(20))
  expect(logSumExp([logOwnRateBelow(10, 5_000, 0.001)])).toBeLessThan(0)
})

test('the weights of the higher rates sum to one, one a rate: the mixture stays an e-process', () => {
  expect(logWeightsAbove.length).toBe(ratesAbove(0.01).length)
  expect(logWeightsAbove.reduce((sum, log) => sum + exp(log), 0)).toBeCloseTo(1, 14)
})
