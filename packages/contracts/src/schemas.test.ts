import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryOf } from './avro/arbitrary.ts'
import { readAvro } from './avro/read.ts'
import { type AvroNode, parseSchema } from './avro/schema.ts'
import { writeAvro } from './avro/write.ts'
import { generate, historyPath } from './generate-schemas.ts'
import { registered } from './generated/schemas.ts'
import { sha256 } from './hash.ts'
import { ownRegistry, registryOf, UnknownSchema } from './schema-registry.ts'

const command = 'run `node packages/contracts/src/generate-schemas.ts`'

test('the generated module, the types and the history are what schemas/ says now', () => {
  for (const [path, text] of generate(false)) expect(readFileSync(path, 'utf8'), `${path}: ${command}`).toBe(text)
})

test('a released version is never changed, and every id has one schema', () => {
  const registry: { id: number; subject: string; version: number; frozen: string | null }[] = JSON.parse(
    readFileSync(new URL('../../../schemas/registry.json', import.meta.url), 'utf8'),
  )
  expect(registry.map(({ id }) => id)).toEqual(registry.map((_, index) => index + 1))
  for (const entry of registry) {
    if (entry.frozen !== null)
      expect(sha256(readFileSync(historyPath(entry), 'utf8')), historyPath(entry)).toBe(entry.frozen)
  }
})

test('an id that nobody registered is an error that says what to do', () => {
  expect(() => ownRegistry.byId(4_000_000)).toThrow(UnknownSchema)
  expect(() => ownRegistry.byId(4_000_000)).toThrow('register the producer')
  expect(() =>
    registryOf([
      { id: 1, subject: 'a', version: 1, json: 'long' },
      { id: 1, subject: 'b', version: 1, json: 'long' },
    ]),
  ).toThrow('same id')
})

/** Why `newer` cannot read what `older` wrote, or null. The reference library judges the types, we the lawful words. */
function incompatible(newer: unknown, older: unknown): string | null {
  const [reader, writer] = [newer, older].map((schema) => avsc.Type.forSchema(schema as avsc.Schema))
  try {
    reader!.createResolver(writer!)
  } catch (error) {
    return (error as Error).message
  }
  return narrowed(parseSchema(newer), parseSchema(older), '')
}

function narrowed(newer: AvroNode, older: AvroNode, at: string): string | null {
  if ((newer.kind === 'string' || newer.kind === 'long') && newer.kind === older.kind) {
    const lawful: readonly (string | number)[] | null = newer.oneOf
    const gone =
      lawful && ((older.oneOf ?? ['any other']) as (string | number)[]).filter((word) => !lawful.includes(word))
    return gone && gone.length > 0 ? `${at} no longer takes ${gone.join(', ')}` : null
  }
  if (newer.kind === 'array' && older.kind === 'array') return narrowed(newer.items, older.items, at)
  if (newer.kind === 'map' && older.kind === 'map') return narrowed(newer.values, older.values, at)
  if (newer.kind === 'union' && older.kind === 'union') {
    const pairs = older.branches.map(
      (old) => [newer.branches.find((branch) => nameOf(branch) === nameOf(old)), old] as const,
    )
    return pairs.map(([branch, old]) => branch && narrowed(branch, old, at)).find((found) => found) ?? null
  }
  if (newer.kind === 'record' && older.kind === 'record') {
    const pairs = older.fields.map((old) => [newer.fields.find(({ name }) => name === old.name), old] as const)
    return (
      pairs
        .map(([field, old]) => field && narrowed(field.type, old.type, `${at}.${old.name}`))
        .find((found) => found) ?? null
    )
  }
  return null
}
const nameOf = (node: AvroNode): string => ('name' in node ? node.name : node.kind)

describe.each([...new Set(registered.map(({ subject }) => subject))])('%s', (subject) => {
  const versions = registered.filter((entry) => entry.subject === subject)
  const newest = versions.at(-1)!

  test('the newest version reads all older ones', () => {
    for (const older of versions) {
      expect(incompatible(newest.schema, older.schema), `version ${older.version}`).toBeNull()
      const [reader, writer] = [parseSchema(newest.schema), parseSchema(older.schema)]
      fc.assert(
        fc.property(arbitraryOf(writer), (value) => {
          readAvro(writer, reader, writeAvro(writer, value))
        }),
        { numRuns: 10 },
      )
    }
  })
})

interface Schema {
  fields: { name: string; type: unknown; default?: unknown }[]
}
const prediction = ownRegistry.newest('prediction').json as Schema
const planted = (change: (schema: Schema) => void): Schema => {
  const schema = structuredClone(prediction)
  change(schema)
  return schema
}
const field = (schema: Schema, name: string) => schema.fields.find((candidate) => candidate.name === name)!

describe('a planted change', () => {
  test.each<[string, (schema: Schema) => void]>([
    ['a new field without a default', (schema) => schema.fields.push({ name: 'planted', type: 'long' })],
    ['another type', (schema) => Object.assign(field(schema, 'score'), { type: ['null', 'string'] })],
    ['a null no longer lawful', (schema) => Object.assign(field(schema, 'latencyMs'), { type: 'double', default: 0 })],
    ['fewer words', (schema) => Object.assign(field(schema, 'status'), { type: { type: 'string', oneOf: ['ok'] } })],
    [
      'a branch removed',
      (schema) => Object.assign(field(schema, 'features'), { type: { type: 'map', values: ['null', 'double'] } }),
    ],
  ])('%s is found to be incompatible', (_what, change) => {
    expect(incompatible(planted(change), prediction)).not.toBeNull()
  })

  test.each<[string, (schema: Schema) => void]>([
    ['a new field with a default', (schema) => schema.fields.push({ name: 'planted', type: 'long', default: 0 })],
    ['a field removed', (schema) => schema.fields.splice(2, 1)],
    ['a wider type', (schema) => Object.assign(field(schema, 'generation'), { type: 'double' })],
  ])('%s is compatible', (_what, change) => {
    expect(incompatible(planted(change), prediction)).toBeNull()
  })
})
