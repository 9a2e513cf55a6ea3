import { expect, test } from 'vitest'
import { fewer, logAmountIncrement, more } from './amount.ts'
import { exp, ln } from './elementary.ts'
import { lgamma } from './special.ts'

/** ln of the chance of x rows: negative binomial with this mean and variance φ·mean; φ = 1 is Poisson. */
function logChance(x: number, mean: number, phi: number): number {
  if (phi === 1) return x * ln(mean) - mean - lgamma(x + 1)
  const size = mean / (phi - 1)
  return lgamma(x + size) - lgamma(size) - lgamma(x + 1) - size * ln(phi) + x * ln((phi - 1) / phi)
}

/** Σ over all x of its chance times e^f(x). */
function meanOf(mean: number, phi: number, f: (x: number) => number): number {
  let sum = 0
  for (let x = 0; x <= mean * 10 + 400 * phi; x++) sum += exp(logChance(x, mean, phi) + f(x))
  return sum
}

const factors = [...fewer, ...more]

test('E[L] = 1 at the usual amount, summed over all counts, Poisson and overdispersed, save what the cap of a pane cuts off', () => {
  for (const phi of [1, 1.5, 5]) {
    for (const factor of factors) {
      const mean = meanOf(20, phi, (x) => logAmountIncrement(x, 20, factor, phi))
      expect(mean, `φ=${phi}, ${factor} times`).toBeLessThan(1 + 1e-9)
      if (factor >= 0.5 && factor < 2) expect(mean, `φ=${phi}, ${factor} times`).toBeGreaterThan(0.98)
    }
  }
})

test('E[L] ≤ 1 on the whole side of the null, and for rows that are less dispersed than thought', () => {
  for (const factor of factors) {
    for (const part of [0.5, 0.8, 1]) {
      const mean = factor > 1 ? 20 * part : 20 / part
      for (const phi of [1, 2, 3]) {
        const e = meanOf(mean, phi, (x) => logAmountIncrement(x, 20, factor, 3))
        expect(e, `${factor} times, mean ${mean}, φ ${phi}`).toBeLessThan(1 + 1e-9)
      }
    }
  }
})

test("Poisson's ln L divided by φ, the usual tempering, is no e-value for negative binomial rows", () => {
  const tempered = meanOf(20, 2, (x) => Math.min(30, (x * ln(2) - 20) / 2))
  expect(tempered).toBeGreaterThan(1.2)
})

test('at φ = 1 it is x·ln k − μ(k−1), and just above it nearly that', () => {
  expect(logAmountIncrement(30, 20, 2, 1)).toBeCloseTo(30 * ln(2) - 20, 12)
  expect(logAmountIncrement(30, 20, 2, 1 + 1e-6)).toBeCloseTo(30 * ln(2) - 20, 3)
})
