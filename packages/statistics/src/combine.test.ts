import fc from 'fast-check'
import { expect, test } from 'vitest'
import { averageEvidence, wholeAndSlices } from './combine.ts'
import { exp, ln } from './elementary.ts'

test('the average of e-values is their weighted mean, and shares say who brought it', () => {
  const { logE, shares } = averageEvidence([
    { weight: 3, logE: ln(2) },
    { weight: 1, logE: ln(100) },
  ])
  expect(exp(logE)).toBeCloseTo((3 * 2 + 100) / 4, 10)
  expect(shares[0]).toBeCloseTo(6 / 106, 10)
  expect(shares[1]).toBeCloseTo(100 / 106, 10)
})

test('half stands on the whole, half on the slices; those not seen yet stand at 1', () => {
  expect(exp(wholeAndSlices(ln(4), [ln(10)], 5).logE)).toBeCloseTo(0.5 * 4 + 0.1 * 10 + 0.4, 10)
  expect(wholeAndSlices(7, []).logE).toBe(7)
  expect(() => wholeAndSlices(0, [1, 2], 1)).toThrow('only 1 were said to exist')
})

test('an average lies within its parts, its shares add to one, and huge evidence does not overflow', () => {
  const part = fc.record({
    weight: fc.double({ min: 0.01, max: 9, noNaN: true }),
    logE: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), (parts) => {
      const { logE, shares } = averageEvidence(parts)
      const logs = parts.map((one) => one.logE)
      expect(logE).toBeLessThanOrEqual(Math.max(...logs) + 1e-9)
      expect(logE).toBeGreaterThanOrEqual(Math.min(...logs) - 1e-9)
      expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12)
    }),
  )
})

test('weights that are not positive, and nothing at all, are refused', () => {
  expect(() => averageEvidence([{ weight: 0, logE: 1 }])).toThrow('weights are positive')
  expect(() => averageEvidence([])).toThrow('no evidence')
})
