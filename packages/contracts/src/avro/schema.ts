/**
 * Avro schemas (Apache Avro 1.12 specification, "Schema Declaration") as a tree with all names resolved.
 *
 * Four annotations of ours, which other readers ignore as the specification asks, bridge Avro and TypeScript:
 *  - `"optional": true` on a field of `["null", X]`: null in Avro is an absent property in TypeScript.
 *  - `"tuple": true` on a record: an array in TypeScript, its fields by position.
 *  - `"logicalType": "offset"` on a long: a bigint.
 *  - `"oneOf": [...]` on a string or long: the only values that are lawful. Tells the records of a union apart by `kind`.
 */
export type AvroNode =
  | { readonly kind: 'null' | 'boolean' | 'int' | 'float' | 'double' | 'bytes' }
  | { readonly kind: 'long'; readonly offset: boolean; readonly oneOf: readonly number[] | null }
  | { readonly kind: 'string'; readonly oneOf: readonly string[] | null }
  | { readonly kind: 'array'; readonly items: AvroNode }
  | { readonly kind: 'map'; readonly values: AvroNode }
  | { readonly kind: 'union'; readonly branches: readonly AvroNode[] }
  | AvroEnum
  | AvroFixed
  | AvroRecord

export interface AvroEnum {
  readonly kind: 'enum'
  readonly name: string
  readonly symbols: readonly string[]
  readonly fallback: string | null
}
export interface AvroFixed {
  readonly kind: 'fixed'
  readonly name: string
  readonly size: number
}
export interface AvroRecord {
  readonly kind: 'record'
  readonly name: string
  readonly fields: readonly AvroField[]
  readonly tuple: boolean
}
export interface AvroField {
  readonly name: string
  readonly aliases: readonly string[]
  readonly type: AvroNode
  readonly optional: boolean
  /** JSON form of the default, wrapped so that `null` is told from none. */
  readonly fallback: { readonly json: unknown } | null
}

const primitives = ['null', 'boolean', 'int', 'float', 'double', 'bytes'] as const
/** Schemas of customers are input too: no deeper than any value that we read. */
export const maxDepth = 32

/** @throws TypeError naming the place when `json` is not a lawful Avro schema. */
export function parseSchema(json: unknown): AvroNode {
  return parse(json, '', new Map(), 'schema', 0)
}

function parse(json: unknown, space: string, names: Map<string, AvroNode>, at: string, depth: number): AvroNode {
  if (depth > maxDepth) throw new TypeError(`Avro schema: ${at} is nested deeper than ${maxDepth}`)
  if (typeof json === 'string') return named(json, space, names, at)
  if (Array.isArray(json)) {
    const branches = json.map((branch, index) => parse(branch, space, names, `${at}[${index}]`, depth + 1))
    if (branches.some((branch) => branch.kind === 'union')) throw new TypeError(`Avro schema: ${at} nests a union`)
    return { kind: 'union', branches }
  }
  if (typeof json !== 'object' || json === null) throw new TypeError(`Avro schema: ${at} is no schema`)
  const schema = json as Record<string, unknown>
  const type = schema.type
  if (typeof type === 'object') return parse(type, space, names, at, depth + 1)
  switch (type) {
    case 'array':
      return { kind: 'array', items: parse(schema.items, space, names, `${at}.items`, depth + 1) }
    case 'map':
      return { kind: 'map', values: parse(schema.values, space, names, `${at}.values`, depth + 1) }
    case 'string':
      return { kind: 'string', oneOf: list(schema.oneOf, 'string', `${at}.oneOf`) }
    case 'long':
      return {
        kind: 'long',
        offset: schema.logicalType === 'offset',
        oneOf: list(schema.oneOf, 'number', `${at}.oneOf`),
      }
    case 'record':
    case 'error':
      return record(schema, space, names, at, depth)
    case 'enum': {
      const name = fullName(schema, space, at)
      const symbols = list(schema.symbols, 'string', `${at}.symbols`) ?? []
      const fallback = typeof schema.default === 'string' ? schema.default : null
      return declare(names, name, { kind: 'enum', name, symbols, fallback })
    }
    case 'fixed': {
      const name = fullName(schema, space, at)
      const size = schema.size
      if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
        throw new TypeError(`Avro schema: ${at}.size is not a number of bytes`)
      }
      return declare(names, name, { kind: 'fixed', name, size })
    }
    default:
      if (typeof type !== 'string') throw new TypeError(`Avro schema: ${at} has no type`)
      return named(type, space, names, at)
  }
}

function record(json: Record<string, unknown>, space: string, names: Map<string, AvroNode>, at: string, depth: number) {
  const name = fullName(json, space, at)
  const fields: AvroField[] = []
  const node: AvroRecord = { kind: 'record', name, fields, tuple: json.tuple === true }
  // Declared before its fields are read: a record may hold itself.
  declare(names, name, node)
  const inner = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : ''
  if (!Array.isArray(json.fields)) throw new TypeError(`Avro schema: ${at} has no fields`)
  for (const field of json.fields as Record<string, unknown>[]) {
    const fieldName = field.name
    if (typeof fieldName !== 'string' || fieldName === '__proto__') {
      throw new TypeError(`Avro schema: ${at} has a field without a lawful name`)
    }
    fields.push({
      name: fieldName,
      aliases: list(field.aliases, 'string', `${at}.${fieldName}.aliases`) ?? [],
      type: parse(field.type, inner, names, `${at}.${fieldName}`, depth + 1),
      optional: field.optional === true,
      fallback: 'default' in field ? { json: field.default } : null,
    })
  }
  return node
}

function named(name: string, space: string, names: Map<string, AvroNode>, at: string): AvroNode {
  if (name === 'string') return { kind: 'string', oneOf: null }
  if (name === 'long') return { kind: 'long', offset: false, oneOf: null }
  const primitive = primitives.find((candidate) => candidate === name)
  if (primitive) return { kind: primitive }
  const node = names.get(name.includes('.') || space === '' ? name : `${space}.${name}`) ?? names.get(name)
  if (!node) throw new TypeError(`Avro schema: ${at} names "${name}", which is not declared before it`)
  return node
}

function fullName(json: Record<string, unknown>, space: string, at: string): string {
  const name = json.name
  if (typeof name !== 'string' || name === '') throw new TypeError(`Avro schema: ${at} has no name`)
  if (name.includes('.')) return name
  const own = typeof json.namespace === 'string' ? json.namespace : space
  return own === '' ? name : `${own}.${name}`
}

function declare<Node extends AvroNode>(names: Map<string, AvroNode>, name: string, node: Node): Node {
  if (names.has(name)) throw new TypeError(`Avro schema: "${name}" is declared twice`)
  names.set(name, node)
  return node
}

function list<Type extends 'string' | 'number'>(json: unknown, type: Type, at: string) {
  if (json === undefined) return null
  if (!Array.isArray(json) || json.some((item) => typeof item !== type)) {
    throw new TypeError(`Avro schema: ${at} is not a list of ${type}s`)
  }
  return json as (Type extends 'string' ? string : number)[]
}
