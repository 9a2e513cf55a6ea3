import { type ArrowBatch, type ArrowColumn, readArrowStream } from './arrow-stream.ts'
import { bounds } from './bounds.ts'
import type { Column, Columns, EventKind } from './columns.ts'
import { Unreadable } from './fault.ts'
import type { Paths } from './paths.ts'

/**
 * Reads an Arrow IPC stream (schemas/README.md "Arrow layout of predictions"); columns are found by their whole name,
 * others are stepped over.
 *
 * @returns the number of rows in the message, good and bad
 * @throws Unreadable when the stream is none, has more than one batch, or more than `bounds.rows` rows
 */
export function readArrow(paths: Paths, bytes: Uint8Array, columns: Columns, kind: EventKind, record: number): number {
  try {
    const batches = readArrowStream(bytes)
    // One batch a message: more of them would multiply the work that one message of a megabyte can ask for, and a
    // message that was cut behind its schema must not pass for an empty one.
    const [batch] = batches
    if (batch === undefined || batches.length > 1)
      throw new Unreadable('malformed', `Arrow: ${batches.length} record batches; send one a message`)
    readBatch(batch, paths, columns, kind, record)
    return batch.rows
  } catch (error) {
    // What a DataView says of a position outside its bytes: the stream's own offsets are wrong.
    if (error instanceof RangeError) throw new Unreadable('malformed', `Arrow: ${error.message}`)
    throw error
  }
}

function readBatch(batch: ArrowBatch, paths: Paths, columns: Columns, kind: EventKind, record: number): void {
  columns.reserve(batch.rows)
  const found: { column: Column; put: Put }[] = []
  for (const [path, places] of paths.columns) {
    const source = batch.columns.find(({ field }) => field.name === path)
    if (source === undefined) continue
    for (const place of places) {
      const column = columns.all[place]!
      found.push({ column, put: putOf(source, batch, column) })
    }
  }
  for (let row = 0; row < batch.rows; row++) {
    for (const { column, put } of found) put(column, columns.rows, row)
    columns.endRow(kind, record, row)
  }
}

/** Puts the cell at `from` of a source into row `row` of a column. */
type Put = (column: Column, row: number, from: number) => void

function putOf(source: ArrowColumn, batch: ArrowBatch, column: Column): Put {
  const put = valuePut(source, batch, column)
  if (source.field.type === 'null') return put
  const isValid = validityOf(source)
  return (target, row, from) => (isValid(from) ? put(target, row, from) : target.putNothing(row))
}

/** Whether a cell holds a value: a bit each, or none at all where every cell does. */
function validityOf(source: ArrowColumn): (at: number) => boolean {
  const [bits] = source.buffers
  if (bits === undefined || bits.byteLength === 0) return () => true
  need(bits.byteLength * 8 >= source.rows, source)
  return (at) => ((bits.getUint8(at >> 3) >> (at & 7)) & 1) === 1
}

function valuePut(source: ArrowColumn, batch: ArrowBatch, column: Column): Put {
  const { field } = source
  if (field.dictionary !== null) return dictionaryPut(source, batch.dictionaries.get(field.dictionary.id) ?? [], column)
  switch (field.type) {
    case 'null':
      return (target, row) => target.putNothing(row)
    case 'other':
      return (target, row) => target.putOther(row)
    case 'number': {
      const values = source.buffers[1]!
      need(values.byteLength >= source.rows * field.width, source)
      return (target, row, from) => target.putNumber(row, field.read(values, from * field.width))
    }
    case 'text': {
      const text = textsOf(source)
      return (target, row, from) => text(from, (bytes, start, end) => target.putBytes(row, bytes, start, end))
    }
  }
}

/** A dictionary may be written in parts (deltas); more of them than this are no dictionary. */
const mostParts = 64
const notLookedUp = -2

/** Looks an entry of the dictionary up when it is first used: the cost is that of the rows, whatever its size. */
function dictionaryPut(source: ArrowColumn, parts: readonly ArrowColumn[], column: Column): Put {
  const { index } = source.field.dictionary!
  const values = source.buffers[1]!
  need(values.byteLength >= source.rows * index.width, source)
  if (source.field.type !== 'text') return (target, row) => target.putOther(row)
  const entries = parts.reduce((sum, { rows }) => sum + rows, 0)
  if (entries > bounds.rows || parts.length > mostParts) {
    throw new Unreadable('oversized', `Arrow: a dictionary has more than ${bounds.rows} entries or ${mostParts} parts`)
  }
  const codes = new Int32Array(entries).fill(notLookedUp)
  const texts = parts.map((part) => ({ part, isValid: validityOf(part), text: textsOf(part) }))
  return (target, row, from) => {
    const entry = index.read(values, from * index.width)
    if (!(entry >= 0 && entry < entries)) return target.putOther(row)
    let within = entry
    let at = 0
    for (; within >= texts[at]!.part.rows; at++) within -= texts[at]!.part.rows
    const { isValid, text } = texts[at]!
    if (!isValid(within)) return target.putNothing(row)
    text(within, (bytes, start, end) => {
      if (codes[entry] === notLookedUp) codes[entry] = column.table.codeOfBytes(bytes, start, end)
      target.putKnownBytes(row, codes[entry]!, bytes, start, end)
    })
  }
}

/** Where the bytes of each text lie. */
function textsOf(
  source: ArrowColumn,
): (at: number, use: (bytes: Uint8Array, start: number, end: number) => void) => void {
  const [, offsets, data] = source.buffers
  const { width, read } = source.field
  if (source.rows === 0) return () => {}
  need(offsets!.byteLength >= (source.rows + 1) * width, source)
  const bytes = new Uint8Array(data!.buffer, data!.byteOffset, data!.byteLength)
  return (at, use) => {
    const start = read(offsets!, at * width)
    const end = read(offsets!, (at + 1) * width)
    need(start >= 0 && start <= end && end <= bytes.length, source)
    use(bytes, start, end)
  }
}

function need(holds: boolean, { field }: ArrowColumn): void {
  if (!holds) throw new Unreadable('malformed', `Arrow: column "${field.name.slice(0, 40)}" is shorter than its batch`)
}
