import type { SliceCounts } from '@interlock/contracts'
import { packCounts } from '@interlock/contracts'
import type { Columns } from './columns.ts'
import { type Counter, countRows, sliceOf } from './count.ts'

/** Numbers in all vectors of a tally beyond which it should be emptied before more rows come: 32 MiB. */
const fullTally = 4_194_304

/** Counts of one slice: `vector` lies as the counter's layout says. */
export interface SliceVector {
  readonly dimension: string
  readonly value: string
  readonly vector: Float64Array
}

/**
 * Counts of one spec, gathered by cell (whatever the caller keeps apart: a version in a pane) and, within a cell, by
 * producer and by each segment: marginal slices, so every row is in exactly one slice of each dimension.
 */
export class Tally<Cell> {
  readonly counter: Counter
  readonly #cells = new Map<Cell, Map<number, number>[]>()
  readonly #rows: number[] = []
  readonly #starts: number[][]
  #groups = 0

  constructor(counter: Counter) {
    this.counter = counter
    this.#starts = counter.slicings.map(() => [])
  }

  get isFull(): boolean {
    return this.#groups * this.counter.layout.width > fullTally
  }

  /** Puts row `row` of the columns into `cell`. */
  add(columns: Columns, row: number, cell: Cell): void {
    const { slicings, layout } = this.counter
    let slices = this.#cells.get(cell)
    if (slices === undefined) {
      slices = slicings.map(() => new Map())
      this.#cells.set(cell, slices)
    }
    this.#rows.push(row)
    for (let dimension = 0; dimension < slices.length; dimension++) {
      const slice = sliceOf(slicings[dimension]!, columns, row)
      let group = slices[dimension]!.get(slice)
      if (group === undefined) {
        group = this.#groups++
        slices[dimension]!.set(slice, group)
      }
      this.#starts[dimension]!.push(group * layout.width)
    }
  }

  /**
   * Counts all rows that were added, from the columns that they were added with.
   *
   * @returns each cell's slices, in the order of dimension and value; cells in the order in which they first came
   */
  count(columns: Columns): Map<Cell, SliceVector[]> {
    const { layout, slicings } = this.counter
    const into = new Float64Array(this.#groups * layout.width)
    countRows(
      this.counter,
      columns,
      Int32Array.from(this.#rows),
      this.#starts.map((start) => Int32Array.from(start)),
      into,
    )
    const vectorsOf = (slices: readonly Map<number, number>[]): SliceVector[] =>
      slicings.flatMap(({ dimension, values }, index) =>
        [...slices[index]!]
          .sort(([a], [b]) => a - b)
          .map(([slice, group]) => ({
            dimension,
            value: values[slice]!,
            vector: into.subarray(group * layout.width, (group + 1) * layout.width),
          })),
      )
    return new Map([...this.#cells].map(([cell, slices]) => [cell, vectorsOf(slices)]))
  }
}

/** Slices as an out carries them. */
export function packSlices(slices: readonly SliceVector[]): SliceCounts[] {
  return slices.map(({ dimension, value, vector }) => ({ dimension, value, counts: packCounts(vector) }))
}
