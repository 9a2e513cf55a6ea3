import type { AvroNode, AvroRecord } from './schema.ts'

/**
 * The branch of a union that a plain value belongs to, or −1. Records are told apart by the lawful values of their
 * `kind`; those without one by their fields: the first that has all that are there and lacks none that it needs.
 */
export function branchOf(branches: readonly AvroNode[], value: unknown): number {
  return branches.findIndex((branch) => belongs(branch, value))
}

function belongs(branch: AvroNode, value: unknown): boolean {
  switch (branch.kind) {
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'int':
    case 'long':
      return branch.kind === 'long' && branch.offset ? typeof value === 'bigint' : Number.isSafeInteger(value)
    case 'float':
    case 'double':
      return typeof value === 'number'
    case 'string':
      return typeof value === 'string'
    case 'enum':
      return branch.symbols.includes(value as string)
    case 'bytes':
      return value instanceof Uint8Array
    case 'fixed':
      return value instanceof Uint8Array && value.length === branch.size
    case 'array':
      return Array.isArray(value)
    case 'map':
      return isPlainObject(value)
    case 'record':
      return branch.tuple ? Array.isArray(value) : isPlainObject(value) && matches(branch, value)
    case 'union':
      return false
  }
}

function matches(record: AvroRecord, value: Record<string, unknown>): boolean {
  const kind = record.fields.find((field) => field.name === 'kind')
  if (kind?.type.kind === 'string' && kind.type.oneOf) return kind.type.oneOf.includes(value.kind as string)
  return (
    Object.keys(value).every((key) => record.fields.some((field) => field.name === key)) &&
    record.fields.every((field) => field.optional || field.fallback !== null || value[field.name] !== undefined)
  )
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}
