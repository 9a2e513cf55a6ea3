import { expect, test } from 'vitest'
import { areaUnderCurve } from './auc.ts'
import { categoryBins, divergence, equalMassBins } from './drift.ts'

test('the divergence is the golden value of docs/statistics.md §2.3 for p = (.1, .4, .5) and q = (.3, .3, .4)', () => {
  const many = 1e9
  const p = Float64Array.of(0.1, 0.4, 0.5).map((share) => share * many)
  const q = Float64Array.of(0.3, 0.3, 0.4).map((share) => share * many)
  expect(divergence(p, q)).toBeCloseTo(0.1167833758, 7)
  expect(divergence(p, p)).toBe(0)
})

test('bins hold equal mass, and a missing value has a bin of its own', () => {
  const values = Float64Array.from({ length: 1_000 }, (_, index) => index)
  const bins = equalMassBins(values, 20)
  const counts = new Float64Array(bins.size)
  for (const value of values) counts[bins.binOf(value)]!++
  expect(Array.from(counts)).toEqual([...new Array(20).fill(50), 0])
  expect(bins.binOf(null)).toBe(20)
  expect(bins.binOf(Number.NaN)).toBe(20)
})

test('a rare category, and one never seen, fall into the bin of the others', () => {
  const bins = categoryBins([...new Array(500).fill('ORD'), ...new Array(499).fill('ATL'), 'YAK'], 0.005)
  expect(bins.size).toBe(4)
  expect(bins.binOf('YAK')).toBe(bins.binOf('XXX'))
  expect(bins.binOf('ORD')).not.toBe(bins.binOf('YAK'))
})

test('the area under the curve is 1 for a perfect order, 0.5 for ties and 0.75 for one pair of four in the wrong order', () => {
  const late = Uint8Array.of(0, 0, 1, 1)
  expect(areaUnderCurve(Float64Array.of(0.1, 0.2, 0.3, 0.4), late)).toBe(1)
  expect(areaUnderCurve(Float64Array.of(0.3, 0.3, 0.3, 0.3), late)).toBe(0.5)
  expect(areaUnderCurve(Float64Array.of(0.1, 0.3, 0.2, 0.4), late)).toBe(0.75)
})
