import { type Columns, type Counter, sliceOf } from '@interlock/columns'
import { sampleIds } from '@interlock/contracts'
import type { Place } from './placing.ts'

/** Bytes that the counts of one message may take in an entry; the shell cuts a batch of messages, not a message. */
export const messageRoomBytes = 640 * 1_024

const bytesOfCell = 256
const bytesOfSlice = 64
/** A packed number of a count vector with its gap, at most, on average. */
const bytesOfNumber = 4

/** An id of a sample: a gap of up to eight bytes, and how often it came. */
const bytesOfId = 10

/** One row of a message with its place. */
export interface PlacedRow {
  readonly row: number
  readonly place: Place
  readonly counter: Counter
}

/**
 * Whether the counts of one message fit into an entry. A message of many rows that spread over very many panes or slices
 * does not; a function of the message alone, so that it does not depend on the batch.
 */
export function fitsEntry(columns: Columns, rows: readonly PlacedRow[]): boolean {
  const perRow = (counter: Counter): number =>
    bytesOfNumber * (5 + counter.spec.features.length + 3 * counter.layout.moments.length)
  const idBytes = ({ watch }: Place, count: number): number =>
    watch.ids === true ? Math.min(count, sampleIds) * bytesOfId : 0
  const atMost = rows.reduce(
    (sum, { counter, place }) =>
      sum + bytesOfCell + idBytes(place, 1) + counter.slicings.length * (bytesOfSlice + perRow(counter)),
    0,
  )
  if (atMost <= messageRoomBytes) return true
  const slices = new Map<string, { rows: number; counter: Counter }>()
  const cells = new Map<Place, { readonly name: string; rows: number }>()
  for (const { row, place, counter } of rows) {
    const cell = cells.get(place) ?? { name: String(cells.size), rows: 0 }
    cells.set(place, cell)
    cell.rows++
    counter.slicings.forEach((slicing, dimension) => {
      const slice = `${cell.name}/${dimension}/${sliceOf(slicing, columns, row)}`
      const known = slices.get(slice)
      if (known === undefined) slices.set(slice, { rows: 1, counter })
      else known.rows++
    })
  }
  let bytes = 0
  for (const [place, cell] of cells) bytes += bytesOfCell + idBytes(place, cell.rows)
  for (const { rows: count, counter } of slices.values()) {
    bytes += bytesOfSlice + Math.min(count * perRow(counter), counter.layout.width * bytesOfNumber)
  }
  return bytes <= messageRoomBytes
}
