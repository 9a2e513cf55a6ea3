import { expect, test } from 'vitest'
import { exp, ln } from './elementary.ts'
import {
  betaQuantile,
  clopperPearson,
  lgamma,
  logBeta,
  logBetaAbove,
  logBetaBelow,
  logNormalBelow,
  normalBelow,
  normalQuantile,
} from './special.ts'
import vectors from './special.vectors.json' with { type: 'json' }

/** Relative for large values, absolute for small ones. */
function off(value: number, exact: number): number {
  return Math.abs(value - exact) / Math.max(1, Math.abs(exact))
}

test('lgamma, logBeta, both tails of the incomplete beta and the normal quantile agree with 60-digit vectors', () => {
  for (const [x, exact] of vectors.lgamma as [number, number][])
    expect(off(lgamma(x), exact), `lgamma(${x})`).toBeLessThan(3e-14)
  for (const [a, b, exact] of vectors.logBeta as [number, number, number][])
    expect(off(logBeta(a, b), exact), `logBeta(${a}, ${b})`).toBeLessThan(1e-13)
  for (const [x, a, b, exact] of vectors.logBetaBelow as [number, number, number, number][])
    expect(off(logBetaBelow(x, a, b), exact), `below ${x}, ${a}, ${b}`).toBeLessThan(1e-12)
  for (const [x, a, b, exact] of vectors.logBetaAbove as [number, number, number, number][])
    expect(off(logBetaAbove(x, a, b), exact), `above ${x}, ${a}, ${b}`).toBeLessThan(1e-12)
  for (const [p, exact] of vectors.normalQuantile as [number, number][])
    expect(off(normalQuantile(p), exact), `normal quantile of ${p}`).toBeLessThan(2e-15)
})

test('the normal law agrees with 50-digit vectors to 13 digits, also in its far tail', () => {
  // The last but subnormal: −38 has few digits of its own.
  for (const [x, exact] of (vectors.normalBelow as [number, number][]).slice(1))
    expect(Math.abs(normalBelow(x) / exact - 1), `Φ(${x})`).toBeLessThan(2e-13)
  expect(normalBelow(-38)).toBeGreaterThan(0)
  expect(() => normalBelow(Number.NaN)).toThrow(RangeError)
})

test('a tail of e^-6900 is still a number', () => {
  expect(logBetaAbove(0.999, 1, 1000)).toBeCloseTo(1000 * ln(0.001), 6)
})

test('the two tails add to one', () => {
  for (const x of [0.01, 0.3, 0.5, 0.77])
    expect(exp(logBetaBelow(x, 3.5, 8)) + exp(logBetaAbove(x, 3.5, 8))).toBeCloseTo(1, 13)
})

test('betaQuantile undoes the incomplete beta, and Clopper–Pearson is the published interval', () => {
  expect(exp(logBetaBelow(betaQuantile(0.3, 4, 9), 4, 9))).toBeCloseTo(0.3, 12)
  // 8 of 10 at 95 %: .4439–.9748 (R: binom.test).
  const [low, high] = clopperPearson(8, 10, 0.05)
  expect(low).toBeCloseTo(0.4439045, 6)
  expect(high).toBeCloseTo(0.9747893, 6)
  expect(clopperPearson(0, 50, 0.05)[0]).toBe(0)
  expect(clopperPearson(50, 50, 0.05)[1]).toBe(1)
})

test('arguments outside the domain are refused by name', () => {
  expect(() => lgamma(0)).toThrow('defined here for x > 0')
  expect(() => logBeta(1, 0)).toThrow('both must be above 0')
  expect(() => logBetaBelow(1.5, 1, 1)).toThrow('0 ≤ x ≤ 1')
  expect(() => normalQuantile(2)).toThrow('0 ≤ p ≤ 1')
})

test('the logarithm of the normal law goes on where the law itself is too small for a number', () => {
  // The C library's erfc, in double precision.
  expect(logNormalBelow(-10)).toBeCloseTo(-53.23128515051246, 9)
  expect(logNormalBelow(-30)).toBeCloseTo(-454.3212439563431, 9)
  expect(logNormalBelow(1)).toBeCloseTo(-0.1727537790234499, 14)
})
