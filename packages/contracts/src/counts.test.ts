import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addPacked, type CountSpec, layoutOf, packCounts } from './counts.ts'

const counts = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 2 ** 40 })), {
  maxLength: 200,
})

test('packed counts unpack to themselves, add and subtract place by place', () => {
  fc.assert(
    fc.property(counts, (list) => {
      const into = new Float64Array(list.length)
      addPacked(packCounts(list), into)
      addPacked(packCounts(list), into)
      expect([...into]).toEqual(list.map((count) => count * 2))
      addPacked(packCounts(list), into, -1)
      expect([...into]).toEqual(list)
    }),
  )
})

test('damaged or misplaced counts are refused, never added somewhere', () => {
  expect(() => addPacked(packCounts([0, 0, 1]), new Float64Array(2))).toThrow('place 2 of 2')
  expect(() => addPacked(Uint8Array.of(0, 0x80), new Float64Array(1))).toThrow('in the middle')
  expect(() => addPacked(packCounts([5]), new Float64Array(1), -1)).toThrow('leaves the range')
  expect(() => packCounts([0.5])).toThrow('whole numbers')
})

test('the places of a layout follow each other and fill its width', () => {
  const spec: CountSpec = {
    v: 1,
    features: [
      { kind: 'numeric', name: 'distance', edges: [0, 1, 2, 3], scale: 1 },
      { kind: 'categorical', name: 'origin', vocabulary: ['ORD', 'LAX'] },
    ],
    latencyEdgesMs: [0, 10, 100],
    scoreEdges: [0, 0.5, 1],
    classes: ['late', 'on time'],
    segments: [],
    producers: [],
  }
  const { width, rows, status, latency, score, prediction, features, moments, sampled } = layoutOf(spec)
  const places = [latency, score, prediction, ...features]
  const cells = [
    [rows, 1],
    [status, 4],
    ...places.map(({ at, bins, specials }) => [at, bins + specials.length]),
    ...moments.flatMap(({ s1, s2High, s2Low }) => [s1, s2High, s2Low].map((at) => [at, 1])),
    [sampled.rows, 1],
    [sampled.repeated, 1],
  ] as [number, number][]
  let next = 0
  for (const [at, length] of cells.sort(([a], [b]) => a - b)) {
    expect(at).toBe(next)
    next += length
  }
  expect(width).toBe(next)
})
