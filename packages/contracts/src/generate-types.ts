/**
 * TypeScript interfaces of the Avro records, so that the compiler compares schemas/ with the contracts
 * (types-agree.test.ts) and a field that only one of them has breaks the build.
 */
export function typesOf(subjects: ReadonlyMap<string, unknown>): string {
  const types = new Map<string, string>()
  for (const schema of subjects.values()) typeOf(schema, types)
  return [...types.values()].join('\n')
}

function typeOf(schema: unknown, types: Map<string, string>): string {
  if (typeof schema === 'string') return primitives[schema] ?? schema
  if (Array.isArray(schema)) return schema.map((branch) => typeOf(branch, types)).join(' | ')
  const node = schema as { type: unknown; [key: string]: unknown }
  switch (node.type) {
    case 'array':
      return `readonly (${typeOf(node.items, types)})[]`
    case 'map':
      return `Readonly<Record<string, ${typeOf(node.values, types)}>>`
    case 'string':
      return (node.oneOf as string[] | undefined)?.map((value) => `'${value}'`).join(' | ') ?? 'string'
    case 'long':
      if (node.logicalType === 'offset') return 'bigint'
      return (node.oneOf as number[] | undefined)?.join(' | ') ?? 'number'
    case 'record': {
      const name = node.name as string
      if (types.has(name)) return name
      types.set(name, '')
      const fields = node.fields as { name: string; type: unknown; optional?: boolean }[]
      types.set(name, node.tuple === true ? tuple(name, fields, types) : record(name, fields, types))
      return name
    }
    default:
      return typeOf(node.type, types)
  }
}

function record(
  name: string,
  fields: { name: string; type: unknown; optional?: boolean }[],
  types: Map<string, string>,
) {
  const lines = fields.map((field) => {
    const type =
      field.optional && Array.isArray(field.type) ? field.type.filter((branch) => branch !== 'null') : field.type
    return `  readonly ${field.name}${field.optional ? '?' : ''}: ${typeOf(type, types)}\n`
  })
  return `export interface ${name} {\n${lines.join('')}}\n`
}

function tuple(name: string, fields: { name: string; type: unknown }[], types: Map<string, string>) {
  return `export type ${name} = readonly [${fields.map((field) => `${field.name}: ${typeOf(field.type, types)}`).join(', ')}]\n`
}

const primitives: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Uint8Array',
}
