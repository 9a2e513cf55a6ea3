import fc from 'fast-check'
import { expect, test } from 'vitest'
import { QuantileSketch, relativeError } from './quantile-sketch.ts'

function sketchOf(values: readonly number[]): QuantileSketch {
  const sketch = new QuantileSketch()
  for (const value of values) sketch.add(value)
  return sketch
}

/** Every positive double of full precision. */
const positive = fc.double({ min: 2 ** -1022, noNaN: true, noDefaultInfinity: true })

test('every quantile is within 0.8 % of the value of its rank, whatever the values', () => {
  fc.assert(
    fc.property(
      fc.array(positive, { minLength: 1, maxLength: 100 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const sorted = values.toSorted((a, b) => a - b)
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!
        const read = sketchOf(values).quantile(share)!
        expect(Math.abs(read / exact - 1)).toBeLessThanOrEqual(relativeError)
      },
    ),
  )
  expect(relativeError).toBeLessThanOrEqual(0.008)
})

test('an octave has 64 buckets of equal width, and a bucket begins with its lower end', () => {
  const reads = new Set(Array.from({ length: 6_400 }, (_, step) => sketchOf([1 + step / 6_400]).quantile(1)))
  expect(reads.size).toBe(64)
  expect(sketchOf([1]).quantile(1)).toBe(1 + 1 / 128)
  expect(sketchOf([1 + 1 / 64]).quantile(1)).toBe(1 + 3 / 128)
  expect(sketchOf([2]).quantile(1)).toBe(2 + 2 / 128)
})

test('zero, negative and not finite values are counted apart and are never given a magnitude', () => {
  const sketch = sketchOf([-3, -2, 0, -0, 5e-324, 7, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
  expect(sketch.counted).toEqual({ values: 9, notFinite: 3, negative: 2 })
  expect(sketch.quantile(0)).toBeNull()
  expect(sketch.quantile(2 / 6)).toBeNull()
  expect(sketch.quantile(3 / 6)).toBe(0)
  expect(sketch.quantile(5 / 6)).toBe(0)
  expect(sketch.quantile(1)).toBeCloseTo(7, 1)
})

test('without a finite value there is no quantile, and a share that is none is refused', () => {
  expect(sketchOf([]).quantile(0.5)).toBeNull()
  expect(sketchOf([Number.NaN]).quantile(0.5)).toBeNull()
  expect(() => sketchOf([1]).quantile(1.1)).toThrow('between 0 and 1')
  expect(() => sketchOf([1]).quantile(Number.NaN)).toThrow('between 0 and 1')
})

test('what was not counted cannot be taken away, and a refused part leaves everything as it was', () => {
  const sketch = sketchOf([1, 2])
  const before = sketch.pack()
  expect(() => sketch.addPacked(sketchOf([1, 2, 3]).pack(), -1)).toThrow('would be -1')
  expect(() => sketch.addPacked(Uint8Array.of(5, 1, 0x80))).toThrow('in the middle')
  expect(() => sketch.addPacked(Uint8Array.of(0xff, 0xff, 0x7f, 1))).toThrow('names place')
  expect(sketch.pack()).toEqual(before)
})
