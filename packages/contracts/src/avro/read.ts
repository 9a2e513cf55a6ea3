import { ByteReader, Malformed } from './bytes.ts'
import { fromDefault } from './default.ts'
import { type AvroField, type AvroNode, type AvroRecord, maxDepth } from './schema.ts'

/** Items that cost no byte in Avro (null, empty records) are bounded here; all others by the bytes that are there. */
const maxEmptyItems = 1_024

/**
 * Plain value of Avro binary, written with `writer` and wanted as `reader` (specification, "Schema Resolution").
 *
 * @param at  where the value begins in `bytes`; it must end where they end
 * @throws Malformed when the bytes are no value of the writer's schema, or the two schemas cannot be resolved.
 */
export function readAvro(writer: AvroNode, reader: AvroNode, bytes: Uint8Array, at = 0): unknown {
  const tap = new ByteReader(bytes, at)
  const value = read(writer, reader, tap, 0)
  if (tap.left > 0) throw new Malformed(`${tap.left} bytes are left after the value`)
  return value
}

function read(writer: AvroNode, reader: AvroNode, tap: ByteReader, depth: number): unknown {
  if (depth > maxDepth) throw new Malformed(`the value is nested deeper than ${maxDepth}`)
  if (writer.kind === 'union') {
    const branch = writer.branches[tap.long()]
    if (!branch) throw new Malformed(`byte ${tap.at} follows a branch that the union does not have`)
    return read(branch, reader, tap, depth + 1)
  }
  if (reader.kind === 'union') return read(writer, readerBranch(writer, reader.branches), tap, depth + 1)
  if (writer !== reader && !resolves(writer, reader))
    throw new Malformed(`a ${label(writer)} was written where a ${label(reader)} is read`)
  switch (writer.kind) {
    case 'null':
      return null
    case 'boolean': {
      const byte = tap.byte()
      if (byte > 1) throw new Malformed(`byte ${tap.at - 1} should be a boolean`)
      return byte === 1
    }
    case 'int':
    case 'long': {
      if (reader.kind === 'long' && reader.offset) return tap.wideLong()
      const value = writer.kind === 'int' ? tap.int() : tap.long()
      if (reader.kind === 'long' && reader.oneOf && !reader.oneOf.includes(value)) {
        throw new Malformed(`${value} is not one of ${reader.oneOf.join(', ')}`)
      }
      return value
    }
    case 'float':
      return tap.float()
    case 'double':
      return tap.double()
    case 'string': {
      const text = tap.string()
      if (reader.kind === 'bytes') return new TextEncoder().encode(text)
      if (reader.kind === 'string' && reader.oneOf && !reader.oneOf.includes(text)) {
        throw new Malformed(`"${text.slice(0, 40)}" is not one of ${reader.oneOf.join(', ')}`)
      }
      return text
    }
    case 'bytes':
      if (reader.kind === 'string') return tap.string()
      return tap.raw(tap.long())
    case 'fixed':
      return tap.raw(writer.size)
    case 'enum': {
      const symbol = writer.symbols[tap.long()]
      if (symbol === undefined) throw new Malformed(`byte ${tap.at} follows a symbol that ${writer.name} does not have`)
      if (reader.kind !== 'enum' || reader.symbols.includes(symbol)) return symbol
      if (reader.fallback === null) throw new Malformed(`${reader.name} does not have the symbol "${symbol}"`)
      return reader.fallback
    }
    case 'array': {
      const items = (reader as { items: AvroNode }).items
      const list: unknown[] = []
      blocks(tap, canBeEmpty(writer.items, 0), () => list.push(read(writer.items, items, tap, depth + 1)))
      return list
    }
    case 'map': {
      const values = (reader as { values: AvroNode }).values
      const map: Record<string, unknown> = {}
      blocks(tap, false, () => {
        const key = tap.string()
        if (key === '__proto__') throw new Malformed('a map has the key "__proto__"')
        map[key] = read(writer.values, values, tap, depth + 1)
      })
      return map
    }
    case 'record':
      return readRecord(writer, reader as AvroRecord, tap, depth)
  }
}

function readRecord(writer: AvroRecord, reader: AvroRecord, tap: ByteReader, depth: number): unknown {
  const plan = planOf(writer, reader)
  const values: Record<string, unknown> = {}
  for (const { type, into } of plan.steps) {
    const value = read(type, into ? into.type : type, tap, depth + 1)
    if (into && !(into.optional && value === null)) values[into.name] = value
  }
  for (const field of plan.absent) {
    const value = fromDefault(field)
    if (!(field.optional && value === null)) values[field.name] = value
  }
  return reader.tuple ? reader.fields.map((field) => values[field.name]) : values
}

interface Plan {
  readonly steps: readonly { readonly type: AvroNode; readonly into: AvroField | undefined }[]
  /** Fields of the reader that the writer did not know: their defaults. */
  readonly absent: readonly AvroField[]
}
const plans = new WeakMap<AvroRecord, WeakMap<AvroRecord, Plan>>()

function planOf(writer: AvroRecord, reader: AvroRecord): Plan {
  let known = plans.get(writer)
  if (!known) {
    known = new WeakMap()
    plans.set(writer, known)
  }
  let plan = known.get(reader)
  if (!plan) {
    const steps = writer.fields.map((field) => ({
      type: field.type,
      into: reader.fields.find(({ name, aliases }) => name === field.name || aliases.includes(field.name)),
    }))
    const absent = reader.fields.filter((field) => !steps.some((step) => step.into === field))
    plan = { steps, absent }
    known.set(reader, plan)
  }
  return plan
}

function blocks(tap: ByteReader, empty: boolean, item: () => void): void {
  let total = 0
  for (let count = tap.long(); count !== 0; count = tap.long()) {
    if (count < 0) {
      count = -count
      tap.long()
    }
    total += count
    if (empty ? total > maxEmptyItems : count > tap.left) {
      throw new Malformed(`byte ${tap.at} begins a list of ${count} items, more than there can be`)
    }
    for (let index = 0; index < count; index++) item()
  }
}

function readerBranch(writer: AvroNode, branches: readonly AvroNode[]): AvroNode {
  const branch =
    branches.find(
      (candidate) => candidate.kind === writer.kind && resolves(writer, candidate) && same(writer, candidate),
    ) ??
    branches.find((candidate) => candidate.kind === writer.kind && resolves(writer, candidate)) ??
    branches.find((candidate) => resolves(writer, candidate))
  if (!branch) {
    throw new Malformed(`a ${label(writer)} was written where one of ${branches.map(label).join(', ')} is read`)
  }
  return branch
}

const promotions: Partial<Record<AvroNode['kind'], readonly AvroNode['kind'][]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

function resolves(writer: AvroNode, reader: AvroNode): boolean {
  if (writer.kind !== reader.kind) return promotions[writer.kind]?.includes(reader.kind) ?? false
  if (writer.kind === 'fixed') return writer.size === (reader as typeof writer).size
  if (writer.kind === 'record') return planOf(writer, reader as AvroRecord).absent.every((field) => field.fallback)
  return true
}

function same(writer: AvroNode, reader: AvroNode): boolean {
  return !('name' in writer) || !('name' in reader) || writer.name === reader.name
}

function canBeEmpty(node: AvroNode, depth: number): boolean {
  if (depth > maxDepth) return true
  if (node.kind === 'record') return node.fields.every((field) => canBeEmpty(field.type, depth + 1))
  return node.kind === 'null' || (node.kind === 'fixed' && node.size === 0)
}

function label(node: AvroNode): string {
  return 'name' in node ? `${node.kind} ${node.name}` : node.kind
}
