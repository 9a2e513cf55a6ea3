import { histogramWidth, type PaneSummary, type WatchOut } from '@interlock/contracts'
import type { ClosedPane, VariantCounts } from './closed-pane.ts'
import { binCounts, quantile } from './medians.ts'
import type { Plan } from './plan.ts'

/** Rows, errors, latency and answers of each version in a closed pane; a watched version without a row stands there with 0. */
export function summariesOf(plan: Plan, watch: WatchOut, pane: ClosedPane): readonly PaneSummary[] {
  const seen = new Set(pane.variants.map(({ version }) => version))
  const silent = (version: VariantCounts['version'] | null, variant: 'stable' | 'candidate'): VariantCounts[] =>
    version === null || seen.has(version) ? [] : [{ version, variant, rows: 0, counts: plan.zero }]
  const all = [...pane.variants, ...silent(watch.stable, 'stable'), ...silent(watch.candidate, 'candidate')]
  return all.map((each) => summaryOf(plan, each))
}

function summaryOf({ layout, latencyEdgesMs }: Plan, { version, variant, rows, counts }: VariantCounts): PaneSummary {
  const { status, latency, prediction } = layout
  const latencies = binCounts(latency, counts)
  return {
    version,
    variant,
    rows,
    // `predictionStatuses`: ok, error, timeout, fallback. A fallback is an answer of the rule, not of this version.
    errors: (counts[status + 1] as number) + (counts[status + 2] as number),
    latencyMs: {
      p50: latencyQuantile(latencyEdgesMs, latencies, 0.5),
      p90: latencyQuantile(latencyEdgesMs, latencies, 0.9),
      p99: latencyQuantile(latencyEdgesMs, latencies, 0.99),
    },
    predictions: [...counts.subarray(prediction.at, prediction.at + histogramWidth(prediction))],
  }
}

/** A latency quantile for charts, ms: the nearest edge where it lies beyond them, 0 without a row. */
function latencyQuantile(edges: readonly number[], counts: readonly number[], at: number): number {
  const rows = counts.reduce((total, count) => total + count, 0)
  if (rows === 0) return 0
  const inside = quantile(edges, counts, at, 1)
  if (inside !== undefined) return inside
  return (counts[0] ?? 0) >= at * rows ? (edges[0] ?? 0) : (edges.at(-1) ?? 0)
}
