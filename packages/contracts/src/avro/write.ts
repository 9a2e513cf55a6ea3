import { ByteWriter } from './bytes.ts'
import type { AvroNode, AvroRecord } from './schema.ts'
import { branchOf, isPlainObject } from './shape.ts'

const int64 = { low: -(2n ** 63n), high: 2n ** 63n - 1n }

/** A value that does not have its schema's shape; the message names schema, path, and what should stand there. */
export class WrongShape extends TypeError {
  override readonly name = 'WrongShape'
}

/**
 * Avro binary form of a plain value. Map keys are written sorted and in one block, so equal values give equal bytes.
 *
 * @throws WrongShape naming the path when the value does not have the schema's shape, or has a property that the schema
 *   does not declare: nothing is ever left out silently.
 */
export function writeAvro(node: AvroNode, value: unknown): Uint8Array {
  const out = new ByteWriter()
  writeInto(node, value, out)
  return out.finish()
}

/** As `writeAvro`, behind what `out` already holds. */
export function writeInto(node: AvroNode, value: unknown, out: ByteWriter): void {
  const path: string[] = []
  try {
    write(node, value, out, path)
  } catch (error) {
    if (!(error instanceof Unfit)) throw error
    const name = node.kind === 'record' ? node.name : node.kind
    throw new WrongShape(`${name}: ${path.join('.') || 'the value'} ${error.message}`)
  }
}

class Unfit extends Error {}

function write(node: AvroNode, value: unknown, out: ByteWriter, path: string[]): void {
  switch (node.kind) {
    case 'null':
      if (value !== null) throw unfit('null', value)
      return
    case 'boolean':
      if (typeof value !== 'boolean') throw unfit('true or false', value)
      out.byte(value ? 1 : 0)
      return
    case 'int':
      if (typeof value !== 'number' || value !== (value | 0)) throw unfit('a whole number of 32 bits', value)
      out.long(value)
      return
    case 'long':
      if (node.offset) {
        if (typeof value !== 'bigint' || value < int64.low || value > int64.high) throw unfit('a bigint offset', value)
      } else if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unfit('a whole number', value)
      else if (node.oneOf && !node.oneOf.includes(value)) throw unfit(`one of ${node.oneOf.join(', ')}`, value)
      out.long(value as number | bigint)
      return
    case 'float':
    case 'double':
      if (typeof value !== 'number') throw unfit('a number', value)
      if (node.kind === 'float') out.float(value)
      else out.double(value)
      return
    case 'string':
      if (typeof value !== 'string' || !value.isWellFormed()) throw unfit('text', value)
      if (node.oneOf && !node.oneOf.includes(value)) throw unfit(`one of ${node.oneOf.join(', ')}`, value)
      out.string(value)
      return
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw unfit('bytes', value)
      out.long(value.length)
      out.raw(value)
      return
    case 'fixed':
      if (!(value instanceof Uint8Array) || value.length !== node.size) throw unfit(`${node.size} bytes`, value)
      out.raw(value)
      return
    case 'enum': {
      const index = node.symbols.indexOf(value as string)
      if (index < 0) throw unfit(`one of ${node.symbols.join(', ')}`, value)
      out.long(index)
      return
    }
    case 'union': {
      const index = branchOf(node.branches, value)
      if (index < 0) throw unfit(`one of ${node.branches.map((branch) => branch.kind).join(', ')}`, value)
      out.long(index)
      write(node.branches[index]!, value, out, path)
      return
    }
    case 'array':
      if (!Array.isArray(value)) throw unfit('a list', value)
      if (value.length > 0) {
        out.long(value.length)
        for (const [index, item] of value.entries())
          inside(path, String(index), () => write(node.items, item, out, path))
      }
      out.byte(0)
      return
    case 'map': {
      if (!isPlainObject(value)) throw unfit('an object', value)
      const keys = Object.keys(value).sort()
      if (keys.length > 0) {
        out.long(keys.length)
        for (const key of keys) {
          inside(path, key, () => {
            if (key === '__proto__' || !key.isWellFormed()) throw new Unfit('is no lawful key')
            out.string(key)
            write(node.values, value[key], out, path)
          })
        }
      }
      out.byte(0)
      return
    }
    case 'record':
      if (node.tuple) writeTuple(node, value, out, path)
      else writeRecord(node, value, out, path)
      return
  }
}

function writeRecord(node: AvroRecord, value: unknown, out: ByteWriter, path: string[]): void {
  if (!isPlainObject(value)) throw unfit('an object', value)
  for (const key of Object.keys(value)) {
    if (value[key] !== undefined && !node.fields.some((field) => field.name === key)) {
      throw new Unfit(`has a field "${key}" that the schema ${node.name} does not declare: add it to schemas/`)
    }
  }
  for (const field of node.fields) {
    const property = value[field.name]
    inside(path, field.name, () => {
      if (field.optional && property === null) throw unfit('absent or a value', property)
      write(field.type, field.optional ? (property ?? null) : property, out, path)
    })
  }
}

function writeTuple(node: AvroRecord, value: unknown, out: ByteWriter, path: string[]): void {
  if (!Array.isArray(value) || value.length !== node.fields.length) throw unfit(`${node.fields.length} values`, value)
  for (const [index, field] of node.fields.entries()) {
    inside(path, field.name, () => write(field.type, value[index], out, path))
  }
}

function inside(path: string[], name: string, work: () => void): void {
  path.push(name)
  work()
  path.pop()
}

function unfit(wanted: string, value: unknown): Unfit {
  return new Unfit(`should be ${wanted} and is ${describe(value)}`)
}

function describe(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return `"${value.slice(0, 40)}"`
  if (value === null || value === undefined) return value === null ? 'null' : 'missing'
  return Array.isArray(value) ? `a list of ${value.length}` : `a ${typeof value}`
}
