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
 * @throws Unreadable when the stream is none, or has more than `bounds.rows` rows
 */
export function readArrow(paths: Paths, bytes: Uint8Array, columns: Columns, kind: EventKind, record: number): number {
  try {
    let rows = 0
    for (const batch of readArrowStream(bytes)) {
      if (rows + batch.rows > bounds.rows) {
        throw new Unreadable('oversized', `Arrow: more than ${bounds.rows} rows in one message`)
      }
      readBatch(batch, rows, paths, columns, kind, record)
      rows += batch.rows
    }
    return rows
  } catch (error) {
    // What a DataView says of a position outside its bytes: the stream's own offsets are wrong.
    if (error instanceof RangeError) throw new Unreadable('malformed', `Arrow: ${error.message}`)
    throw error
  }
}

function readBatch(
  batch: ArrowBatch,
  before: number,
  paths: Paths,
  columns: Columns,
  kind: EventKind,
  record: number,
): void {
  columns.reserve(batch.rows)
  const found: { column: Column; put: Put }[] = []
  for (const [path, place] of paths.columns) {
    const source = batch.columns.find(({ field }) => field.name === path)
    const column = columns.all[place]!
    if (source !== undefined) found.push({ column, put: putOf(source, batch, column) })
  }
  for (let row = 0; row < batch.rows; row++) {
    for (const { column, put } of found) put(column, columns.rows, row)
    columns.endRow(kind, record, before + row)
  }
}

/** Puts the cell at `from` of a source into row `row` of a column. */
type Put = (column: Column, row: number, from: number) => void

function putOf(source: ArrowColumn, batch: ArrowBatch, column: Column): Put {
  const put = valuePut(source, batch, column)
  const [validity] = source.buffers
  if (validity === undefined || validity.byteLength === 0) return put
  need(validity.byteLength * 8 >= source.rows, source)
  return (target, row, from) => {
    if ((validity.getUint8(from >> 3) >> (from & 7)) & 1) put(target, row, from)
    else target.putNothing(row)
  }
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

/** Looks every entry of the dictionary up once, so that a row costs an index. */
function dictionaryPut(source: ArrowColumn, parts: readonly ArrowColumn[], column: Column): Put {
  const { index } = source.field.dictionary!
  const values = source.buffers[1]!
  need(values.byteLength >= source.rows * index.width, source)
  if (source.field.type !== 'text') return (target, row) => target.putOther(row)
  const entries: ({ code: number; bytes: Uint8Array; start: number; end: number } | null)[] = []
  for (const part of parts) {
    if (entries.length + part.rows > bounds.rows)
      throw new Unreadable('oversized', 'Arrow: a dictionary has too many entries')
    const text = textsOf(part)
    const [validity] = part.buffers
    for (let at = 0; at < part.rows; at++) {
      const isNull = validity!.byteLength > 0 && !((validity!.getUint8(at >> 3) >> (at & 7)) & 1)
      if (isNull) entries.push(null)
      else
        text(at, (bytes, start, end) =>
          entries.push({ code: column.table.codeOfBytes(bytes, start, end), bytes, start, end }),
        )
    }
  }
  return (target, row, from) => {
    const entry = entries[index.read(values, from * index.width)]
    if (entry === null) target.putNothing(row)
    else if (entry === undefined) target.putOther(row)
    else target.putKnownBytes(row, entry.code, entry.bytes, entry.start, entry.end)
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
