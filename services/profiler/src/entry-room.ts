import { type Columns, type Counter, sliceOf } from '@interlock/columns'
import type { Place } from './placing.ts'

/** Bytes that the counts of one message may take in an entry; the shell cuts a batch of messages, not a message. */
export const messageRoomBytes = 640 * 1_024

const bytesOfCell = 256
const bytesOfSlice = 64
/** A packed number of a count vector with its gap, at most, on average. */
const bytesOfNumber = 4

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
  const atMost = rows.reduce(
    (sum, { counter }) => sum + bytesOfCell + counter.slicings.length * (bytesOfSlice + perRow(counter)),
    0,
  )
  if (atMost <= messageRoomBytes) return true
  const slices = new Map<string, { rows: number; counter: Counter }>()
  const cells = new Map<Place, string>()
  for (const { row, place, counter } of rows) {
    const cell = cells.get(place) ?? String(cells.size)
    cells.set(place, cell)
    counter.slicings.forEach((slicing, dimension) => {
      const slice = `${cell}/${dimension}/${sliceOf(slicing, columns, row)}`
      const known = slices.get(slice)
      if (known === undefined) slices.set(slice, { rows: 1, counter })
      else known.rows++
    })
  }
  let bytes = cells.size * bytesOfCell
  for (const { rows: count, counter } of slices.values()) {
    bytes += bytesOfSlice + Math.min(count * perRow(counter), counter.layout.width * bytesOfNumber)
  }
  return bytes <= messageRoomBytes
}
