import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ownRegistry } from '../schema-registry.ts'
import { arbitraryOf } from './arbitrary.ts'
import { Malformed } from './bytes.ts'
import { readAvro } from './read.ts'
import { type AvroNode, parseSchema } from './schema.ts'
import { WrongShape, writeAvro } from './write.ts'

/** The value as the reference library has it, in our plain form. */
function plain(node: AvroNode, value: unknown): unknown {
  switch (node.kind) {
    case 'long':
      return node.offset ? BigInt(value as number) : value
    case 'bytes':
      return new Uint8Array(value as Uint8Array)
    case 'array':
      return (value as unknown[]).map((item) => plain(node.items, item))
    case 'map':
      return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, plain(node.values, item)]))
    case 'union': {
      if (value === null) return null
      const [name, inner] = Object.entries(value as object)[0]!
      return plain(node.branches.find((branch) => ('name' in branch ? branch.name : branch.kind) === name)!, inner)
    }
    case 'record': {
      const fields = node.fields.map(
        (field) => [field, plain(field.type, (value as Record<string, unknown>)[field.name])] as const,
      )
      if (node.tuple) return fields.map(([, item]) => item)
      return Object.fromEntries(
        fields.filter(([field, item]) => !(field.optional && item === null)).map(([field, item]) => [field.name, item]),
      )
    }
    default:
      return value
  }
}

const subjects = [...new Set(ownRegistry.all().map(({ subject }) => subject))]
const read = (node: AvroNode, bytes: Uint8Array): unknown => readAvro(node, node, bytes)

describe.each(subjects)('%s', (subject) => {
  const { node, json } = ownRegistry.newest(subject)
  const reference = avsc.Type.forSchema(json as avsc.Schema, { wrapUnions: 'always' })

  test('what was written is read again, and the reference library reads and writes the same', () => {
    fc.assert(
      fc.property(arbitraryOf(node), (value) => {
        const bytes = writeAvro(node, value)
        expect(read(node, bytes)).toStrictEqual(value)
        const theirs = reference.fromBuffer(Buffer.from(bytes))
        expect(plain(node, theirs)).toStrictEqual(value)
        expect(reference.toBuffer(theirs).equals(bytes)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('damaged bytes give another value or Malformed, never another error and never a long wait', () => {
    fc.assert(
      fc.property(arbitraryOf(node), fc.nat(), fc.nat(255), fc.nat(), (value, place, byte, cut) => {
        const bytes = writeAvro(node, value)
        if (bytes.length === 0) return
        const damaged = bytes.slice(0, bytes.length - (cut % 3))
        if (damaged.length > 0) damaged[place % damaged.length] = byte
        try {
          read(node, damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed)
        }
      }),
      { numRuns: 60 },
    )
  })
})

test('equal maps give equal bytes, whatever the order of their keys', () => {
  const node = parseSchema({ type: 'map', values: 'long' })
  expect(writeAvro(node, { b: 1, a: 2, 10: 3 })).toEqual(writeAvro(node, { 10: 3, a: 2, b: 1 }))
})

test.each([0, -1, 63, 64, -65, 2 ** 30, -(2 ** 30), 2 ** 31, -(2 ** 31), 2 ** 52 - 1, -(2 ** 52)])(
  'the long %d is written as the reference library writes it',
  (value) => {
    const node = parseSchema('long')
    expect(Buffer.from(writeAvro(node, value)).equals(avsc.Type.forSchema('long').toBuffer(value))).toBe(true)
    expect(read(node, writeAvro(node, value))).toBe(value)
  },
)

test('whole numbers survive up to 2^53 − 1, and a larger one is malformed rather than rounded', () => {
  const [long, offset] = [parseSchema('long'), parseSchema({ type: 'long', logicalType: 'offset' })]
  for (const value of [2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 52 + 1, -(2 ** 52) - 1]) {
    expect(read(long, writeAvro(long, value))).toBe(value)
    expect(writeAvro(long, value)).toEqual(writeAvro(offset, BigInt(value)))
  }
  expect(() => read(long, writeAvro(offset, 2n ** 53n))).toThrow(Malformed)
})

test('offsets have all 64 bits', () => {
  const node = parseSchema({ type: 'long', logicalType: 'offset' })
  for (const value of [2n ** 63n - 1n, -(2n ** 63n), -1n, 0n]) expect(read(node, writeAvro(node, value))).toBe(value)
  expect(() => writeAvro(node, 2n ** 63n)).toThrow(WrongShape)
})

const shape = parseSchema({
  type: 'record',
  name: 'Shape',
  fields: [
    { name: 'rows', type: 'long' },
    { name: 'word', type: { type: 'string', oneOf: ['yes', 'no'] } },
    { name: 'note', type: ['null', 'string'], default: null, optional: true },
    { name: 'deep', type: { type: 'map', values: { type: 'array', items: 'double' } } },
  ],
})
const good = { rows: 1, word: 'yes', deep: { a: [1] } }

test.each([
  ['a field too many', { ...good, planted: 1 }, 'planted'],
  ['a field too few', { rows: 1, word: 'yes' }, 'deep should be an object and is missing'],
  ['half a row', { ...good, rows: 0.5 }, 'rows should be a whole number and is 0.5'],
  ['another word', { ...good, word: 'maybe' }, 'word should be one of yes, no and is "maybe"'],
  ['null for absent', { ...good, note: null }, 'note should be absent or a value and is null'],
  ['text in a list of numbers', { ...good, deep: { a: [1, 'x'] } }, 'deep.a.1 should be a number and is "x"'],
  ['half a surrogate pair', { ...good, note: '\ud800' }, 'note'],
  ['the prototype', { ...good, deep: JSON.parse('{"__proto__":[1]}') }, '__proto__'],
])('%s is refused, and the message says where', (_what, value, message) => {
  expect(() => writeAvro(shape, value)).toThrow(WrongShape)
  expect(() => writeAvro(shape, value)).toThrow(message)
})

const bomb = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
test.each([
  ['a list of 2^40 nulls', parseSchema({ type: 'array', items: 'null' }), bomb(128, 128, 128, 128, 128, 64, 0)],
  ['a text of 2^40 bytes', parseSchema('string'), bomb(128, 128, 128, 128, 128, 64)],
  ['a number without end', parseSchema('long'), new Uint8Array(1_000).fill(0xff)],
  [
    'a record in itself',
    parseSchema({ type: 'record', name: 'R', fields: [{ name: 'r', type: ['null', 'R'] }] }),
    new Uint8Array(1_000).fill(2),
  ],
  ['text that is not UTF-8', parseSchema('string'), bomb(4, 0xc3, 0x28)],
  ['bytes left over', parseSchema('boolean'), bomb(1, 1)],
])('%s is malformed', (_what, node, bytes) => {
  expect(() => read(node, bytes)).toThrow(Malformed)
})

test('a schema that is none is refused with the place', () => {
  expect(() => parseSchema({ type: 'record', name: 'R', fields: [{ name: 'x', type: 'Nowhere' }] })).toThrow('schema.x')
  let deep: unknown = 'long'
  for (let depth = 0; depth < 100; depth++) deep = { type: 'array', items: deep }
  expect(() => parseSchema(deep)).toThrow('deeper')
})

describe('a newer reader', () => {
  const writer = {
    type: 'record',
    name: 'Event',
    fields: [
      { name: 'gone', type: { type: 'array', items: ['null', 'string'] } },
      { name: 'count', type: 'int' },
      { name: 'old', type: 'float' },
      { name: 'maybe', type: 'string' },
      { name: 'state', type: { type: 'enum', name: 'State', symbols: ['a', 'b'] } },
    ],
  }
  const reader = {
    type: 'record',
    name: 'Event',
    fields: [
      { name: 'added', type: ['null', 'string'], default: null },
      { name: 'map', type: { type: 'map', values: 'long' }, default: { x: 1 } },
      { name: 'count', type: 'double' },
      { name: 'renamed', aliases: ['old'], type: 'double' },
      { name: 'maybe', type: ['null', 'string'] },
      { name: 'state', type: { type: 'enum', name: 'State', symbols: ['a', 'c'], default: 'c' } },
    ],
  }

  test('reads what an older writer wrote as the reference library does: defaults, promotions, aliases, unions', () => {
    const value = { gone: ['x', null], count: 7, old: 0.5, maybe: 'm', state: 'a' }
    const bytes = writeAvro(parseSchema(writer), value)
    const [theirs, ours] = [writer, reader].map((schema) =>
      avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: 'never' }),
    )
    const expected = ours!.fromBuffer(Buffer.from(bytes), ours!.createResolver(theirs!))
    expect(readAvro(parseSchema(writer), parseSchema(reader), bytes)).toEqual({ ...(expected as object) })
  })

  test('takes the default of an enum for a symbol that it does not know', () => {
    const bytes = writeAvro(parseSchema(writer), { gone: [], count: 1, old: 1, maybe: '', state: 'b' })
    expect(readAvro(parseSchema(writer), parseSchema(reader), bytes)).toMatchObject({ state: 'c', map: { x: 1 } })
  })

  test('refuses a field that the writer did not have and that has no default', () => {
    const strict = { ...reader, fields: [{ name: 'new', type: 'long' }] }
    const bytes = writeAvro(parseSchema(writer), { gone: [], count: 1, old: 1, maybe: '', state: 'b' })
    expect(() => readAvro(parseSchema(writer), parseSchema(strict), bytes)).toThrow(Malformed)
  })
})
