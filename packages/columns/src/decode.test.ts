import { contentTypes, encodeEventAvro, encodeEventJson, type Prediction } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bounds } from './bounds.ts'
import { anyPrediction, arrowOf, cellsOf, decoded, expectedCells, type Message, prediction } from './sample-events.ts'

const json = (value: unknown): Message => ({
  value: new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)),
  headers: { 'content-type': 'application/json; charset=utf-8' },
})
const avro = (event: Prediction): Message => ({
  value: encodeEventAvro('prediction', event),
  headers: { 'content-type': contentTypes.avro },
})
const arrow = (events: readonly Prediction[]): Message => ({
  value: arrowOf(events),
  headers: { 'content-type': contentTypes.arrow },
})
const bare = ({ value }: Message): Message => ({ value, headers: {} })
const faultsOf = (messages: readonly Message[], options?: Parameters<typeof decoded>[1]) =>
  decoded(messages, options).columns.faults.map(({ record, row, reason }) => ({ record, row, reason }))

test('the same events are the same columns in Avro, JSON and Arrow, with and without a content type', () => {
  fc.assert(
    fc.property(fc.array(anyPrediction, { minLength: 1, maxLength: 8 }), (events) => {
      const messages = [
        events.map(avro),
        events.map((event) => json(event)),
        [json({ records: events })],
        [{ value: encodeEventJson(events), headers: {} }],
        [arrow(events)],
        [bare(arrow(events))],
        events.map(avro).map(bare),
      ]
      for (const each of messages) {
        const { columns, rows } = decoded(each)
        expect(columns.faults).toEqual([])
        expect(rows.reduce((sum, count) => sum + count, 0)).toBe(events.length)
        expect(events.map((_, row) => cellsOf(columns, row))).toEqual(events.map(expectedCells))
      }
    }),
    { numRuns: 60 },
  )
})

test('NaN and infinities travel as numbers in Avro and Arrow, and are left to the counting', () => {
  const events = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((distance) =>
    prediction({ features: { distance } }),
  )
  for (const messages of [events.map(avro), [arrow(events)]]) {
    const { columns } = decoded(messages)
    expect(events.map((_, row) => cellsOf(columns, row)['features.distance'])).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ])
  }
})

test('a bad event among others costs only itself', () => {
  const { version, ...versionless } = prediction()
  const bad = [
    versionless,
    { ...prediction(), variant: 'canary' },
    { ...prediction(), eventTimeMs: 'NaN' },
    { ...prediction(), features: [1, 2] },
    7,
  ]
  const records = [prediction(), ...bad, prediction({ version: 'm@v2' })]
  const { columns, rows } = decoded([json({ records })])
  expect(rows).toEqual([records.length])
  expect([columns.rows, cellsOf(columns, 0).version, cellsOf(columns, 1).version]).toEqual([2, 'm@v1', 'm@v2'])
  expect(columns.faults.map(({ row, reason }) => [row, reason])).toEqual(
    bad.map((_, index) => [index + 1, 'wrong-type']),
  )
  expect(columns.faults.map(({ detail }) => detail)).toEqual([
    'field version is missing: a text is needed',
    'field variant is "canary": one of stable, candidate, shadow is needed',
    'field eventTimeMs is of the wrong type: a number is needed',
    'JSON: field features is no object of names and values',
    'JSON: an event is no object',
  ])
})

test('what a bad row had put into the columns is not found in the row that takes its place', () => {
  const { columns } = decoded([
    json({ ...prediction({ deployment: 'nobody-knows', score: 0.9 }), variant: 'canary' }),
    json({ ...prediction(), score: undefined, latencyMs: undefined, features: {} }),
  ])
  expect(cellsOf(columns, 0)).toEqual(expectedCells(prediction({ score: null, latencyMs: null, features: {} })))
  expect(columns.deployment.strangers?.size).toBe(0)
})

test('values of a wrong type in measured fields cost a cell and not the row', () => {
  const event = { ...prediction(), score: 'high', features: { distance: '250', rate: true, origin: 7 } }
  const { columns } = decoded([json(event)])
  expect(columns.faults).toEqual([])
  expect(cellsOf(columns, 0)).toMatchObject({
    score: '?',
    'features.distance': '?',
    'features.rate': '!',
    'features.origin': 7,
  })
})

test('hostile payloads are faults with a reason, one a record', () => {
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
  const header = Buffer.from([0, 0, 0, 0xff, 0xff])
  const hostile: readonly (readonly [string, Message | { value: null; headers: Record<string, string> }, string])[] = [
    ['nothing', { value: null, headers: {} }, 'malformed'],
    ['an empty value', { value: new Uint8Array(), headers: {} }, 'malformed'],
    ['10 MB', { value: new Uint8Array(10_000_000), headers: {} }, 'oversized'],
    ['an unknown content type', { value: Buffer.from('{}'), headers: { 'content-type': 'text/csv' } }, 'malformed'],
    ['bytes of no format', { value: Buffer.from('hello'), headers: {} }, 'malformed'],
    ['deep JSON', json(deep), 'malformed'],
    ['JSON cut off', json('{"id": "p'), 'malformed'],
    ['a JSON array', json([prediction()]), 'malformed'],
    ['a key that poisons', json('{"__proto__": {"environment": "prod"}}'), 'malformed'],
    ['a key that stands twice', json(`{"id":"a",${JSON.stringify(prediction()).slice(1)}`), 'malformed'],
    ['NaN, which is no JSON', json('{"score": NaN}'), 'malformed'],
    ['no UTF-8', { value: Buffer.from([0x7b, 0xff, 0x7d]), headers: {} }, 'malformed'],
    ['an unknown schema', { value: Buffer.concat([header, Buffer.alloc(20)]), headers: {} }, 'unknown-schema'],
    ['half a wire header', { value: Buffer.from([0, 0]), headers: {} }, 'malformed'],
    ['Arrow cut off', bare({ ...arrow([prediction()]), value: arrowOf([prediction()]).subarray(0, 300) }), 'malformed'],
    ['no Arrow', { value: Buffer.from([0xff, 0xff, 0xff, 0xff, 9, 9, 9]), headers: {} }, 'malformed'],
    ['too many events', json({ records: new Array(bounds.rows + 1).fill(0) }), 'oversized'],
  ]
  for (const [what, message, reason] of hostile) {
    const { columns, rows } = decoded([message as Message, avro(prediction())])
    expect([what, columns.faults.map((fault) => fault.reason)]).toEqual([what, [reason]])
    expect([what, rows, columns.rows]).toEqual([what, [1, 1], 1])
    expect(columns.faults[0]!.detail.length).toBeLessThanOrEqual(bounds.detail)
  }
  expect(({} as Record<string, unknown>).environment).toBeUndefined()
})

test('an Arrow stream altered at any byte is rows or a fault, never an exception', () => {
  const bytes = arrowOf([prediction(), prediction({ features: { distance: null } })])
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const altered = Uint8Array.from(bytes)
      altered[at]! ^= by
      const { columns, rows } = decoded([{ value: altered, headers: { 'content-type': contentTypes.arrow } }])
      expect(rows[0]).toBe(columns.rows + columns.faults.length)
    }),
    { numRuns: 1_500 },
  )
})

test('a mapping names nested fields, the holder of all features, and single ones', () => {
  const theirs = {
    env: 'prod',
    model: { name: 'flight-delay', rev: 'm@v2' },
    round: 1,
    role: 'candidate',
    ts: 1_700_000_000_000,
    outcome: 'ok',
    inputs: { rate: 0.5, 'a.b': 1 },
    km: 402,
    'features.origin': 'ATL',
  }
  const { columns } = decoded([json(theirs)], {
    mapping: {
      environment: 'env',
      deployment: 'model.name',
      version: 'model.rev',
      generation: 'round',
      variant: 'role',
      eventTimeMs: 'ts',
      status: 'outcome',
      features: 'inputs',
      'features.distance': 'km',
      'features.origin': 'features.origin',
    },
  })
  expect(columns.faults).toEqual([])
  expect(cellsOf(columns, 0)).toMatchObject({
    deployment: 'flight-delay',
    version: 'm@v2',
    'features.rate': 0.5,
    'features.distance': 402,
    'features.origin': 'ATL',
  })
})

test('one field may be a feature and a segment at once, in every format', () => {
  const mapping = { 'segments.airport': 'features.origin', 'features.rate': 'score' }
  for (const message of [avro(prediction()), json(prediction()), arrow([prediction()])]) {
    const { columns } = decoded([message], { mapping })
    expect(cellsOf(columns, 0)).toMatchObject({ 'features.origin': 'ORD', 'segments.airport': 'ORD' })
    expect(cellsOf(columns, 0)).toMatchObject({ score: 0.3, 'features.rate': 0.3 })
  }
})

test('features and outcomes need fewer fields than predictions', () => {
  const outcome = {
    predictionId: 'p-1',
    environment: 'prod',
    deployment: 'flight-delay',
    eventTimeMs: 1_700_000_000_000,
  }
  expect(faultsOf([json(outcome)], { kind: 'outcomes' })).toEqual([])
  expect(faultsOf([json(outcome)])).toEqual([{ record: 0, row: 0, reason: 'wrong-type' }])
  expect(faultsOf([json({ ...outcome, eventTimeMs: null })], { kind: 'features' })).toHaveLength(1)
})
