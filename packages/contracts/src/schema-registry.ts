import { type AvroNode, parseSchema } from './avro/schema.ts'
import { registered } from './generated/schemas.ts'

/** A record written with a schema that the registry does not know. Nothing can be read from it. */
export class UnknownSchema extends Error {
  override readonly name = 'UnknownSchema'
  readonly id: number

  constructor(
    id: number,
    why = "is not in the registry: register the producer's schema, or check its registry's address",
  ) {
    super(`schema id ${id} ${why}`)
    this.id = id
  }
}

/** A schema under its id. `subject` and `version` say which record it describes. */
export interface RegisteredSchema {
  readonly id: number
  readonly subject: string
  readonly version: number
  readonly json: unknown
  readonly node: AvroNode
}

/** Ids and schemas, both ways. Pure: whoever fetches schemas from a server hands them over before they are needed. */
export interface SchemaRegistry {
  /** @throws UnknownSchema */
  byId(id: number): RegisteredSchema
  /** Newest version of a subject. @throws TypeError when there is none. */
  newest(subject: string): RegisteredSchema
  all(): readonly RegisteredSchema[]
}

/** Registry of the given schemas; of each subject the last one given is the newest. Parses a schema when it is asked for. */
export function registryOf(schemas: readonly Omit<RegisteredSchema, 'node'>[]): SchemaRegistry {
  const lazy = schemas.map((schema) => {
    let node: AvroNode | undefined
    return {
      ...schema,
      get node(): AvroNode {
        node ??= parseSchema(schema.json)
        return node
      },
    }
  })
  const ids = new Map(lazy.map((schema) => [schema.id, schema]))
  if (ids.size !== lazy.length) throw new TypeError('two schemas have the same id')
  const subjects = new Map(lazy.map((schema) => [schema.subject, schema]))
  return {
    all: () => lazy,
    byId(id) {
      const schema = ids.get(id)
      if (!schema) throw new UnknownSchema(id)
      return schema
    },
    newest(subject) {
      const schema = subjects.get(subject)
      if (!schema) throw new TypeError(`no schema is registered for "${subject}"`)
      return schema
    },
  }
}

/** Our own schemas, of all versions, from schemas/. Their ids never change. */
export const ownRegistry: SchemaRegistry = registryOf(
  registered.map(({ schema, ...entry }) => ({ ...entry, json: schema })),
)
