import { random } from '../sampling/random.ts'
import type { ChartKind } from './chart.ts'
import { type Plan, panesOf } from './stream.ts'

/** One setting of a chart, watched until its first alarm. */
export interface Setting {
  readonly kind: ChartKind
  readonly threshold: number
}

/** Panes from a change to its alarm. */
export interface Delay {
  /** Streams that had not alarmed before the change; the others say nothing about it. */
  readonly streams: number
  /** Streams without an alarm within the horizon, as a share. Their delay counts as the horizon. */
  readonly missed: number
  readonly mean: Estimate
  readonly median: Estimate
  readonly p90: number
}
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

export interface Change {
  readonly plan: Plan
  readonly streams: number
  /** Healthy panes before the change, drawn evenly between these. */
  readonly healthy: readonly [least: number, most: number]
  /** Panes watched after it. */
  readonly horizon: number
  readonly seed: number
}

/** Delays of every setting over the same streams; null where every stream alarmed too early. */
export function delays(
  { plan, streams, healthy, horizon, seed }: Change,
  settings: readonly Setting[],
): (Delay | null)[] {
  const found = settings.map((): number[] => [])
  const counts = new Float64Array(plan.family.shares(0).length)
  const kinds = [...new Set(settings.map(({ kind }) => kind))]
  const ofKind = kinds.map((kind) => settings.flatMap((one, index) => (one.kind === kind ? [index] : [])))
  for (let stream = 0; stream < streams; stream++) {
    const draw = random(seed + stream)
    const change = healthy[0] + Math.floor(draw.next() * (healthy[1] - healthy[0] + 1))
    const next = panesOf(plan, draw)
    const charts = kinds.map((kind) => kind.start(seed + stream))
    const open = ofKind.map((indices) => new Set(indices))
    for (let pane = 0; pane < change + horizon && open.some(({ size }) => size > 0); pane++) {
      next(counts, pane - change)
      for (let k = 0; k < charts.length; k++) {
        const waiting = open[k]!
        if (waiting.size === 0) continue
        const number = charts[k]!.step(counts)
        for (const index of waiting) {
          if (number < settings[index]!.threshold) continue
          waiting.delete(index)
          if (pane >= change) found[index]!.push(pane - change + 1)
        }
      }
    }
    for (const waiting of open) for (const index of waiting) found[index]!.push(Number.POSITIVE_INFINITY)
  }
  return found.map((panes) => (panes.length === 0 ? null : summary(panes, horizon, seed)))
}

const resamples = 300

function summary(panes: readonly number[], horizon: number, seed: number): Delay {
  const sorted = Float64Array.from(panes, (value) => Math.min(value, horizon)).sort()
  const draw = random(seed)
  const means = new Float64Array(resamples)
  const medians = new Float64Array(resamples)
  const again = new Float64Array(sorted.length)
  for (let i = 0; i < resamples; i++) {
    for (let j = 0; j < again.length; j++) again[j] = sorted[Math.floor(draw.next() * sorted.length)]!
    again.sort()
    means[i] = meanOf(again)
    medians[i] = at(again, 0.5)
  }
  const estimate = (value: number, spread: Float64Array): Estimate => {
    spread.sort()
    return { value, low: at(spread, 0.025), high: at(spread, 0.975) }
  }
  return {
    streams: panes.length,
    missed: panes.filter((value) => value === Number.POSITIVE_INFINITY).length / panes.length,
    mean: estimate(meanOf(sorted), means),
    median: estimate(at(sorted, 0.5), medians),
    p90: at(sorted, 0.9),
  }
}

function meanOf(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

function at(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
}
