import { type CountSpec, type EventTime, packCounts, type SliceCounts } from '@interlock/contracts'
import { type BaselineBatch, checkBatches, fillColumns } from './baseline-rows.ts'
import { bounds } from './bounds.ts'
import { Columns } from './columns.ts'
import { counterOf } from './count.ts'
import { Tally } from './tally.ts'
import { wantedOf } from './wanted.ts'

/** Counts of one pane, as the profiler would have sent them. */
export interface PaneCounts {
  readonly start: EventTime
  readonly rows: number
  readonly slices: readonly SliceCounts[]
}

/**
 * Counts the rows of a table by pane of their own time, with the very kernel that counts live traffic. Rows without a time
 * are left out. A pane that is spread over two parts of a batch has its slices twice: whoever reads them adds.
 *
 * @returns panes in order of time; those without a row are left out
 * @throws BaselineProblem where the columns do not fit together
 */
export function countPanes(spec: CountSpec, batches: readonly BaselineBatch[], paneMs: number): readonly PaneCounts[] {
  checkBatches(batches)
  const wanted = wantedOf({ environments: [], tenants: [], deployments: [], versions: [], specs: [spec] })
  const counter = counterOf(spec, wanted)
  const panes = new Map<EventTime, { rows: number; slices: SliceCounts[] }>()
  const take = (tally: Tally<EventTime>, columns: Columns): void => {
    for (const [start, vectors] of tally.count(columns)) {
      const pane = panes.get(start) ?? { rows: 0, slices: [] }
      panes.set(start, pane)
      for (const { dimension, value, vector } of vectors) {
        pane.slices.push({ dimension, value, counts: packCounts(vector) })
        if (dimension === 'producer') pane.rows += vector[counter.layout.rows] as number
      }
    }
  }
  for (const batch of batches) {
    for (let from = 0; from < batch.prediction.length; from += bounds.rows) {
      const to = Math.min(from + bounds.rows, batch.prediction.length)
      const columns = new Columns(wanted, to - from)
      fillColumns(columns, batch, from, to)
      let tally = new Tally<EventTime>(counter)
      for (let row = 0; row < columns.rows; row++) {
        const time = batch.timeMs?.[from + row] ?? Number.NaN
        if (!Number.isFinite(time)) continue
        if (tally.isFull) {
          take(tally, columns)
          tally = new Tally<EventTime>(counter)
        }
        tally.add(columns, row, Math.floor(time / paneMs) * paneMs)
      }
      take(tally, columns)
    }
  }
  const starts = [...panes.keys()].sort((a, b) => a - b)
  return starts.map((start) => ({ start, ...panes.get(start)! }))
}
