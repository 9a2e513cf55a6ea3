import type { AvroField, AvroNode } from './schema.ts'

/** Plain value of a field's default. Of a union, the first branch (specification, "Complex Types", records). */
export function fromDefault(field: AvroField): unknown {
  if (!field.fallback) throw new TypeError(`field "${field.name}" has no default`)
  return plain(field.type, field.fallback.json)
}

function plain(node: AvroNode, json: unknown): unknown {
  switch (node.kind) {
    case 'union':
      return plain(node.branches[0]!, json)
    case 'long':
      return node.offset ? BigInt(json as number) : json
    case 'bytes':
    case 'fixed':
      return Uint8Array.from(Buffer.from(json as string, 'latin1'))
    case 'array':
      return (json as unknown[]).map((item) => plain(node.items, item))
    case 'map':
      return Object.fromEntries(
        Object.entries(json as Record<string, unknown>).map(([key, value]) => [key, plain(node.values, value)]),
      )
    case 'record': {
      const given = json as Record<string, unknown>
      const values = node.fields.map((field) => plain(field.type, given[field.name] ?? field.fallback?.json ?? null))
      if (node.tuple) return values
      return Object.fromEntries(
        node.fields
          .map((field, index) => [field.name, values[index]] as const)
          .filter(([, value], index) => !(node.fields[index]!.optional && value === null)),
      )
    }
    default:
      return json
  }
}
