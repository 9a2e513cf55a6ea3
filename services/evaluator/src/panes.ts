import { mergeSamples } from '@interlock/columns'
import type { Variant, VersionId } from '@interlock/contracts'
import { addPacked, type CountsOut, type EventTime, type Hash, packCounts, type Range } from '@interlock/contracts'

/** Counts of one pane while rows may still come. */
export interface OpenPane {
  /** By spec, version and variant. */
  readonly cells: ReadonlyMap<string, Cell>
  readonly spans: ReadonlyMap<string, Span>
  /** Size of the packed counts held. */
  readonly bytes: number
}

/** Rows of one version in one pane under one spec, sliced. */
export interface Cell {
  readonly spec: Hash
  readonly version: VersionId
  readonly variant: Variant
  readonly rows: number
  /** Packed counts by `sliceKey`, as they came; their sum is what counts. */
  readonly slices: ReadonlyMap<string, readonly Uint8Array[]>
  /** Samples of event ids as they came; their merge is what counts. */
  readonly ids: readonly Uint8Array[]
}

/** Cover of one partition's offsets. */
export interface Span {
  readonly topic: string
  readonly partition: number
  readonly from: bigint
  readonly to: bigint
}

/** Packs of a slice are summed into one when there are so many: memory does not grow with the number of steps. */
const packsBeforeMerge = 8

const separator = '\u0000'

/** Value under which the values count that a spec does not know. */
export const otherValue = 'other'

/** Name of a slice among those of a cell. */
export function sliceKey(dimension: string, value: string): string {
  return `${dimension}${separator}${value}`
}

export function sliceOf(key: string): { readonly dimension: string; readonly value: string } {
  const at = key.indexOf(separator)
  return { dimension: key.slice(0, at), value: key.slice(at + 1) }
}

export const emptyPane: OpenPane = { cells: new Map(), spans: new Map(), bytes: 0 }

/** The pane with more counts in it. Counts add: any order and any split of the same rows gives the same sums. */
export function addCounts(pane: OpenPane, outs: readonly CountsOut[]): OpenPane {
  const spans = new Map(pane.spans)
  for (const { span } of outs) coverSpan(spans, span)
  const parts = outs.map(({ spec, version, variant, rows, slices, ids }) => ({
    cell: { spec, version, variant, rows, ids: ids === undefined ? [] : [ids] },
    packs: slices.map(({ dimension, value, counts }) => [sliceKey(dimension, value), counts] as const),
  }))
  return { ...addParts(pane, parts), spans }
}

/** One pane out of several: of another length, when the length of panes changed between two watches. */
export function joinPanes(panes: readonly OpenPane[]): OpenPane {
  const [first = emptyPane, ...others] = panes
  return others.reduce((joined, pane) => {
    const spans = new Map(joined.spans)
    for (const span of pane.spans.values()) coverSpan(spans, span)
    const parts = [...pane.cells.values()].map((cell) => ({
      cell,
      packs: [...cell.slices].flatMap(([name, packs]) => packs.map((pack) => [name, pack] as const)),
    }))
    return { ...addParts(joined, parts), spans }
  }, first)
}

interface Part {
  readonly cell: Omit<Cell, 'slices'>
  readonly packs: readonly (readonly [slice: string, counts: Uint8Array])[]
}

function addParts(pane: OpenPane, parts: readonly Part[]): OpenPane {
  const cells = new Map(pane.cells)
  let bytes = pane.bytes
  const fresh = new Map<string, Map<string, readonly Uint8Array[]>>()
  for (const { cell, packs: added } of parts) {
    const { spec, version, variant } = cell
    const key = [spec, version, variant].join(separator)
    const old = cells.get(key)
    const slices = fresh.get(key) ?? new Map(old?.slices)
    fresh.set(key, slices)
    for (const [name, counts] of added) {
      const before = slices.get(name) ?? []
      const all = [...before, counts]
      const packs = all.length < packsBeforeMerge ? all : [sumPacked(all)]
      bytes += sizeOf(packs) - sizeOf(before)
      slices.set(name, packs)
    }
    const samples = [...(old?.ids ?? []), ...cell.ids]
    const ids = samples.length < packsBeforeMerge ? samples : [mergeSamples(samples)]
    bytes += sizeOf(ids) - sizeOf(old?.ids ?? [])
    cells.set(key, { spec, version, variant, rows: (old?.rows ?? 0) + cell.rows, slices, ids })
  }
  return { cells, spans: pane.spans, bytes }
}

/** Widens the cover of a span's partition, in place. */
export function coverSpan(spans: Map<string, Span>, { topic, partition, from, to }: Span | Range): void {
  const key = `${topic}${separator}${partition}`
  const old = spans.get(key)
  spans.set(key, {
    topic,
    partition,
    from: old !== undefined && old.from < from ? old.from : from,
    to: old !== undefined && old.to > to ? old.to : to,
  })
}

/** Sum of packed counts, packed: one canonical form whatever the parts were. */
export function sumPacked(packs: readonly Uint8Array[]): Uint8Array {
  const sum = new Float64Array(Math.max(0, ...packs.map(widthOf)))
  for (const pack of packs) addPacked(pack, sum)
  return packCounts(sum)
}

/** Length of the vector that packed counts need: one past their last index. */
function widthOf(packed: Uint8Array): number {
  let width = 0
  let value = 0
  let factor = 1
  let isGap = true
  for (const byte of packed) {
    value += (byte & 0x7f) * factor
    factor *= 0x80
    if (byte >= 0x80) continue
    if (isGap) width += value + 1
    isGap = !isGap
    value = 0
    factor = 1
  }
  return width
}

export function rowsOf(pane: OpenPane): number {
  let rows = 0
  for (const cell of pane.cells.values()) rows += cell.rows
  return rows
}

/** Start of the first pane that begins at `at` or later. */
export function paneFrom(at: EventTime, paneMs: number): EventTime {
  return Math.ceil(at / paneMs) * paneMs
}

function sizeOf(packs: readonly Uint8Array[]): number {
  return packs.reduce((sum, pack) => sum + pack.length, 0)
}
