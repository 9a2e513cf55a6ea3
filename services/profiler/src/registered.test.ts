import {
  contentTypes,
  type DeadLetterOut,
  encodeEventAvro,
  encodeSchemaRecord,
  type Input,
  type Prediction,
  type ProgressOut,
  type SchemaRecord,
} from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createProfiler, profilerInputs } from './main.ts'
import { type KnownSchema, schemaBounds, withSchema } from './registered.ts'
import { now, prediction, recordOf, watchInput, watchOf } from './sample-watch.ts'

const profiler = createProfiler()
const [watching] = profiler.step(profiler.empty(0), [watchInput(watchOf())], now, true)
const registry = 'http://registry.test'
const marker: Omit<SchemaRecord, 'id'> = { v: 1, registry }

/** A team's own schema: other order, a field that we do not know, no defaults of ours. */
const theirs = {
  type: 'record',
  name: 'Answer',
  fields: [
    { name: 'note', type: 'string' },
    { name: 'deployment', type: 'string' },
    { name: 'environment', type: 'string' },
    { name: 'tenant', type: 'string' },
    { name: 'generation', type: 'int' },
    { name: 'version', type: 'string' },
    { name: 'variant', type: { type: 'enum', name: 'Variant', symbols: ['candidate', 'stable'] } },
    { name: 'id', type: 'string' },
    { name: 'unit', type: 'string' },
    { name: 'eventTimeMs', type: 'long' },
    { name: 'status', type: 'string' },
    { name: 'producer', type: 'string' },
    { name: 'features', type: { type: 'map', values: ['null', 'double', 'string'] } },
  ],
}

function theirBytes(id: number, { features, ...event }: Prediction): Buffer {
  const parts: Buffer[] = [Buffer.from([0, 0, 0, 0, id])]
  const long = (value: number) => {
    const bytes: number[] = []
    let raw = BigInt(value) * 2n
    for (; raw >= 128n; raw >>= 7n) bytes.push(Number(raw & 127n) | 128)
    parts.push(Buffer.from([...bytes, Number(raw)]))
  }
  const text = (value: string) => {
    long(Buffer.byteLength(value))
    parts.push(Buffer.from(value))
  }
  text('a note')
  for (const name of ['deployment', 'environment', 'tenant'] as const) text(event[name])
  long(event.generation)
  text(event.version)
  long(event.variant === 'stable' ? 1 : 0)
  text(event.id)
  text(event.unit)
  long(event.eventTimeMs)
  text(event.status)
  text(event.producer)
  long(1)
  text('distance')
  long(1)
  const distance = Buffer.alloc(8)
  distance.writeDoubleLE(Number(features.distance))
  parts.push(distance)
  long(0)
  return Buffer.concat(parts)
}

const schemaInput = (record: SchemaRecord): Input => recordOf(encodeSchemaRecord(record), { topic: 'schemas' })
const avroInput = (bytes: Uint8Array): Input => recordOf(bytes, { headers: { 'content-type': contentTypes.avro } })
function run(inputs: readonly Input[], state = watching) {
  const [next, outs] = profiler.step(state, inputs, now, true)
  const letters = outs.filter((out): out is DeadLetterOut => out.kind === 'dead-letter')
  const progress = outs.find((out): out is ProgressOut => out.kind === 'progress')!
  return { state: next, letters, progress, outs }
}
const theirSchema: SchemaRecord = { v: 1, registry, id: 1, schema: JSON.stringify(theirs) }

test('an event is read by the schema that the registry has under its id, once it came along the log', () => {
  const event = avroInput(theirBytes(1, prediction()))
  const before = run([schemaInput(marker), event])
  expect(before.progress).toMatchObject({ taken: 1, counted: 0, dead: { 'unknown-schema': 1 } })
  const after = run([schemaInput(theirSchema), event], before.state)
  expect(after.letters).toEqual([])
  expect(after.progress).toMatchObject({ taken: 1, counted: 1 })
  // Also in the middle of a step: what came before it was read without it.
  const both = run([schemaInput(marker), event, schemaInput(theirSchema), event])
  expect(both.progress).toMatchObject({ taken: 2, counted: 1, dead: { 'unknown-schema': 1 } })
})

test('an id means our own schema until a registry is in use, and never after', () => {
  const ours = avroInput(encodeEventAvro('prediction', prediction()))
  const first = run([ours])
  expect(first.progress).toMatchObject({ counted: 1 })
  const [letter] = run([schemaInput(marker), ours], first.state).letters
  expect(letter).toMatchObject({ reason: 'unknown-schema', detail: expect.stringContaining('is not in the registry') })
})

test('what the registry has and nobody can read events by is refused with its reason', () => {
  const refused = run([schemaInput({ v: 1, registry, id: 4, refused: 'is a Protobuf schema' })])
  const [letter] = run([avroInput(theirBytes(4, prediction()))], refused.state).letters
  expect(letter).toMatchObject({ reason: 'unknown-schema', detail: 'schema id 4 is a Protobuf schema' })
  const broken = run([schemaInput({ v: 1, registry, id: 5, schema: '{"type":"record"}' })], refused.state)
  const [other] = run([avroInput(theirBytes(5, prediction()))], broken.state).letters
  expect(other!.detail).toContain('schema id 5 is no Avro schema that can be read')
})

test('schemas are in the snapshot, and a state without a registry is saved as it always was', () => {
  const { state } = run([schemaInput(theirSchema)])
  expect(profiler.load(profiler.save(state), profiler.version)).toEqual(state)
  expect('schemas' in run([]).state).toBe(false)
  expect(Buffer.from(profiler.save(run([]).state)).toString()).not.toContain('schemas')
})

test('the first schema under an id stands; one of no use gives way; what is remembered is bounded', () => {
  const told = (before: readonly KnownSchema[] | undefined, record: SchemaRecord) =>
    withSchema(before, encodeSchemaRecord(record))
  const refused = told(undefined, { v: 1, registry, id: 1, refused: 'is away' })
  const known = told(refused, theirSchema)
  expect(known).toMatchObject([{ id: 1, refused: null }])
  expect(told(known, { ...theirSchema, schema: '"string"' })).toBe(known)
  expect(told(known, { v: 1, registry, id: 1, refused: 'x' })).toBe(known)
  const long = told(known, { v: 1, registry, id: 2, schema: `"string"${' '.repeat(schemaBounds.bytes)}` })
  expect(long![1]).toMatchObject({ schema: null, refused: expect.stringContaining('characters long') })
  let many: readonly KnownSchema[] | undefined
  for (let id = 0; id <= schemaBounds.schemas; id++) many = told(many, { v: 1, registry, id, schema: '"string"' })
  expect(many!.at(-1)!.refused).toContain('1000 schemas are known already')
})

test('no bytes on the topic end a step', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((json) => Buffer.from(json)),
      ),
      (bytes) => {
        expect(withSchema(undefined, bytes)).toBeUndefined()
      },
    ),
  )
  expect(withSchema(undefined, null)).toBeUndefined()
})

test('records that the log cannot give out are dead letters, each counted, and the next ones are read', () => {
  const unreadable = { reason: 'oversized' as const, detail: '7 records grow too large', from: 1n, records: 7 }
  const { letters, progress, outs } = run([
    recordOf(null, { offset: 7n, unreadable }),
    avroInput(encodeEventAvro('prediction', prediction())),
  ])
  expect(letters).toMatchObject([{ offset: 7n, reason: 'oversized', detail: '7 records grow too large', count: 7 }])
  expect(progress).toMatchObject({ taken: 8, counted: 1, dead: { oversized: 7 } })
  expect(outs.filter(({ kind }) => kind === 'counts')).toHaveLength(1)
})

test('what the registry said is read before all else', () => {
  const inputs = profilerInputs(2, [{ predictions: 'p' }], 1, undefined, true)
  expect(inputs.map(({ topic, partition }) => `${topic}/${partition}`)).toEqual(['schemas/0', 'log.governor/0', 'p/2'])
})
