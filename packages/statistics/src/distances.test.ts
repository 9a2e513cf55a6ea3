import fc from 'fast-check'
import { expect, test } from 'vitest'
import { distancesOf, orderedDistancesOf } from './distances.ts'
import { rowsIn, seeded } from './seeded.ts'

/** SciPy 1.17.1: chi2_contingency, jensenshannon², entropy of the counts with half a row added; ks, cvm and w1 of the values. */
const reference = [120, 300, 410, 90, 80]
const now = [60, 170, 330, 110, 130]
const values = [0.5, 1.5, 3, 7, 20]

test('golden values of SciPy', () => {
  const all = distancesOf(reference, now)
  expect(all?.psi).toBeCloseTo(0.12906774335910318, 13)
  expect(all?.kl).toBeCloseTo(0.06211367462686547, 13)
  expect(all?.js).toBeCloseTo(0.015926196150827694, 13)
  expect(all?.hellinger2).toBeCloseTo(0.01602880008799823, 13)
  expect(all?.totalVariation).toBeCloseTo(0.1325, 13)
  expect(all?.largest).toBeCloseTo(0.0875, 13)
  expect(all?.chi2).toBeCloseTo(56.99224307894522, 9)
  expect(all?.freedom).toBe(4)
  const ordered = orderedDistancesOf(reference, now, values)
  expect(ordered?.ks).toBeCloseTo(0.1325, 13)
  expect(ordered?.cvm).toBeCloseTo(5.989372685185174, 9)
  expect(ordered?.w1).toBeCloseTo(1.83625, 12)
})

test('golden values of the page: p = (.1, .4, .5), q = (.3, .3, .4), with so many rows that half of one is nothing', () => {
  const scaled = (shares: readonly number[]) => shares.map((share) => share * 1e12)
  const all = distancesOf(scaled([0.1, 0.4, 0.5]), scaled([0.3, 0.3, 0.4]))
  expect(all?.psi).toBeCloseTo(0.2708050201, 9)
  expect(all?.kl).toBeCloseTo(0.1167833758, 9)
  expect(Math.sqrt(all?.js as number)).toBeCloseTo(0.180359656, 9)
  expect(Math.sqrt(all?.hellinger2 as number)).toBeCloseTo(0.1821295205, 9)
  expect(all?.totalVariation).toBeCloseTo(0.2, 9)
})

test('one statistic in many costumes: for small shifts PSI : KL : JS : H² is 1 : ½ : ⅛ : ⅛', () => {
  const shares = [0.1, 0.15, 0.25, 0.3, 0.2]
  const shifted = [0.101, 0.1505, 0.2495, 0.2985, 0.2005]
  const scaled = (of: readonly number[]) => of.map((share) => share * 1e9)
  const all = distancesOf(scaled(shares), scaled(shifted)) as NonNullable<ReturnType<typeof distancesOf>>
  expect(all.kl / all.psi).toBeCloseTo(1 / 2, 2)
  expect(all.js / all.psi).toBeCloseTo(1 / 8, 3)
  expect(all.hellinger2 / all.psi).toBeCloseTo(1 / 8, 3)
})

test('under no change PSI over (1/n + 1/m) has the mean and the variance of χ²(B−1) (seed 41)', () => {
  const next = seeded(41)
  const shares = Array.from({ length: 10 }, () => 0.1)
  const drawn = Array.from({ length: 800 }, () => {
    const all = distancesOf(rowsIn(1_500, shares, next), rowsIn(500, shares, next))
    return (all?.psi as number) / (1 / 1_500 + 1 / 500)
  })
  const mean = drawn.reduce((a, b) => a + b, 0) / drawn.length
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length
  expect(mean).toBeGreaterThan(8.5)
  expect(mean).toBeLessThan(9.5)
  expect(variance).toBeGreaterThan(14)
  expect(variance).toBeLessThan(23)
})

test('the symmetric ones do not know which side is which, none is negative, and equal counts are at 0', () => {
  const counts = fc.array(fc.nat(1_000), { minLength: 4, maxLength: 4 }).filter((all) => all.some((count) => count > 0))
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      const there = distancesOf(a, b) as NonNullable<ReturnType<typeof distancesOf>>
      const back = distancesOf(b, a) as NonNullable<ReturnType<typeof distancesOf>>
      for (const key of ['psi', 'js', 'hellinger2', 'totalVariation', 'largest', 'chi2'] as const) {
        expect(there[key]).toBeCloseTo(back[key], 9)
        expect(there[key]).toBeGreaterThanOrEqual(0)
      }
      expect(there.kl).toBeGreaterThanOrEqual(0)
      expect(distancesOf(a, a)).toMatchObject({ psi: 0, kl: 0, hellinger2: 0, totalVariation: 0, chi2: 0 })
    }),
  )
})

test('without rows on a side nothing can be said; other bins are refused', () => {
  expect(distancesOf([0, 0], [1, 2])).toBeNull()
  expect(orderedDistancesOf([1, 2], [0, 0], [0, 1])).toBeNull()
  expect(() => distancesOf([1, 2], [1, 2, 3])).toThrow(RangeError)
  expect(() => orderedDistancesOf([1, 2], [1, 2], [1, 1])).toThrow(RangeError)
})
