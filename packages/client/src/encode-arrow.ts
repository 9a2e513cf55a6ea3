import { type EventKind, type Events, ownRegistry } from '@interlock/contracts'
import {
  type Data,
  Dictionary,
  Field,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
  Vector,
} from 'apache-arrow'

type Cell = string | number | null | undefined
/** Text that hardly repeats goes as itself, all other text by dictionary codes. */
const distinctTexts = new Set(['id', 'unit', 'predictionId'])
const mapFields = ['features', 'segments'] as const

/**
 * Arrow IPC stream with one record batch, in the layout of schemas/README.md: a column a field, maps flattened to
 * `features.<name>` and `segments.<name>`. Equal events give equal bytes.
 *
 * @param events  at least one; the caller bounds their number
 */
export function encodeArrow<Kind extends EventKind = 'prediction'>(
  events: readonly Events[Kind][],
  kind: Kind = 'prediction' as Kind,
): Uint8Array {
  const rows = events as unknown as readonly Readonly<Record<string, unknown>>[]
  const columns: { readonly name: string; readonly data: Data }[] = []
  const add = (name: string, cells: readonly Cell[], text: 'code' | 'itself' | 'if any'): void => {
    const asText = text !== 'if any' || cells.some((cell) => typeof cell === 'string')
    const data = asText ? textData(cells, text === 'itself' ? null : columns.length) : numberData(cells)
    columns.push({ name, data })
  }
  for (const { name, text } of flatFields(kind))
    add(
      name,
      rows.map((row) => row[name] as Cell),
      text,
    )
  for (const field of mapFields) {
    const maps = rows.map((row) => (row[field] ?? {}) as Readonly<Record<string, Cell>>)
    for (const name of [...new Set(maps.flatMap(Object.keys))].sort()) {
      const cells = maps.map((map) => (Object.hasOwn(map, name) ? map[name] : null))
      add(`${field}.${name}`, cells, field === 'segments' ? 'code' : 'if any')
    }
  }
  const schema = new Schema(columns.map(({ name, data }) => new Field(name, data.type, true)))
  const children = columns.map(({ data }) => data)
  const struct = makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children })
  return RecordBatchStreamWriter.writeAll([new RecordBatch(schema, struct)]).toUint8Array(true)
}

/** The fields of an event that are columns of their own, as the Avro schema has them. */
function flatFields(
  kind: EventKind,
): readonly { readonly name: string; readonly text: 'code' | 'itself' | 'if any' }[] {
  const { node } = ownRegistry.newest(kind)
  if (node.kind !== 'record') throw new TypeError(`schema of ${kind} is no record`)
  return node.fields
    .filter(({ type }) => type.kind !== 'map')
    .map(({ name, type }) => {
      const kinds = type.kind === 'union' ? type.branches.map((branch) => branch.kind) : [type.kind]
      if (!kinds.includes('string')) return { name, text: 'if any' }
      return { name, text: distinctTexts.has(name) ? 'itself' : 'code' }
    })
}

function numberData(cells: readonly Cell[]): Data {
  const data = new Float64Array(cells.length)
  for (const [row, cell] of cells.entries()) if (typeof cell === 'number') data[row] = cell
  return makeData({ type: new Float64(), length: cells.length, data, ...validity(cells) })
}

/** @param id  of the dictionary within the stream, or null for text as itself */
function textData(cells: readonly Cell[], id: number | null): Data {
  if (id === null) return utf8Data(cells.map((cell) => (isNothing(cell) ? null : String(cell))))
  const codes = new Map<string, number>()
  const data = new Int32Array(cells.length)
  for (const [row, cell] of cells.entries()) {
    if (isNothing(cell)) continue
    const text = String(cell)
    let code = codes.get(text)
    if (code === undefined) {
      code = codes.size
      codes.set(text, code)
    }
    data[row] = code
  }
  const dictionary = new Vector([utf8Data([...codes.keys()])])
  const type = new Dictionary(new Utf8(), new Int32(), id)
  return makeData({ type, length: cells.length, data, dictionary, ...validity(cells) })
}

/** By hand: apache-arrow's own builder takes most of the time of a batch. */
function utf8Data(texts: readonly (string | null)[]): Data<Utf8> {
  const valueOffsets = new Int32Array(texts.length + 1)
  for (const [row, text] of texts.entries()) valueOffsets[row + 1] = valueOffsets[row]! + Buffer.byteLength(text ?? '')
  const data = Buffer.alloc(valueOffsets[texts.length]!)
  for (const [row, text] of texts.entries()) data.write(text ?? '', valueOffsets[row]!)
  return makeData({ type: new Utf8(), length: texts.length, data, valueOffsets, ...validity(texts) })
}

/** Arrow's bitmap of what is there: bit 1 = a value, least significant bit first. */
function validity(cells: readonly Cell[]): { readonly nullCount: number; readonly nullBitmap?: Uint8Array } {
  const nullBitmap = new Uint8Array((cells.length + 7) >> 3)
  let nullCount = 0
  for (const [row, cell] of cells.entries()) {
    if (isNothing(cell)) nullCount++
    else nullBitmap[row >> 3]! |= 1 << (row & 7)
  }
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap }
}

function isNothing(cell: Cell): boolean {
  return cell === null || cell === undefined
}
