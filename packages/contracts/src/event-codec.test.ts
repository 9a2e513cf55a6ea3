import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentTypes, type Prediction } from './event.ts'
import { BadEvent, decodeEvents, encodeEventAvro, encodeEventJson } from './event-codec.ts'
import { registryOf } from './schema-registry.ts'
import { encodeWire } from './wire.ts'

const flight: Prediction = {
  id: 'p-1',
  environment: 'production',
  tenant: 'acme',
  deployment: 'flight-delay',
  generation: 3,
  version: 'flight-delay@v2',
  variant: 'candidate',
  unit: 'passenger-7',
  eventTimeMs: 1_700_000_000_000,
  features: { distance: 1_846, origin: 'ORD', hour: null },
  prediction: 'late',
  score: 0.81,
  latencyMs: 4.5,
  status: 'ok',
  segments: { airport: 'ORD' },
  producer: 'midwest',
}

const numbers = fc.double({ noNaN: true, noDefaultInfinity: true })
const predictions = fc.record(
  {
    ...Object.fromEntries(Object.entries(flight).map(([name, value]) => [name, fc.constant(value)])),
    id: fc.string({ unit: 'grapheme' }),
    features: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof(numbers, fc.string(), fc.constant(null)), {
      noNullPrototype: true,
    }),
    score: fc.option(numbers),
    prediction: fc.option(fc.string()),
  },
  { noNullPrototype: true },
) as unknown as fc.Arbitrary<Prediction>

test('an event is the same after Avro and after JSON, alone and in a message of several', () => {
  fc.assert(
    fc.property(fc.array(predictions, { minLength: 1, maxLength: 4 }), (events) => {
      // JSON has no −0.
      const plain = events.map((event) => JSON.parse(JSON.stringify(event)))
      expect(decodeEvents('prediction', contentTypes.json, encodeEventJson(events))).toEqual(plain)
      expect(decodeEvents('prediction', contentTypes.avro, encodeEventAvro('prediction', events[0]!))).toEqual([
        events[0],
      ])
    }),
  )
})

test('fields with a default may be missing; unknown ones are ignored', () => {
  const { tenant, unit, producer, segments, score, ...needed } = flight
  const bytes = Buffer.from(JSON.stringify({ ...needed, theirs: [1, 2] }))
  expect(decodeEvents('prediction', contentTypes.json, bytes)).toEqual([
    { ...needed, tenant: 'default', unit: '', producer: '', segments: {}, score: null },
  ])
})

test('a mapping reads the fields that a team already has, of JSON and of its own Avro schema alike', () => {
  const theirs = {
    request_id: 'p-1',
    meta: { env: 'production', at: 1_700_000_000_000, gen: 3 },
    model: 'flight-delay@v2',
    arm: 'candidate',
    code: 'ok',
    input: { miles: 1_846, from: 'ORD' },
    endpoint: 'flight-delay',
  }
  const mapping = {
    id: 'request_id',
    environment: 'meta.env',
    eventTimeMs: 'meta.at',
    generation: 'meta.gen',
    version: 'model',
    variant: 'arm',
    status: 'code',
    deployment: 'endpoint',
    'features.distance': 'input.miles',
    'segments.airport': 'input.from',
  }
  const expected = [
    {
      id: 'p-1',
      environment: 'production',
      generation: 3,
      features: { distance: 1_846 },
      segments: { airport: 'ORD' },
    },
  ]
  const json = Buffer.from(JSON.stringify(theirs))
  expect(decodeEvents('prediction', contentTypes.json, json, { mapping })).toMatchObject(expected)

  const record = (name: string, fields: object) => ({
    type: 'record',
    name,
    fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
  })
  const registry = registryOf([
    {
      id: 77,
      subject: 'acme-value',
      version: 1,
      json: record('Acme', {
        request_id: 'string',
        meta: record('Meta', { env: 'string', at: 'long', gen: 'int' }),
        model: 'string',
        arm: { type: 'enum', name: 'Arm', symbols: ['stable', 'candidate'] },
        code: 'string',
        input: record('Input', { miles: 'float', from: 'string' }),
        endpoint: 'string',
      }),
    },
  ])
  const avro = encodeWire(registry.byId(77), theirs)
  expect(decodeEvents('prediction', contentTypes.avro, avro, { registry, mapping })).toMatchObject(expected)
})

const asJson = (change: object): Uint8Array => Buffer.from(JSON.stringify({ ...flight, ...change }))
const avro = encodeEventAvro('prediction', flight)
const unknownId = Uint8Array.from(avro).fill(9, 1, 5)

test.each<[string, string, string, Uint8Array, string]>([
  ['cut bytes', 'malformed', contentTypes.avro, avro.slice(0, 40), 'there should be'],
  ['no magic byte', 'malformed', contentTypes.avro, avro.with(0, 7), 'begins with 0'],
  ['an unknown schema', 'unknown-schema', contentTypes.avro, unknownId, 'schema id 151587081'],
  ['a key twice', 'malformed', contentTypes.json, Buffer.from('{"id":"a","id":"b"}'), 'stands twice'],
  ['ten megabytes', 'oversized', contentTypes.json, new Uint8Array(10_000_000), '10000000 bytes'],
  [
    'a number in quotes',
    'wrong-type',
    contentTypes.json,
    asJson({ score: '0.8' }),
    'score should be one of null, double',
  ],
  ['a nested feature', 'wrong-type', contentTypes.json, asJson({ features: { a: { b: 1 } } }), 'features.a'],
  [
    'half a generation',
    'wrong-type',
    contentTypes.json,
    asJson({ generation: 1.5 }),
    'generation should be a whole number',
  ],
  ['a status of no meaning', 'wrong-type', contentTypes.json, asJson({ status: 'fine' }), 'status should be one of ok'],
  [
    'a missing field',
    'wrong-type',
    contentTypes.json,
    asJson({ version: undefined }),
    'version should be text and is missing',
  ],
  ['a list', 'wrong-type', contentTypes.json, Buffer.from('[]'), 'should be an object'],
  ['another content type', 'malformed', 'text/csv', Buffer.from('a,b'), 'content type "text/csv"'],
])('%s is a bad event of reason %s', (_what, reason, contentType, bytes, detail) => {
  try {
    decodeEvents('prediction', contentType, bytes)
    expect.unreachable('it was taken')
  } catch (error) {
    expect(error).toBeInstanceOf(BadEvent)
    expect(error).toMatchObject({ reason, message: expect.stringContaining(detail) })
  }
})

test('a bad record names its row in a message of several', () => {
  const bytes = Buffer.from(JSON.stringify({ records: [flight, { ...flight, score: 'x' }] }))
  expect(() => decodeEvents('prediction', contentTypes.json, bytes)).toThrow(expect.objectContaining({ row: 1 }))
})

test('NaN and infinities travel in Avro as themselves, for the profiler to count as invalid', () => {
  const odd = { ...flight, features: { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: -0 } }
  expect(decodeEvents('prediction', contentTypes.avro, encodeEventAvro('prediction', odd))).toEqual([odd])
})

test('no damaged Avro event ends in anything but a BadEvent', () => {
  fc.assert(
    fc.property(fc.nat(avro.length - 1), fc.nat(255), (at, byte) => {
      const damaged = Uint8Array.from(avro)
      damaged[at] = byte
      try {
        decodeEvents('prediction', contentTypes.avro, damaged)
      } catch (error) {
        expect(error).toBeInstanceOf(BadEvent)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('what is not an event cannot be encoded', () => {
  expect(() => encodeEventAvro('prediction', { ...flight, planted: 1 } as never)).toThrow('planted')
})
