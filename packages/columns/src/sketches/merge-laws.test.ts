import { addPacked, contentTypes, encodeEventAvro, type Prediction, packCounts } from '@interlock/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { counterOf } from '../count.ts'
import { momentsOf } from '../moments.ts'
import { decoded, prediction, sampleSpec, sampleWanted } from '../sample-events.ts'
import { Tally } from '../tally.ts'
import { HyperLogLog } from './hyper-log-log.ts'
import { IdSample, mergeSamples } from './id-sample.ts'
import { keyOf } from './murmur3.ts'
import { QuantileSketch } from './quantile-sketch.ts'

/** Something that many rows are summed up in, as bytes. */
interface Summary<Item> {
  readonly items: fc.Arbitrary<Item[]>
  of(items: readonly Item[]): Uint8Array
  merged(parts: readonly Uint8Array[]): Uint8Array
  /** Whether the same rows again change nothing. */
  readonly isIdempotent: boolean
}

const encoder = new TextEncoder()
const ids = fc.array(
  fc.integer({ min: 0, max: 2_000 }).map((id) => keyOf(encoder.encode(`id-${id}`))),
  { size: 'max', maxLength: 1_500 },
)
const values = fc.array(
  fc.oneof(fc.double(), fc.double({ min: 1e-3, max: 1e3 }), fc.constantFrom(0, -0, -1, Number.NaN, 5e-324)),
  { maxLength: 200 },
)
const width = 40

const idSample: Summary<number> = {
  items: ids,
  of: (keys) => {
    const sample = new IdSample()
    for (const key of keys) sample.add(key)
    return sample.pack()
  },
  merged: mergeSamples,
  isIdempotent: false,
}

const hyperLogLog: Summary<number> = {
  items: ids,
  of: (keys) => {
    const log = new HyperLogLog()
    for (const key of keys) log.add(key)
    return log.pack()
  },
  merged: (parts) => {
    const log = new HyperLogLog()
    for (const part of parts) log.addPacked(part)
    return log.pack()
  },
  isIdempotent: true,
}

const quantileSketch: Summary<number> = {
  items: values,
  of: (list) => {
    const sketch = new QuantileSketch()
    for (const value of list) sketch.add(value)
    return sketch.pack()
  },
  merged: (parts) => {
    const sketch = new QuantileSketch()
    for (const part of parts) sketch.addPacked(part)
    return sketch.pack()
  },
  isIdempotent: false,
}

const counts: Summary<number> = {
  items: fc.array(fc.integer({ min: 0, max: width - 1 }), { maxLength: 200 }),
  of: (places) => {
    const vector = new Float64Array(width)
    for (const place of places) vector[place]!++
    return packCounts(vector)
  },
  merged: (parts) => {
    const vector = new Float64Array(width)
    for (const part of parts) addPacked(part, vector)
    return packCounts(vector)
  },
  isIdempotent: false,
}

/** Whole rows through the counting kernel, fixed-point moments included. */
const counter = counterOf(sampleSpec, sampleWanted)
const countedRows: Summary<Prediction> = {
  items: fc.array(
    fc
      .double({ min: -10, max: 2_100, noNaN: true })
      .map((distance) => prediction({ features: { distance, rate: Math.abs(distance) / 2_200, origin: 'ATL' } })),
    { maxLength: 60 },
  ),
  of: (rows) => packCounts(vectorOf(rows)),
  merged: (parts) => {
    const vector = new Float64Array(counter.layout.width)
    for (const part of parts) addPacked(part, vector)
    return packCounts(vector)
  },
  isIdempotent: false,
}

function vectorOf(rows: readonly Prediction[]): Float64Array {
  const sum = new Float64Array(counter.layout.width)
  if (rows.length === 0) return sum
  const headers = { 'content-type': contentTypes.avro }
  const { columns } = decoded(rows.map((row) => ({ value: encodeEventAvro('prediction', row), headers })))
  const tally = new Tally<'all'>(counter)
  for (let row = 0; row < columns.rows; row++) tally.add(columns, row, 'all')
  for (const { dimension, vector } of tally.count(columns).get('all') ?? []) {
    if (dimension === 'producer') for (const [index, count] of vector.entries()) sum[index]! += count
  }
  return sum
}

function laws<Item>(name: string, { items, of, merged, isIdempotent }: Summary<Item>): void {
  describe(name, () => {
    test('any split of the rows, merged in any order and any nesting, has the bytes of the whole', () => {
      fc.assert(
        fc.property(items, fc.array(fc.nat(4), { minLength: 1, maxLength: 50 }), fc.nat(), (rows, split, turn) => {
          const parts = [0, 1, 2, 3, 4].map((part) =>
            of(rows.filter((_, index) => split[index % split.length] === part)),
          )
          const whole = of(rows)
          const turned = [...parts.slice(turn % 5), ...parts.slice(0, turn % 5)]
          expect(merged(parts)).toEqual(whole)
          expect(merged(turned.toReversed())).toEqual(whole)
          const [a, b, c, d, e] = turned as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
          expect(merged([merged([a, merged([b, c])]), merged([d, e])])).toEqual(whole)
        }),
        { numRuns: 60 },
      )
    })

    test('the order of the rows does not show', () => {
      fc.assert(
        fc.property(items, (rows) => {
          expect(of(rows.toReversed())).toEqual(of(rows))
        }),
        { numRuns: 60 },
      )
    })

    test('nothing merged with a summary is that summary', () => {
      fc.assert(
        fc.property(items, (rows) => {
          const whole = of(rows)
          expect(merged([of([]), whole])).toEqual(whole)
          expect(merged([whole])).toEqual(whole)
        }),
        { numRuns: 60 },
      )
    })

    test(isIdempotent ? 'merged with itself it stays the same' : 'merged with itself it holds every row twice', () => {
      fc.assert(
        fc.property(items, (rows) => {
          const whole = of(rows)
          expect(merged([whole, whole])).toEqual(isIdempotent ? whole : of([...rows, ...rows]))
        }),
        { numRuns: 60 },
      )
    })
  })
}

laws('a sample of ids', idSample)
laws('registers of distinct ids', hyperLogLog)
laws('a quantile sketch', quantileSketch)
laws('packed counts', counts)
laws('counted rows with their moments', countedRows)

test('moments of merged counts are those of the rows, to the last bit', () => {
  fc.assert(
    fc.property(countedRows.items, fc.nat(60), (rows, cut) => {
      const vector = new Float64Array(counter.layout.width)
      for (const part of [rows.slice(0, cut), rows.slice(cut)]) addPacked(packCounts(vectorOf(part)), vector)
      expect(momentsOf(vector, sampleSpec, 'distance')).toEqual(momentsOf(vectorOf(rows), sampleSpec, 'distance'))
    }),
    { numRuns: 60 },
  )
})

test('what a sketch or counts took in can be taken out again', () => {
  fc.assert(
    fc.property(values, values, (stay, leave) => {
      const sketch = new QuantileSketch()
      for (const value of [...stay, ...leave]) sketch.add(value)
      sketch.addPacked(quantileSketch.of(leave), -1)
      expect(sketch.pack()).toEqual(quantileSketch.of(stay))
    }),
  )
})
