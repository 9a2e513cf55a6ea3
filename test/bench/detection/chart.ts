/**
 * A chart turns a stream into a number that grows with the suspicion of a change; it alarms when the number first reaches
 * a threshold. All detectors, ours and peers', are charts here: their own parameter is the threshold, so one pass over a
 * healthy stream gives the run length at every setting.
 *
 * Only the first alarm counts, so what a published rule does after it (reset, drop a window) is not part of a chart.
 */
export interface Chart {
  /** The number after one more pane of counts. */
  step(counts: Float64Array): number
}

export interface ChartKind {
  readonly name: string
  readonly whose: 'ours' | 'peer' | 'oracle'
  /** The threshold that its authors (or, for ours, the promise at `run` panes) set; null: none is published. */
  threshold(run: number): number | null
  start(seed: number): Chart
}
