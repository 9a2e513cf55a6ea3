import { decodeSchemaRecord, parseSchema, registryOf, type SchemaRegistry, UnknownSchema } from '@interlock/contracts'

/** What the registry has under an id: a schema as it was told, or why it is of no use. */
export interface KnownSchema {
  readonly id: number
  readonly schema: string | null
  readonly refused: string | null
}

/** Bounds of what is remembered; a registry of a whole company holds more schemas than one Interlock reads events of. */
export const schemaBounds = { schemas: 1_000, bytes: 128 * 1_024, allBytes: 2 * 1_048_576 } as const

/**
 * The schemas with what a record of the topic `schemas` says. An id means one schema for ever, so the first word about it
 * stands; only one that was of no use gives way. Sorted by id.
 *
 * @returns the same value where the record brings nothing new
 */
export function withSchema(
  before: readonly KnownSchema[] | undefined,
  value: Uint8Array | null,
): readonly KnownSchema[] | undefined {
  const record = decodeSchemaRecord(value)
  if (record === null) return before
  const schemas = before ?? []
  const { id } = record
  if (id === undefined) return schemas
  const known = schemas.find((schema) => schema.id === id)
  if (known !== undefined && (known.refused === null || record.schema === undefined)) return before
  const others = schemas.filter((schema) => schema.id !== id)
  const problem = record.schema === undefined ? record.refused! : problemOf(record.schema, others)
  const learnt =
    problem === null ? { id, schema: record.schema!, refused: null } : { id, schema: null, refused: problem }
  return [...others, learnt].sort((a, b) => a.id - b.id)
}

function problemOf(text: string, others: readonly KnownSchema[]): string | null {
  if (text.length > schemaBounds.bytes)
    return `is ${text.length} characters long; at most ${schemaBounds.bytes} are taken`
  const all = others.reduce((sum, { schema }) => sum + (schema?.length ?? 0), text.length)
  if (others.length >= schemaBounds.schemas || all > schemaBounds.allBytes) {
    return `cannot be taken: ${others.length} schemas are known already, and at most ${schemaBounds.schemas} of ${schemaBounds.allBytes} characters are kept`
  }
  try {
    parseSchema(JSON.parse(text))
    return null
  } catch (error) {
    return `is no Avro schema that can be read: ${(error as Error).message}`.slice(0, 200)
  }
}

/** Writers' schemas by the registry's ids; what they are read as stays ours. */
export function withRegistered(own: SchemaRegistry, schemas: readonly KnownSchema[]): SchemaRegistry {
  const usable = schemas.flatMap(({ id, schema }) =>
    schema === null ? [] : [{ id, subject: `id ${id}`, version: 1, json: JSON.parse(schema) as unknown }],
  )
  const registered = registryOf(usable)
  const refused = new Map(schemas.map(({ id, refused: why }) => [id, why]))
  return {
    all: () => registered.all(),
    newest: (subject) => own.newest(subject),
    byId(id) {
      const why = refused.get(id) ?? null
      if (why !== null) throw new UnknownSchema(id, why)
      return registered.byId(id)
    },
  }
}
