import { bounds } from './bounds.ts'
import { Unreadable } from './fault.ts'
import { FlatTable } from './flat-table.ts'

/** Type of a column, as far as we read it. `buffers` and `children` say what of a batch to step over. */
export interface ArrowField {
  readonly name: string
  readonly type: 'number' | 'text' | 'null' | 'other'
  /** Bytes a value, or an offset of a text. 0 where neither applies. */
  readonly width: number
  readonly read: (view: DataView, at: number) => number
  readonly buffers: number
  readonly children: readonly ArrowField[]
  /** Id of the dictionary whose entries the values are; `type` is that of the entries then. */
  readonly dictionary: { readonly id: number; readonly index: ArrowField } | null
}

/** One column of a batch: rows and its buffers (validity, offsets or values, data), views into the message. */
export interface ArrowColumn {
  readonly field: ArrowField
  readonly rows: number
  readonly buffers: readonly DataView[]
}

export interface ArrowBatch {
  readonly rows: number
  readonly columns: readonly ArrowColumn[]
  /** Entries of each dictionary, by id. */
  readonly dictionaries: ReadonlyMap<number, readonly ArrowColumn[]>
}

const kinds = { schema: 1, dictionary: 2, batch: 3 } as const
/** Longest vectors of fields and buffers that make sense; a hostile schema names more. */
const mostFields = 4_096
const mostNesting = 8

/**
 * Record batches of an Arrow IPC stream (https://arrow.apache.org/docs/format/Columnar.html, "IPC Streaming Format"; the
 * numbers of fields are those of format/*.fbs). Nothing is copied and nothing is allocated by a length that was not
 * checked against the bytes: apache-arrow's own reader, given an altered stream, may allocate until the process dies.
 *
 * @throws Unreadable, RangeError (a position outside the message)
 */
export function readArrowStream(bytes: Uint8Array): ArrowBatch[] {
  const batches: ArrowBatch[] = []
  const dictionaries = new Map<number, readonly ArrowColumn[]>()
  let fields: readonly ArrowField[] | null = null
  for (const { header, kind, body } of messages(bytes)) {
    if (kind === kinds.schema) {
      if (fields !== null) throw unreadable('two schemas in one stream')
      if (header.int16(0) !== 0) throw unreadable('numbers are big-endian')
      fields = header.tables(1).map((field) => fieldOf(field, 0))
      if (fields.length > mostFields) throw unreadable(`${fields.length} columns; at most ${mostFields} are taken`)
    } else if (kind === kinds.dictionary) {
      const id = header.int64(0)
      const data = header.table(1)
      const field = entriesOf(fields ?? [], id)
      if (data === null || field === null) throw unreadable(`dictionary ${id} belongs to no column`)
      const [column] = columnsOf(data, [field], body)
      const isDelta = header.uint8(2) === 1
      dictionaries.set(id, isDelta ? [...(dictionaries.get(id) ?? []), column!] : [column!])
    } else if (kind === kinds.batch) {
      if (fields === null) throw unreadable('a batch stands before its schema')
      const rows = header.int64(0)
      batches.push({ rows, columns: columnsOf(header, fields, body), dictionaries: new Map(dictionaries) })
    }
  }
  if (fields === null) throw unreadable('there is no schema in it')
  return batches
}

interface Message {
  readonly kind: number
  readonly header: FlatTable
  readonly body: DataView
}

function* messages(bytes: Uint8Array): Generator<Message> {
  const part = (from: number, length: number): DataView => {
    if (!(length >= 0 && from + length <= bytes.length)) throw unreadable(`it ends early, at byte ${bytes.length}`)
    return new DataView(bytes.buffer, bytes.byteOffset + from, length)
  }
  for (let at = 0; at < bytes.length; ) {
    const start = part(at, 8)
    if (start.getUint32(0, true) !== 0xffff_ffff) throw unreadable(`no message begins at byte ${at}`)
    const metadataBytes = start.getUint32(4, true)
    if (metadataBytes === 0) return
    const metadata = part(at + 8, metadataBytes)
    const message = FlatTable.root(metadata)
    const header = message.table(2)
    if (header === null) throw unreadable(`the message at byte ${at} has no header`)
    const bodyBytes = message.int64(3)
    const body = part(at + 8 + metadataBytes, bodyBytes)
    yield { kind: message.uint8(1), header, body }
    at += 8 + metadataBytes + bodyBytes
  }
}

/** The field whose values are the entries of dictionary `id`. */
function entriesOf(fields: readonly ArrowField[], id: number): ArrowField | null {
  const field = fields.find(({ dictionary }) => dictionary?.id === id)
  return field === undefined ? null : { ...field, dictionary: null, buffers: field.type === 'text' ? 3 : 2 }
}

function columnsOf(batch: FlatTable, fields: readonly ArrowField[], body: DataView): ArrowColumn[] {
  if (batch.has(3)) throw unreadable('its buffers are compressed: write the stream without compression')
  const rows = batch.int64(0)
  if (!(rows >= 0)) throw unreadable(`a batch has ${rows} rows`)
  if (rows > bounds.rows)
    throw new Unreadable('oversized', `Arrow: ${rows} rows in one message; at most ${bounds.rows} are taken`)
  const buffers = batch.pairs(2)
  let next = 0
  const take = (count: number): DataView[] =>
    Array.from({ length: count }, () => {
      const [offset, length] = buffers[next++] ?? [-1, 0]
      if (!(offset >= 0 && length >= 0 && offset + length <= body.byteLength)) {
        throw unreadable('a buffer lies outside the body of its message')
      }
      return new DataView(body.buffer, body.byteOffset + offset, length)
    })
  const skip = (field: ArrowField): void => {
    next += field.buffers
    field.children.forEach(skip)
  }
  return fields.map((field) => {
    const own = take(field.buffers)
    field.children.forEach(skip)
    return { field, rows, buffers: own }
  })
}

function fieldOf(field: FlatTable, depth: number): ArrowField {
  if (depth > mostNesting) throw unreadable(`columns are nested deeper than ${mostNesting}`)
  const name = field.text(0)
  const children = field.tables(5).map((child) => fieldOf(child, depth + 1))
  const encoding = field.table(4)
  const plain = { name, children, dictionary: null, ...typeOf(name, field.uint8(2), field.table(3)) }
  if (encoding === null) return plain
  const index = { ...plain, ...intOf(encoding.table(1)), children: [] }
  return { ...plain, buffers: index.buffers, children: [], dictionary: { id: encoding.int64(0), index } }
}

type Shape = Pick<ArrowField, 'type' | 'width' | 'read' | 'buffers'>

/** Milliseconds in seconds, milli-, micro- and nanoseconds, as a fraction so that whole ones stay whole. */
const unitsOfTime: readonly (readonly [times: number, over: number])[] = [
  [1_000, 1],
  [1, 1],
  [1, 1_000],
  [1, 1_000_000],
]

const unread = (): number => Number.NaN

function typeOf(name: string, kind: number, type: FlatTable | null): Shape {
  const other = (buffers: number): Shape => ({ type: 'other', width: 0, read: unread, buffers })
  switch (kind) {
    case 1:
      return { type: 'null', width: 0, read: unread, buffers: 0 }
    case 2:
      return intOf(type)
    case 3:
      return floatOf(type?.int16(0) ?? 0) ?? other(2)
    case 5:
      return { type: 'text', width: 4, read: (view, at) => view.getInt32(at, true), buffers: 3 }
    case 10: {
      const [times, over] = unitsOfTime[type?.int16(0) ?? 0] ?? [1, 1]
      const read: ArrowField['read'] = (view, at) => (Number(view.getBigInt64(at, true)) * times) / over
      return { type: 'number', width: 8, read, buffers: 2 }
    }
    case 20:
      return { type: 'text', width: 8, read: (view, at) => Number(view.getBigInt64(at, true)), buffers: 3 }
    case 4: // Binary
    case 19: // LargeBinary
      return other(3)
    case 6: // Bool
    case 7: // Decimal
    case 8: // Date
    case 9: // Time
    case 11: // Interval
    case 12: // List
    case 15: // FixedSizeBinary
    case 17: // Map
    case 18: // Duration
    case 21: // LargeList
      return other(2)
    case 13: // Struct
    case 16: // FixedSizeList
      return other(1)
    default:
      throw unreadable(`column "${name.slice(0, 40)}" has a type that is not taken (${kind})`)
  }
}

/** An integer type; without one, the 32-bit index that dictionaries have by default. */
function intOf(type: FlatTable | null): Shape {
  const bits = type === null ? 32 : type.int32(0)
  const signed = type === null || type.uint8(1) === 1
  const reads: Readonly<Record<number, ArrowField['read']>> = {
    8: (view, at) => (signed ? view.getInt8(at) : view.getUint8(at)),
    16: (view, at) => (signed ? view.getInt16(at, true) : view.getUint16(at, true)),
    32: (view, at) => (signed ? view.getInt32(at, true) : view.getUint32(at, true)),
    64: (view, at) => Number(signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true)),
  }
  const read = reads[bits]
  if (read === undefined) throw unreadable(`whole numbers of ${bits} bits`)
  return { type: 'number', width: bits / 8, read, buffers: 2 }
}

function floatOf(precision: number): Shape | null {
  if (precision === 1) return { type: 'number', width: 4, read: (view, at) => view.getFloat32(at, true), buffers: 2 }
  if (precision === 2) return { type: 'number', width: 8, read: (view, at) => view.getFloat64(at, true), buffers: 2 }
  return null
}

function unreadable(detail: string): Unreadable {
  return new Unreadable('malformed', `Arrow: not a readable IPC stream: ${detail}`)
}
