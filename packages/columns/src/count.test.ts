import {
  type CountSpec,
  contentTypes,
  encodeEventAvro,
  encodeEventJson,
  layoutOf,
  momentSplit,
  type Prediction,
  predictionStatuses,
  specialAt,
} from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { counterOf } from './count.ts'
import { anyPrediction, arrowOf, decoded, type Message, prediction, sampleSpec, sampleWanted } from './sample-events.ts'
import { type SliceVector, Tally } from './tally.ts'
import { specProblem } from './wanted.ts'

const layout = layoutOf(sampleSpec)
const counter = counterOf(sampleSpec, sampleWanted)

const avro = (events: readonly Prediction[]): Message[] =>
  events.map((event) => ({
    value: encodeEventAvro('prediction', event),
    headers: { 'content-type': contentTypes.avro },
  }))

/** Counts of the messages as text by slice, in one cell. */
function counted(messages: readonly Message[]): SliceVector[] {
  const { columns } = decoded(messages)
  const tally = new Tally<'all'>(counter)
  for (let row = 0; row < columns.rows; row++) tally.add(columns, row, 'all')
  return tally.count(columns).get('all') ?? []
}

function total(slices: readonly SliceVector[], dimension = 'producer'): number[] {
  const sum = new Float64Array(layout.width)
  for (const slice of slices)
    if (slice.dimension === dimension)
      slice.vector.forEach((count, index) => {
        sum[index]! += count
      })
  return [...sum]
}

/** Counts one event by the words of docs/statistics.md, as slowly as can be. */
function slowly(spec: CountSpec, event: Prediction): number[] {
  const vector = new Array<number>(layout.width).fill(0)
  vector[layout.rows] = 1
  vector[layout.status + predictionStatuses.indexOf(event.status)] = 1
  const numeric = (place: (typeof layout)['score'], edges: readonly number[], value: unknown): number => {
    if (value === null || value === undefined) return specialAt(place, 'missing')
    if (typeof value !== 'number' || !Number.isFinite(value)) return specialAt(place, 'invalid')
    if (value < edges[0]!) return specialAt(place, 'below')
    if (value > edges[edges.length - 1]!) return specialAt(place, 'above')
    for (let bin = edges.length - 2; bin >= 0; bin--) if (value >= edges[bin]!) return place.at + bin
    throw new Error('no bin')
  }
  const word = (
    place: (typeof layout)['score'],
    words: readonly string[],
    pooled: readonly string[],
    value: unknown,
  ): number => {
    if (value === null || value === undefined) return specialAt(place, 'missing')
    if (typeof value !== 'string') return specialAt(place, 'invalid')
    const bin = words.indexOf(pooled.includes(value) ? '__other__' : value)
    return bin < 0 ? specialAt(place, 'unseen') : place.at + bin
  }
  vector[numeric(layout.latency, spec.latencyEdgesMs, event.latencyMs)]! += 1
  vector[numeric(layout.score, spec.scoreEdges, event.score)]! += 1
  vector[word(layout.prediction, spec.classes, [], event.prediction)]! += 1
  spec.features.forEach((feature, index) => {
    const place = layout.features[index]!
    const value = event.features[feature.name]
    if (feature.kind === 'categorical') {
      vector[word(place, feature.vocabulary, feature.pooled ?? [], value)]! += 1
      return
    }
    const at = numeric(place, feature.edges, value)
    vector[at]! += 1
    if (at >= place.at + place.bins) return
    const moments = layout.moments.find(({ name }) => name === feature.name)!
    const step = Math.round(((value as number) - feature.edges[0]!) / feature.scale)
    vector[moments.s1]! += step
    vector[moments.s2High]! += Number((BigInt(step) * BigInt(step)) / BigInt(momentSplit))
    vector[moments.s2Low]! += Number((BigInt(step) * BigInt(step)) % BigInt(momentSplit))
  })
  return vector
}

const anyEvents = fc.array(anyPrediction, { maxLength: 20 })

test('counts are what counting one event after the other by hand gives', () => {
  fc.assert(
    fc.property(fc.array(anyPrediction, { minLength: 1, maxLength: 20 }), (events) => {
      const expected = events
        .map((event) => slowly(sampleSpec, event))
        .reduce((sum, vector) => sum.map((count, index) => count + vector[index]!))
      expect(total(counted(avro(events)))).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})

test('the slices of every dimension sum to the same whole, and each row is in one of them', () => {
  fc.assert(
    fc.property(anyEvents, (events) => {
      const slices = counted(avro(events))
      const whole = total(slices)
      expect(whole[layout.rows]).toBe(events.length)
      for (const dimension of ['segment:airport', 'segment:size']) expect(total(slices, dimension)).toEqual(whole)
      const airports = events.map(({ segments: { airport } }) =>
        airport === 'ATL' || airport === 'ORD' ? airport : 'other',
      )
      for (const { vector, value } of slices.filter(({ dimension }) => dimension === 'segment:airport'))
        expect(vector[layout.rows]).toBe(airports.filter((airport) => airport === value).length)
    }),
    { numRuns: 100 },
  )
})

test('any order of the rows and any split into batches gives the same counts', () => {
  fc.assert(
    fc.property(
      anyEvents.chain((events) =>
        fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length }), fc.nat(20)),
      ),
      ([events, shuffled, at]) => {
        const first = total(counted(avro(shuffled.slice(0, at))))
        const second = total(counted(avro(shuffled.slice(at))))
        expect(first.map((count, index) => count + second[index]!)).toEqual(total(counted(avro(events))))
      },
    ),
    { numRuns: 100 },
  )
})

test('Avro, JSON and Arrow give the same counts for the same events', () => {
  fc.assert(
    fc.property(fc.array(anyPrediction, { minLength: 1, maxLength: 10 }), (events) => {
      const expected = counted(avro(events))
      expect(counted([{ value: encodeEventJson(events), headers: {} }])).toEqual(expected)
      expect(counted([{ value: arrowOf(events), headers: {} }])).toEqual(expected)
    }),
    { numRuns: 60 },
  )
})

test('NaN and infinities are invalid, −0 is zero, and what is no measurement enters no moment', () => {
  const place = layout.features[0]!
  const moments = layout.moments[0]!
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 2_001, -5e-324, 1e308, null]
  const whole = total(counted(avro(odd.map((distance) => prediction({ features: { distance } })))))
  expect(whole[specialAt(place, 'invalid')]).toBe(3)
  expect(whole[specialAt(place, 'above')]).toBe(2)
  expect(whole[specialAt(place, 'below')]).toBe(1)
  expect(whole[specialAt(place, 'missing')]).toBe(1)
  expect(whole[place.at]).toBe(1)
  expect([whole[moments.s1], whole[moments.s2High], whole[moments.s2Low]]).toEqual([0, 0, 0])
})

test('an error without an answer counts its features, and its score and prediction as missing', () => {
  const failed = prediction({ status: 'error', score: null, prediction: null, latencyMs: null })
  const whole = total(counted(avro([failed])))
  expect(whole[layout.status + predictionStatuses.indexOf('error')]).toBe(1)
  expect(whole[specialAt(layout.score, 'missing')]).toBe(1)
  expect(whole[specialAt(layout.prediction, 'missing')]).toBe(1)
  expect(whole[layout.features[0]!.at + 1]).toBe(1)
})

test('thousands of new categories, segments and producers cost no memory and are one bin, and one slice', () => {
  const events = Array.from({ length: 2_000 }, (_, index) =>
    prediction({ features: { origin: `X${index}` }, segments: { airport: `X${index}` }, producer: `p${index}` }),
  )
  const slices = counted(avro(events))
  expect(slices.map(({ dimension, value }) => `${dimension}=${value}`)).toEqual([
    'producer=other',
    'segment:airport=other',
    'segment:size=other',
  ])
  expect(total(slices)[specialAt(layout.features[2]!, 'unseen')]).toBe(2_000)
})

test('second moments are exact where a double would have lost them', () => {
  const spec: CountSpec = {
    ...sampleSpec,
    features: [{ kind: 'numeric', name: 'distance', edges: [0, 2 ** 20 - 1], scale: 1 }],
  }
  const exact = counterOf(spec, sampleWanted)
  const { columns } = decoded(avro(Array(2_000).fill(prediction({ features: { distance: 2 ** 20 - 1 } }))))
  const tally = new Tally<'all'>(exact)
  for (let row = 0; row < columns.rows; row++) tally.add(columns, row, 'all')
  const [slice] = tally.count(columns).get('all')!
  const { s2High, s2Low } = exact.layout.moments[0]!
  const s2 = BigInt(slice!.vector[s2High]!) * BigInt(momentSplit) + BigInt(slice!.vector[s2Low]!)
  expect(s2).toBe(2_000n * (2n ** 20n - 1n) ** 2n)
})

test('a spec that cannot be counted is refused with what is wrong with it', () => {
  const numeric = (edges: number[], scale = 1): CountSpec => ({
    ...sampleSpec,
    features: [{ kind: 'numeric', name: 'distance', edges, scale }],
  })
  const bad: readonly (readonly [CountSpec, RegExp])[] = [
    [numeric([0]), /1 edges/],
    [numeric([0, 0]), /does not lie above/],
    [numeric([0, Number.NaN]), /not a finite number/],
    [numeric([0, 1], 0), /scale is 0/],
    [numeric([0, 2 ** 20]), /below 2\^20/],
    [{ ...sampleSpec, classes: ['a', 'a'] }, /listed twice/],
    [{ ...sampleSpec, scoreEdges: [1, 0] }, /score: edge 1/],
    [{ ...sampleSpec, features: [{ kind: 'categorical', name: 'o', vocabulary: ['a'], pooled: ['b'] }] }, /__other__/],
    [
      { ...sampleSpec, features: [...sampleSpec.features, ...sampleSpec.features] },
      /features: a value is listed twice/,
    ],
  ]
  expect(specProblem(sampleSpec)).toBeNull()
  for (const [spec, problem] of bad) {
    expect(specProblem(spec)).toMatch(problem)
    expect(() => counterOf(spec, sampleWanted)).toThrow(RangeError)
  }
})
