import { Columns, tags, topicReader, wantedOf } from '@interlock/columns'
import { type CountSpec, contentTypes, type Outcome, ownRegistry, type Prediction } from '@interlock/contracts'
import { DataType, tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeArrow } from './encode-arrow.ts'
import { flight } from './sample-flight.ts'

const cells = fc.oneof(fc.double(), fc.constant(null))
const predictions: fc.Arbitrary<Prediction> = fc
  .record({
    id: fc.string({ unit: 'grapheme' }),
    producer: fc.constantFrom('west', 'midwest', 'é日😀'),
    score: cells,
    prediction: fc.constantFrom('late', 'on time', null),
    distance: cells,
    origin: fc.constantFrom('ORD', 'LAX', null),
    airport: fc.option(fc.constantFrom('ORD', 'LAX'), { nil: undefined }),
  })
  .map(({ distance, origin, airport, ...rest }) => ({
    ...flight,
    ...rest,
    features: { distance, origin },
    segments: airport === undefined ? {} : { airport },
  }))

/** The table as another reader of Arrow has it, a plain row each. */
function rowsOf(bytes: Uint8Array): Record<string, unknown>[] {
  const table = tableFromIPC(bytes)
  return Array.from({ length: table.numRows }, (_, row) =>
    Object.fromEntries(table.schema.fields.map(({ name }, column) => [name, table.getChildAt(column)!.get(row)])),
  )
}

test('each field is a column, and each cell what the event had', () => {
  fc.assert(
    fc.property(fc.array(predictions, { minLength: 1, maxLength: 20 }), (events) => {
      const rows = rowsOf(encodeArrow(events))
      expect(rows).toHaveLength(events.length)
      for (const [index, { features, segments, ...flat }] of events.entries()) {
        const {
          'features.distance': distance,
          'features.origin': origin,
          'segments.airport': airport,
          ...rest
        } = rows[index]!
        expect(rest).toEqual(flat)
        expect({ distance, origin: origin ?? null }).toEqual(features)
        expect(airport ?? null).toBe(segments.airport ?? null)
      }
    }),
  )
})

test('the types are those that schemas/README.md names', () => {
  const { schema } = tableFromIPC(encodeArrow([flight]))
  const types = Object.fromEntries(schema.fields.map(({ name, type }) => [name, String(type)]))
  const code = 'Dictionary<Int32, Utf8>'
  expect(types).toEqual({
    ...{
      id: 'Utf8',
      unit: 'Utf8',
      generation: 'Float64',
      eventTimeMs: 'Float64',
      score: 'Float64',
      latencyMs: 'Float64',
    },
    ...{
      environment: code,
      tenant: code,
      deployment: code,
      version: code,
      variant: code,
      status: code,
      producer: code,
    },
    ...{ prediction: code, 'features.distance': 'Float64', 'features.hour': 'Float64', 'features.origin': code },
    'segments.airport': code,
  })
})

test('a message is one batch, and equal events give equal bytes', () => {
  const events = Array.from({ length: 3_000 }, (_, index) => ({ ...flight, id: `p-${index}` }))
  const bytes = encodeArrow(events)
  expect(tableFromIPC(bytes).batches).toHaveLength(1)
  expect(Buffer.from(encodeArrow(events)).equals(bytes)).toBe(true)
})

test('a feature that is text in one row and a number in another becomes text, for the reader to count as invalid', () => {
  const rows = rowsOf(encodeArrow([flight, { ...flight, features: { distance: 'far' } }]))
  expect(rows.map((row) => row['features.distance'])).toEqual(['1846', 'far'])
})

test('a name that no row has gets no column; one that some rows lack is null there', () => {
  const rows = rowsOf(
    encodeArrow([
      { ...flight, features: { a: 1 } },
      { ...flight, features: { b: 2 } },
    ]),
  )
  expect(rows).toMatchObject([
    { 'features.a': 1, 'features.b': null },
    { 'features.a': null, 'features.b': 2 },
  ])
  expect(Object.keys(rows[0]!).filter((name) => name.startsWith('features.'))).toEqual(['features.a', 'features.b'])
})

test('outcomes have the same layout', () => {
  const outcome: Outcome = {
    predictionId: 'p-1',
    environment: 'production',
    tenant: 'default',
    deployment: 'flight-delay',
    eventTimeMs: 1,
    label: null,
    value: 12.5,
    revision: 1,
    source: 'airline',
  }
  const bytes = encodeArrow<'outcome'>([outcome], 'outcome')
  expect(rowsOf(bytes)).toEqual([outcome])
  const revision = tableFromIPC(bytes).schema.fields.find(({ name }) => name === 'revision')
  expect(DataType.isFloat(revision!.type)).toBe(true)
})

test('the profiler’s columns read each cell as the event had it', () => {
  const spec: CountSpec = {
    v: 1,
    features: [
      { kind: 'numeric', name: 'distance', edges: [0, 1], scale: 1 },
      { kind: 'categorical', name: 'origin', vocabulary: ['ORD', 'LAX'] },
    ],
    latencyEdgesMs: [0, 1],
    scoreEdges: [0, 1],
    classes: ['late', 'on time'],
    segments: [{ name: 'airport', values: ['ORD', 'LAX'] }],
    producers: ['west', 'midwest', 'é日😀'],
  }
  const { environment, tenant, deployment, version } = flight
  const wanted = wantedOf({
    ...{
      environments: [environment],
      tenants: [tenant],
      deployments: [deployment],
      versions: [version],
      specs: [spec],
    },
  })
  const headers = { 'content-type': contentTypes.arrow }
  fc.assert(
    fc.property(fc.array(predictions, { minLength: 1, maxLength: 20 }), (events) => {
      const columns = new Columns(wanted, 1)
      const reader = topicReader('predictions', {}, ownRegistry, columns)
      expect(reader.read({ value: encodeArrow(events), headers }, columns, 0)).toBe(events.length)
      expect(columns.faults).toEqual([])
      for (const [row, event] of events.entries()) {
        for (const { name, tags: kinds, numbers, codes, table } of columns.all) {
          const [field, inner] = name.split('.') as ['features' | 'segments', string?]
          const value = (inner === undefined ? event[name as 'score'] : event[field][inner]) ?? null
          const read: Record<number, unknown> = {
            [tags.number]: numbers[row],
            [tags.word]: table.words[codes[row]!],
            [tags.missing]: null,
          }
          expect(read[kinds[row]!], name).toBe(value)
        }
      }
    }),
  )
})
