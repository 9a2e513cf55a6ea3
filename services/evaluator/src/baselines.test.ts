import { addPacked, type CountSpec, contentHash, layoutOf, packCounts } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { readBaseline } from './baselines.ts'
import { sliceKey } from './panes.ts'
import { baselineOf, layout, rowsOf, seeded, spec, specHash, v2 } from './testing/flights.ts'

const rows = rowsOf(seeded(3), 2, 100)
const document = baselineOf(v2, rows)
const own = readBaseline(document, spec, specHash)

/** The same counts under a spec of other edges, as another version's baseline would have them. */
function under(other: CountSpec) {
  const slices = document.slices.map(({ dimension, value, counts }) => {
    const read = new Float64Array(layout.width)
    addPacked(Buffer.from(counts, 'base64'), read)
    const wide = layoutOf(other)
    const vector = new Float64Array(wide.width)
    const [distance, origin] = wide.features
    vector[wide.rows] = read[layout.rows]!
    vector.set(read.subarray(layout.features[0]!.at, layout.features[1]!.at), distance!.at)
    vector.set(read.subarray(layout.features[1]!.at, layout.features[1]!.at + 5), origin!.at)
    return { dimension, value, counts: Buffer.from(packCounts(vector)).toString('base64') }
  })
  return { ...document, slices, spec: other, specHash: contentHash(other) }
}

test('the whole is the sum over producers, and the sum over each segment', () => {
  expect(own.whole[layout.rows]).toBe(rows.length)
  const airports = ['ATL', 'ORD'].map((airport) => own.slices.get(sliceKey('segment:airport', airport))!)
  expect(airports[0]!.map((count, index) => count + airports[1]![index]!)).toEqual(own.whole)
})

test('a baseline of another spec shows what both define alike, in the places of the spec in force', () => {
  const read = readBaseline(under({ ...spec, latencyEdgesMs: [0, 7, 9, 11] }), spec, specHash)
  const { at, bins } = layout.features[0]!
  expect([...read.whole.subarray(at, at + bins)]).toEqual([...own.whole.subarray(at, at + bins)])
  expect(read.whole[layout.rows]).toBe(rows.length)
  expect(['distribution(distance)', 'missing(origin)', 'errors', 'volume'].map(read.shows)).toEqual([
    true,
    true,
    true,
    true,
  ])
  expect(['latency-over(p90)', 'distribution(latency)'].map(read.shows)).toEqual([false, false])
})

test('a feature with other edges, or an answer with other classes, is not shown', () => {
  const [distance, origin] = spec.features as [never, never]
  const read = readBaseline(
    under({ ...spec, features: [{ ...(distance as object), scale: 2 } as never, origin], classes: ['late'] }),
    spec,
    specHash,
  )
  expect(['distribution(distance)', 'predictions', 'unseen(origin)'].map(read.shows)).toEqual([false, false, true])
})

test('a slice that the spec in force does not know counts as other', () => {
  const read = readBaseline(document, { ...spec, producers: ['east'] }, specHash)
  expect([...read.slices.keys()].filter((key) => key.startsWith('producer'))).toEqual([
    sliceKey('producer', 'east'),
    sliceKey('producer', 'other'),
  ])
})
