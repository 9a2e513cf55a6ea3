import { type AvroNode, ownRegistry, type Prediction, parseSchema } from '@interlock/contracts'
import avsc from 'avsc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { avroPlan, readAvroRow } from './avro.ts'
import { AvroCursor } from './avro-cursor.ts'
import { Columns } from './columns.ts'
import { Unreadable } from './fault.ts'
import { pathsOf } from './paths.ts'
import { anyPrediction, cellsOf, expectedCells, prediction, sampleWanted } from './sample-events.ts'

interface Field {
  readonly name: string
  readonly type: unknown
  readonly default?: unknown
}
const own = ownRegistry.newest('prediction')
const fields = (own.json as { fields: Field[] }).fields
const reader = avsc.Type.forSchema(own.json as avsc.Schema)

function planFor(writer: AvroNode, columns: Columns, mapping: Record<string, string> = {}) {
  return avroPlan(writer, own.node, pathsOf(columns, mapping))
}

/** Fields of a writer that we have never heard of, with a value each. */
const strangeField = fc.constantFrom<readonly [unknown, unknown]>(
  ['boolean', true],
  ['int', -7],
  ['long', 2 ** 40],
  ['float', 1.5],
  ['double', 1e300],
  ['string', 'more'],
  ['bytes', Buffer.from([1, 2, 3])],
  [{ type: 'fixed', name: 'Four', size: 4 }, Buffer.from([1, 2, 3, 4])],
  [{ type: 'enum', name: 'Colour', symbols: ['RED', 'BLUE'] }, 'BLUE'],
  [{ type: 'array', items: 'null' }, [null, null, null]],
  [
    { type: 'map', values: { type: 'array', items: 'string' } },
    { a: ['b', ''], c: [] },
  ],
  [['null', { type: 'record', name: 'Inner', fields: [{ name: 'score', type: 'double' }] }], { score: 9 }],
)

test('rows of an evolved writer are read as avsc resolves them: fields added, left out, moved and promoted', () => {
  const optional = fields.filter((field) => 'default' in field).map(({ name }) => name)
  fc.assert(
    fc.property(
      anyPrediction,
      fc.subarray(optional),
      strangeField,
      fc.nat({ max: fields.length }),
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      (event, dropped, [type, value], at, promotes, order) => {
        const kept = fields
          .filter(({ name }) => !dropped.includes(name))
          .map((field) => ({ field, key: order.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ field }) => (promotes && field.name === 'generation' ? { ...field, type: 'int' } : field))
        const writerJson = {
          type: 'record',
          name: 'Prediction',
          namespace: 'interlock',
          fields: kept.toSpliced(at, 0, { name: 'strange', type }),
        }
        const writer = avsc.Type.forSchema(writerJson as avsc.Schema)
        const bytes = writer.toBuffer({ ...event, strange: value })
        const expected = reader.fromBuffer(bytes, reader.createResolver(writer)) as Prediction
        const columns = new Columns(sampleWanted, 1)
        readAvroRow(planFor(parseSchema(writerJson), columns), bytes, 0, columns)
        columns.endRow('predictions', 0, 0)
        expect(cellsOf(columns, 0)).toEqual(expectedCells(expected))
      },
    ),
    { numRuns: 400 },
  )
})

test('one plan reads rows whose maps name their keys in any order, with keys that nobody wants between them', () => {
  const plan = planFor(own.node, new Columns(sampleWanted, 1))
  const anyFeatures = fc
    .uniqueArray(fc.constantFrom('distance', 'rate', 'origin', 'x', 'distanc', 'distances', ''), { maxLength: 7 })
    .map((names) => Object.fromEntries(names.map((name, index) => [name, name === 'origin' ? 'ORD' : index])))
  fc.assert(
    fc.property(fc.array(anyFeatures, { minLength: 2, maxLength: 6 }), (maps) => {
      const columns = new Columns(sampleWanted, 1)
      const events = maps.map((features) => prediction({ features }))
      for (const event of events) {
        columns.reserve(1)
        readAvroRow(plan, reader.toBuffer(event), 0, columns)
        columns.endRow('predictions', 0, 0)
      }
      expect(events.map((_, row) => cellsOf(columns, row))).toEqual(events.map(expectedCells))
    }),
    { numRuns: 300 },
  )
})

test('a row cut at any byte, or with bytes behind it, is malformed and nothing else happens', () => {
  const bytes = reader.toBuffer(prediction())
  const columns = new Columns(sampleWanted, 1)
  const plan = planFor(own.node, columns)
  for (let length = 0; length < bytes.length; length++) {
    expect(() => readAvroRow(plan, bytes.subarray(0, length), 0, columns)).toThrow(Unreadable)
  }
  expect(() => readAvroRow(plan, Buffer.concat([bytes, Buffer.of(0)]), 0, columns)).toThrow(/1 bytes are left behind/)
})

test('random bytes never do anything but read as a row or be unreadable', () => {
  const columns = new Columns(sampleWanted, 1)
  const plan = planFor(own.node, columns)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readAvroRow(plan, bytes, 0, columns)
      } catch (error) {
        expect(error).toBeInstanceOf(Unreadable)
      }
      columns.wipe()
    }),
    { numRuns: 2_000 },
  )
})

test('an array of a quintillion nulls, which needs no bytes, is refused at once', () => {
  const json = { type: 'record', name: 'Bomb', fields: [{ name: 'bomb', type: { type: 'array', items: 'null' } }] }
  const columns = new Columns(sampleWanted, 1)
  const bytes = avsc.Type.forSchema('long').toBuffer(2 ** 52)
  expect(() => readAvroRow(planFor(parseSchema(json), columns), bytes, 0, columns)).toThrow(
    /more items than there are bytes/,
  )
})

test('a record that holds itself is read to the depth bound and not further', () => {
  const json = {
    type: 'record',
    name: 'Node',
    fields: [{ name: 'next', type: ['null', 'Node'] }],
  }
  const columns = new Columns(sampleWanted, 1)
  const plan = planFor(parseSchema(json), columns)
  const nested = (depth: number): Uint8Array => Uint8Array.from([...Array(depth).fill(2), 0])
  expect(() => readAvroRow(plan, nested(20), 0, columns)).not.toThrow()
  expect(() => readAvroRow(plan, nested(1_000), 0, columns)).toThrow(/nested deeper/)
})

test("a team's own record is read through its mapping: nested, flattened and renamed", () => {
  const json = {
    type: 'record',
    name: 'Theirs',
    fields: [
      {
        name: 'model',
        type: {
          type: 'record',
          name: 'Model',
          fields: [
            { name: 'name', type: 'string' },
            { name: 'rev', type: 'string' },
          ],
        },
      },
      {
        name: 'inputs',
        type: {
          type: 'record',
          name: 'Inputs',
          fields: [
            { name: 'dist_km', type: 'int' },
            { name: 'rate', type: ['null', 'float'] },
          ],
        },
      },
      { name: 'at', type: 'long' },
    ],
  }
  const columns = new Columns(sampleWanted, 1)
  const plan = planFor(parseSchema(json), columns, {
    deployment: 'model.name',
    version: 'model.rev',
    eventTimeMs: 'at',
    features: 'inputs',
    'features.distance': 'inputs.dist_km',
  })
  const bytes = avsc.Type.forSchema(json as avsc.Schema).toBuffer({
    model: { name: 'flight-delay', rev: 'm@v2' },
    inputs: { dist_km: 402, rate: 0.5 },
    at: 1_700_000_000_000,
  })
  readAvroRow(plan, bytes, 0, columns)
  columns.rows = 1
  expect(cellsOf(columns, 0)).toMatchObject({
    deployment: 'flight-delay',
    version: 'm@v2',
    eventTimeMs: 1_700_000_000_000,
    'features.distance': 402,
    'features.rate': 0.5,
  })
})

test('whole numbers of every size are read exactly, and beyond 2^53 as the nearest double', () => {
  const bytesOf = (value: bigint): Uint8Array => {
    const bytes: number[] = []
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
    return Uint8Array.from([...bytes, Number(rest)])
  }
  const read = (value: bigint): number => new AvroCursor(bytesOf(value), 0).long()
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer()), (value) => {
      expect(read(BigInt(value))).toBe(value + 0)
    }),
    { numRuns: 1_000 },
  )
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
      expect(read(value)).toBe(Number(value))
    }),
  )
  for (const value of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 27n - 1n, -(2n ** 27n), 2n ** 28n]) {
    expect(read(value)).toBe(Number(value))
  }
  expect(() => new AvroCursor(new Uint8Array(11).fill(0x80), 0).long()).toThrow(/more than 10 bytes/)
})
