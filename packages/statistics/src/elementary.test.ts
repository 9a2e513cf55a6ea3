import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exp, expm1, ln, log1p, log1pExp, logAddExp, logSumExp, pow } from './elementary.ts'
import vectors from './elementary.vectors.json' with { type: 'json' }

/** Distance in units of the last place of the exact value. */
function ulps(value: number, exact: number): number {
  if (value === exact) return 0
  const view = new DataView(new ArrayBuffer(16))
  view.setFloat64(0, value)
  view.setFloat64(8, exact)
  const distance = view.getBigInt64(0) - view.getBigInt64(8)
  return Math.abs(Number(distance))
}

describe('against 60-digit vectors, at most 2 units of the last place off', () => {
  for (const [name, f] of Object.entries({ ln, exp, expm1, log1p })) {
    test(name, () => {
      const rows = vectors[name as 'ln'] as [number, number][]
      expect(rows.length).toBeGreaterThan(100)
      for (const [x, exact] of rows) expect(ulps(f(x), exact), `${name}(${x})`).toBeLessThanOrEqual(2)
    })
  }
  test('pow', () => {
    for (const [x, y, exact] of vectors.pow as [number, number, number][])
      expect(ulps(pow(x, y), exact), `pow(${x}, ${y})`).toBeLessThanOrEqual(2)
  })
})

test('the borders of the domain are as IEEE 754 says', () => {
  expect(ln(0)).toBe(Number.NEGATIVE_INFINITY)
  expect(ln(-1)).toBeNaN()
  expect(ln(Number.NaN)).toBeNaN()
  expect(ln(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY)
  expect(ln(1)).toBe(0)
  expect(log1p(-1)).toBe(Number.NEGATIVE_INFINITY)
  expect(log1p(-1.5)).toBeNaN()
  expect(exp(710)).toBe(Number.POSITIVE_INFINITY)
  expect(exp(-746)).toBe(0)
  expect(exp(0)).toBe(1)
  expect(exp(Number.NaN)).toBeNaN()
  expect(expm1(-100)).toBe(-1)
  expect(Object.is(expm1(-0), -0)).toBe(true)
  expect(pow(Number.NaN, 0)).toBe(1)
  expect(pow(0, -1)).toBe(Number.POSITIVE_INFINITY)
  expect(pow(0.5, Number.POSITIVE_INFINITY)).toBe(0)
  expect(pow(-8, 1 / 3)).toBeNaN()
  expect(pow(2, 1024)).toBe(Number.POSITIVE_INFINITY)
  expect(pow(2, -1080)).toBe(0)
})

test('exp undoes ln', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
      expect(Math.abs(exp(ln(x)) / x - 1)).toBeLessThan(2e-13)
    }),
  )
})

test('sums in log space agree with plain sums and take infinities', () => {
  expect(logSumExp([])).toBe(Number.NEGATIVE_INFINITY)
  expect(logSumExp([Number.NEGATIVE_INFINITY, 0])).toBe(0)
  expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + ln(2), 12)
  expect(logAddExp(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY)
  expect(log1pExp(800)).toBe(800)
  expect(log1pExp(-800)).toBe(0)
  fc.assert(
    fc.property(fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 9 }), (terms) => {
      const plain = terms.reduce((sum, term) => sum + exp(term), 0)
      expect(logSumExp(terms)).toBeCloseTo(ln(plain), 12)
      expect(terms.reduce((a, b) => logAddExp(a, b))).toBeCloseTo(ln(plain), 12)
    }),
  )
})
