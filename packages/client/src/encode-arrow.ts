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
  vectorFromArray,
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
  const values = Float64Array.from(cells, (cell) => (typeof cell === 'number' ? cell : 0))
  return makeData({ type: new Float64(), length: cells.length, data: values, ...validity(cells) })
}

/** @param id  of the dictionary within the stream, or null for text as itself */
function textData(cells: readonly Cell[], id: number | null): Data {
  const texts = cells.map((cell) => (isNothing(cell) ? null : String(cell)))
  if (id === null) return vectorFromArray(texts, new Utf8()).data[0]!
  const codes = new Map<string, number>()
  const indices = Int32Array.from(texts, (text) => {
    if (text === null) return 0
    const code = codes.get(text) ?? codes.size
    codes.set(text, code)
    return code
  })
  const dictionary = vectorFromArray([...codes.keys()], new Utf8())
  const type = new Dictionary(new Utf8(), new Int32(), id)
  return makeData({ type, length: cells.length, data: indices, dictionary, ...validity(cells) })
}

/** Arrow's bitmap of what is there: bit 1 = a value, least significant bit first. */
function validity(cells: readonly Cell[]): { readonly nullCount: number; readonly nullBitmap?: Uint8Array } {
  const nullCount = cells.filter(isNothing).length
  if (nullCount === 0) return { nullCount }
  const nullBitmap = new Uint8Array((cells.length + 7) >> 3)
  for (const [row, cell] of cells.entries()) if (!isNothing(cell)) nullBitmap[row >> 3]! |= 1 << (row & 7)
  return { nullCount, nullBitmap }
}

function isNothing(cell: Cell): boolean {
  return cell === null || cell === undefined
}
