import type { EvidenceOut, VersionId } from '@interlock/contracts'
import type { ComparedVersion, Comparison } from './api.ts'
import type { Placed } from './projection.ts'
import { summedByVersion } from './series.ts'

/** Newest panes that the table compares. */
const comparedPanes = 60

/**
 * The watched versions over the same closed panes of the running generation. Panes that were not seen whole are left
 * out: half a pane would make a difference of its own.
 *
 * @param recent evidence of the newest panes, newest last
 */
export function comparisonOf(recent: readonly Placed<EvidenceOut>[]): Comparison | null {
  const last = recent.at(-1)?.out
  if (last === undefined) return null
  const panes = recent
    .map(({ out }) => out)
    .filter(({ generation, coverage }) => generation === last.generation && coverage >= 1)
    .slice(-comparedPanes)
  const first = panes[0]
  if (first === undefined) return null
  const versions = summedByVersion(last.summaries).map(({ version }) => compared(version, panes, recent))
  return { from: first.pane, to: last.pane + last.paneMs, panes: panes.length, versions }
}

function compared(
  version: VersionId,
  panes: readonly EvidenceOut[],
  recent: readonly Placed<EvidenceOut>[],
): ComparedVersion {
  const own = panes.flatMap(({ summaries }) => summedByVersion(summaries).filter((one) => one.version === version))
  const answered = own.filter(({ rows }) => rows > 0)
  const last = recent.findLast(({ out }) => out.summaries.some((one) => one.version === version && one.rows > 0))?.out
  const middle = (quantile: 'p50' | 'p90' | 'p99'): number =>
    median(answered.map(({ latencyMs }) => latencyMs[quantile]))
  return {
    version,
    variant: own.at(-1)?.variant ?? 'stable',
    rows: sum(own.map(({ rows }) => rows)),
    errors: sum(own.map(({ errors }) => errors)),
    latencyMs: answered.length === 0 ? null : { p50: middle('p50'), p90: middle('p90'), p99: middle('p99') },
    predictions: own.reduce<number[]>(
      (sums, { predictions }) => predictions.map((count, index) => count + (sums[index] ?? 0)),
      [],
    ),
    lastRows: last === undefined ? null : last.pane + last.paneMs,
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] as number
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] as number
  return (lower + upper) / 2
}
