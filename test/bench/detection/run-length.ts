import { clopperPearson } from '@interlock/statistics'
import { random } from '../sampling/random.ts'
import type { ChartKind } from './chart.ts'
import type { Family } from './families.ts'
import { type Noise, panesOf } from './stream.ts'

/** Panes at which a chart went higher than ever before in its stream, and how high. Any threshold's first alarm follows. */
export interface Records {
  readonly at: readonly number[]
  readonly value: readonly number[]
}

/** The pane (from 0) of the first number that reaches the threshold; null: none did. */
export function firstAlarm({ at, value }: Records, threshold: number): number | null {
  let [low, high] = [0, value.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (value[middle]! >= threshold) high = middle
    else low = middle + 1
  }
  return at[low] ?? null
}

/** Records of every chart over the same healthy streams: `records[chart][stream]`. */
export function healthyRecords(
  family: Family,
  noise: Noise,
  kinds: readonly ChartKind[],
  { streams, panes, seed }: { readonly streams: number; readonly panes: number; readonly seed: number },
): readonly (readonly Records[])[] {
  const all = kinds.map((): Records[] => [])
  const counts = new Float64Array(family.shares(0).length)
  for (let stream = 0; stream < streams; stream++) {
    const next = panesOf({ family, noise, size: 0, course: () => 0 }, random(seed + stream))
    const charts = kinds.map((kind) => kind.start(seed + stream))
    const made = kinds.map(() => ({ at: [] as number[], value: [] as number[], most: Number.NEGATIVE_INFINITY }))
    for (let pane = 0; pane < panes; pane++) {
      next(counts, -1)
      for (let k = 0; k < charts.length; k++) {
        const number = charts[k]!.step(counts)
        const record = made[k]!
        if (number <= record.most) continue
        record.most = number
        record.at.push(pane)
        record.value.push(number)
      }
    }
    for (const [k, { at, value }] of made.entries()) all[k]!.push({ at, value })
  }
  return all
}

/** Mean panes to a false alarm, with an interval at 95 %. */
export interface RunLength {
  readonly threshold: number
  readonly alarms: number
  readonly panes: number
  /** Panes watched an alarm (censored exponential); null: no stream alarmed. */
  readonly mean: number | null
  readonly low: number
  /** null: no upper bound, since nothing alarmed. */
  readonly high: number | null
  /** Share of streams that alarm in their first 100 panes, over that of a memoryless alarm of the same mean. */
  readonly early: number | null
}

const earlyPanes = 100

/**
 * Streams that stop at their first alarm or at the end. The mean is the maximum-likelihood one of a constant hazard; alarms
 * of so many watched panes are binomial then, hence the interval of Clopper and Pearson.
 */
export function runLength(records: readonly Records[], panes: number, threshold: number): RunLength {
  let [alarms, watched, early] = [0, 0, 0]
  for (const record of records) {
    const alarm = firstAlarm(record, threshold)
    watched += alarm === null ? panes : alarm + 1
    if (alarm === null) continue
    alarms++
    if (alarm < earlyPanes) early++
  }
  const [low, high] = clopperPearson(alarms, watched, 0.05)
  const mean = alarms === 0 ? null : watched / alarms
  const memoryless = mean === null ? 0 : 1 - (1 - 1 / mean) ** earlyPanes
  return {
    threshold,
    alarms,
    panes: watched,
    mean,
    low: 1 / high,
    high: low > 0 ? 1 / low : null,
    early: memoryless > 0 ? early / records.length / memoryless : null,
  }
}

/** The threshold whose mean run length on these streams is nearest to `run` from above; null: no threshold reaches it. */
export function calibrate(records: readonly Records[], panes: number, run: number): number | null {
  const values = [...new Set(records.flatMap(({ value }) => value))].sort((a, b) => a - b)
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const { mean } = runLength(records, panes, values[middle]!)
    if (mean !== null && mean < run) low = middle + 1
    else high = middle
  }
  const threshold = values[low]
  return threshold === undefined || threshold === Number.MAX_VALUE ? null : threshold
}
