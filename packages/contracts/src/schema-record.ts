import { isPlainObject } from './avro/shape.ts'
import { canonicalJson } from './canonical.ts'

/**
 * Record of the topic `schemas`: what a schema registry said, once and for ever, so that every reader of the log decodes
 * alike. Without an id: from here on, ids in Avro messages are those of this registry and no longer ours.
 */
export interface SchemaRecord {
  readonly v: 1
  /** Address of the registry, for people. */
  readonly registry: string
  readonly id?: number
  /** The Avro schema, JSON, self-contained; or why events cannot be read with what the registry has under the id. */
  readonly schema?: string
  readonly refused?: string
}

export function encodeSchemaRecord(record: SchemaRecord): Uint8Array {
  return new TextEncoder().encode(canonicalJson(record))
}

/** null where the bytes are no such record. */
export function decodeSchemaRecord(bytes: Uint8Array | null): SchemaRecord | null {
  if (bytes === null) return null
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return isSchemaRecord(value) ? value : null
  } catch {
    return null
  }
}

function isSchemaRecord(value: unknown): value is SchemaRecord {
  if (!isPlainObject(value)) return false
  const { v, registry, id, schema, refused } = value
  const isText = (field: unknown) => field === undefined || typeof field === 'string'
  if (v !== 1 || typeof registry !== 'string' || !isText(schema) || !isText(refused)) return false
  if (id === undefined) return schema === undefined && refused === undefined
  const isId = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < 2 ** 32
  return isId && (schema === undefined) !== (refused === undefined)
}
