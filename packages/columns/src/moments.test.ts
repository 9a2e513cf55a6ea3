import { type CountSpec, layoutOf } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { momentsOf } from './moments.ts'
import { sampleSpec } from './sample-events.ts'

const layout = layoutOf(sampleSpec)

/** Counts of steps of `rate`, which has a scale of 2^−10 and begins at 0. */
function countsOf(steps: readonly number[]): Float64Array {
  const counts = new Float64Array(layout.width)
  const place = layout.features[1]!
  const { s1, s2High, s2Low } = layout.moments[1]!
  for (const step of steps) {
    counts[place.at]!++
    counts[s1]! += step
    counts[s2High]! += Math.floor(step ** 2 / 2 ** 20)
    counts[s2Low]! += step ** 2 % 2 ** 20
  }
  return counts
}

test('mean and variance are those of the values, in the units of the feature', () => {
  expect(momentsOf(countsOf([256, 512, 1_024]), sampleSpec, 'rate')).toEqual({
    rows: 3,
    mean: 7 / 12,
    // Σ(x − 7/12)²/2 for ¼, ½, 1.
    variance: 7 / 48,
  })
})

test('a million equal values have a variance of zero: nothing cancels', () => {
  const counts = countsOf([1_023])
  for (const [index, count] of counts.entries()) counts[index] = count * 1_000_000
  expect(momentsOf(counts, sampleSpec, 'rate')).toEqual({ rows: 1_000_000, mean: 1_023 / 1_024, variance: 0 })
})

test('one row has a mean and no variance, no row has neither, and rows beyond the edges do not count', () => {
  expect(momentsOf(countsOf([512]), sampleSpec, 'rate')).toEqual({ rows: 1, mean: 0.5, variance: null })
  const beyond = countsOf([])
  const place = layout.features[1]!
  beyond[place.at + place.bins] = 7
  expect(momentsOf(beyond, sampleSpec, 'rate')).toBeNull()
})

test('sums of steps without a scale are no values, and categories have no moments', () => {
  const features = sampleSpec.features.map((feature) => ({ ...feature, scale: Number.NaN }))
  const without = { ...sampleSpec, features } as CountSpec
  expect(() => momentsOf(countsOf([1]), without, 'rate')).toThrow('no scale')
  expect(() => momentsOf(countsOf([1]), sampleSpec, 'origin')).toThrow('no numeric feature "origin"')
  expect(() => momentsOf(countsOf([1]), sampleSpec, 'none')).toThrow('no numeric feature "none"')
})
