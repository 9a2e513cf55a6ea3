import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BinLookup } from './bin-lookup.ts'

/** The definition itself: the last bin whose lower edge is not above the value. */
function oracle(edges: readonly number[], value: number): number {
  const bins = edges.length - 1
  if (value < edges[0]!) return bins
  if (value > edges[bins]!) return bins + 1
  for (let bin = bins - 1; bin >= 0; bin--) if (value >= edges[bin]!) return bin
  throw new Error('no bin')
}

const anyEdges = fc
  .oneof(
    fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 2, maxLength: 40 }),
    fc.uniqueArray(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 40 }),
  )
  .map((values) => [...new Set(values.map((value) => value + 0))].sort((a, b) => a - b))
  .filter((edges) => edges.length >= 2)

test('every value is in the bin that the definition says, at, beside and far from every edge', () => {
  fc.assert(
    fc.property(anyEdges, fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), (edges, others) => {
      const lookup = new BinLookup(edges)
      const beside = edges.flatMap((edge) => [
        edge,
        edge * (1 + 2 ** -52),
        edge * (1 - 2 ** -52),
        edge + 5e-324,
        edge - 5e-324,
      ])
      const values = [...beside, ...others, 0, -0, 5e-324, -5e-324, 1e308, -1e308].filter(Number.isFinite)
      for (const value of values) expect([value, lookup.of(value)]).toEqual([value, oracle(edges, value)])
    }),
    { numRuns: 500 },
  )
})

test('the last bin is closed and all others are open above', () => {
  const lookup = new BinLookup([0, 1, 2])
  expect([0, 1, 2].map((value) => lookup.of(value))).toEqual([0, 1, 1])
  expect(lookup.of(2 + 2 ** -50)).toBe(lookup.above)
  expect(lookup.of(-5e-324)).toBe(lookup.below)
  expect(lookup.of(-0)).toBe(0)
})

test('edges at the ends of what a double can hold make no wrong bin', () => {
  const edges = [-1.7e308, -5e-324, 0, 5e-324, 1.7e308]
  const lookup = new BinLookup(edges)
  for (const value of [...edges, 1, -1]) expect(lookup.of(value)).toBe(oracle(edges, value))
})
