import fc from 'fast-check'
import { expect, test } from 'vitest'
import { thinned } from './thinned.ts'

const points = fc.array(fc.record({ a: fc.integer(), b: fc.integer() }), { minLength: 1, maxLength: 400 })
const measures = [(point: { a: number }) => point.a, (point: { b: number }) => point.b]

test('thinning keeps the smallest, the largest and the last point, their order, and its bound', () => {
  fc.assert(
    fc.property(points, fc.integer({ min: 5, max: 100 }), (list, most) => {
      const kept = thinned(list, most, measures)
      expect(kept.length).toBeLessThanOrEqual(most)
      expect(kept.at(-1)).toBe(list.at(-1))
      const places = kept.map((point) => list.indexOf(point))
      expect(places).toEqual([...places].sort((x, y) => x - y))
      for (const key of ['a', 'b'] as const) {
        expect(Math.max(...kept.map((point) => point[key]))).toBe(Math.max(...list.map((point) => point[key])))
        expect(Math.min(...kept.map((point) => point[key]))).toBe(Math.min(...list.map((point) => point[key])))
      }
    }),
  )
})

test('few points stay as they are', () => {
  const list = [{ a: 1 }, { a: 2 }]
  expect(thinned(list, 2, [(point) => point.a])).toBe(list)
})

test('a measure without a value decides nothing', () => {
  const list = Array.from({ length: 50 }, (_, index) => ({ a: index === 7 ? 3 : Number.NaN }))
  expect(thinned(list, 5, [(point) => point.a])).toEqual([{ a: 3 }, { a: Number.NaN }])
})
