import type { AvroNode } from '@interlock/contracts'
import { AvroCursor } from './avro-cursor.ts'
import type { Column, Columns } from './columns.ts'
import { Unreadable } from './fault.ts'
import type { Paths } from './paths.ts'
import { unknownWord, WordTable } from './word-table.ts'

/** Reads one value at the cursor into row `row`, or over it. */
type Read = (cursor: AvroCursor, columns: Columns, row: number) => void

/** How the records of one writer's schema become rows. */
export interface AvroPlan {
  readonly read: Read
}

/**
 * Makes the plan of a (writer, reader) pair: one closure a field of the writer's schema that either fills a column or
 * steps over the bytes, so that a record is read in one pass without an object. Resolution follows the specification:
 * fields are matched by name (here: by mapped path), numbers are promoted, the writer's unknown fields are skipped, and
 * fields that only the reader has take its defaults. No code is generated, so a strict content policy holds.
 */
export function avroPlan(writer: AvroNode, reader: AvroNode, paths: Paths): AvroPlan {
  const reached = new Set<number>()
  const body = compile(writer, '', { paths, reached, skips: new Map() })
  const defaults: Read[] = []
  if (reader.kind === 'record') {
    for (const { name, fallback } of reader.fields) {
      const value = fallback?.json
      for (const place of paths.columns.get(name) ?? []) {
        if (reached.has(place)) continue
        if (typeof value === 'string') defaults.push((_, columns, row) => columns.all[place]!.putText(row, value))
        if (typeof value === 'number') defaults.push((_, columns, row) => columns.all[place]!.putNumber(row, value))
      }
    }
  }
  if (defaults.length === 0) return { read: body }
  return {
    read: (cursor, columns, row) => {
      for (const put of defaults) put(cursor, columns, row)
      body(cursor, columns, row)
    },
  }
}

/** Reads the one Avro record that `bytes` hold from `from` on into row `columns.rows`. @throws Unreadable */
export function readAvroRow(plan: AvroPlan, bytes: Uint8Array, from: number, columns: Columns): void {
  const cursor = new AvroCursor(bytes, from)
  plan.read(cursor, columns, columns.rows)
  if (cursor.at !== bytes.length)
    throw new Unreadable('malformed', `Avro: ${bytes.length - cursor.at} bytes are left behind the record`)
}

interface Compiling {
  readonly paths: Paths
  readonly reached: Set<number>
  readonly skips: Map<AvroNode, Read>
}

function compile(node: AvroNode, path: string, making: Compiling): Read {
  const places = making.paths.columns.get(path)
  if (places !== undefined) return readingAll(node, places, making)
  const inside = path === '' ? '' : `${path}.`
  const holds = [...making.paths.columns.keys()].some((wanted) => wanted.startsWith(inside))
  if (!holds) return skipping(node, making)
  switch (node.kind) {
    case 'record': {
      const reads = node.fields.map(({ name, type }) => compile(type, `${inside}${name}`, making))
      return (cursor, columns, row) => {
        for (const read of reads) read(cursor, columns, row)
      }
    }
    case 'map':
      return readingMap(node.values, inside, making)
    case 'union':
      return choosing(node.branches.map((branch) => compile(branch, path, making)))
    default:
      return skipping(node, making)
  }
}

/** Fills every column of a path: each reads the same bytes. */
function readingAll(node: AvroNode, places: readonly number[], making: Compiling): Read {
  const reads = places.map((place) => {
    making.reached.add(place)
    return reading(node, place, making)
  })
  if (reads.length === 1) return reads[0]!
  return (cursor, columns, row) => {
    const start = cursor.at
    for (const read of reads) {
      cursor.at = start
      read(cursor, columns, row)
    }
  }
}

/** A map whose entries are columns: known keys are read, all others stepped over. */
function readingMap(values: AvroNode, inside: string, making: Compiling): Read {
  const keys = [...making.paths.columns.keys()].filter((wanted) => wanted.startsWith(inside))
  const table = new WordTable(keys.map((key) => key.slice(inside.length)))
  const reads = keys.map((key) => compile(values, key, making))
  const skip = skipping(values, making)
  // A writer nearly always writes its keys in the same order, so the code at each place is guessed from the row before.
  const guesses: number[] = []
  return (cursor, columns, row) => {
    let place = 0
    for (let count = cursor.block(); count > 0; count = cursor.block()) {
      for (; count > 0; count--, place++) {
        const from = cursor.bytesFrom()
        let code = guesses[place] ?? unknownWord
        if (code === unknownWord || !table.isWord(code, cursor.bytes, from, cursor.at)) {
          code = table.codeOfBytes(cursor.bytes, from, cursor.at)
          if (place < reads.length) guesses[place] = code
        }
        if (code === unknownWord) skip(cursor, columns, row)
        else reads[code]!(cursor, columns, row)
      }
    }
  }
}

function choosing(branches: readonly Read[]): Read {
  return (cursor, columns, row) => {
    const branch = branches[cursor.long()]
    if (branch === undefined) throw new Unreadable('malformed', `Avro: no such branch of a union at byte ${cursor.at}`)
    branch(cursor, columns, row)
  }
}

/** Fills the column at `place` from a value of any type. */
function reading(node: AvroNode, place: number, making: Compiling): Read {
  const put = (read: (cursor: AvroCursor, column: Column, row: number) => void): Read => {
    return (cursor, columns, row) => read(cursor, columns.all[place]!, row)
  }
  switch (node.kind) {
    case 'null':
      return put((_, column, row) => column.putNothing(row))
    case 'int':
    case 'long':
      return put((cursor, column, row) => column.putNumber(row, cursor.long()))
    case 'float':
      return put((cursor, column, row) => column.putNumber(row, cursor.float()))
    case 'double':
      return put((cursor, column, row) => column.putNumber(row, cursor.double()))
    case 'string':
    case 'bytes':
      return put((cursor, column, row) => {
        const from = cursor.bytesFrom()
        column.putBytes(row, cursor.bytes, from, cursor.at)
      })
    case 'enum':
      return put((cursor, column, row) => {
        const symbol = node.symbols[cursor.long()]
        if (symbol === undefined) throw new Unreadable('malformed', `Avro: no such symbol at byte ${cursor.at}`)
        column.putText(row, symbol)
      })
    case 'union':
      return choosing(node.branches.map((branch) => reading(branch, place, making)))
    case 'boolean':
    case 'fixed':
    case 'array':
    case 'map':
    case 'record': {
      const skip = skipping(node, making)
      return (cursor, columns, row) => {
        skip(cursor, columns, row)
        columns.all[place]!.putOther(row)
      }
    }
  }
}

/** Steps over a value. Memoised by node, so that a record which holds itself compiles. */
function skipping(node: AvroNode, making: Compiling): Read {
  const known = making.skips.get(node)
  if (known !== undefined) return known
  let skip: Read = () => {}
  making.skips.set(node, (cursor, columns, row) => skip(cursor, columns, row))
  skip = skipOf(node, making)
  making.skips.set(node, skip)
  return skip
}

function skipOf(node: AvroNode, making: Compiling): Read {
  switch (node.kind) {
    case 'null':
      return () => {}
    case 'boolean':
      return (cursor) => cursor.boolean()
    case 'int':
    case 'long':
    case 'enum':
      return (cursor) => void cursor.long()
    case 'float':
      return (cursor) => cursor.skip(4)
    case 'double':
      return (cursor) => cursor.skip(8)
    case 'string':
    case 'bytes':
      return (cursor) => void cursor.bytesFrom()
    case 'fixed':
      return (cursor) => cursor.skip(node.size)
    case 'union':
      return choosing(node.branches.map((branch) => skipping(branch, making)))
    case 'array':
    case 'map': {
      const skip = skipping(node.kind === 'array' ? node.items : node.values, making)
      const keyed = node.kind === 'map'
      return (cursor, columns, row) => {
        for (let count = cursor.block(); count > 0; count = cursor.block()) {
          for (; count > 0; count--) {
            if (keyed) cursor.bytesFrom()
            skip(cursor, columns, row)
          }
        }
      }
    }
    case 'record': {
      const skips = node.fields.map(({ type }) => skipping(type, making))
      return (cursor, columns, row) => {
        cursor.enter()
        for (const skip of skips) skip(cursor, columns, row)
        cursor.leave()
      }
    }
  }
}
