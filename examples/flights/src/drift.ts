/** Bins of a baseline, and how far other counts lie from it. Only for the study: Interlock has its own. */

/** Puts values into `size` bins; the last one is for missing values. */
export type Binning = { readonly size: number; binOf(value: number | string | null): number }

/** At most `bins` bins of equal mass, by quantiles of the baseline (equal edges merge), and one for missing values. */
export function equalMassBins(values: Float64Array, bins: number): Binning {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort()
  const edges: number[] = []
  for (let part = 1; part < bins; part++) {
    const edge = sorted[Math.floor((part * sorted.length) / bins)]!
    if (edge > (edges.at(-1) ?? sorted[0]!)) edges.push(edge)
  }
  const missing = edges.length + 1
  return {
    size: missing + 1,
    binOf(value) {
      if (value === null || typeof value === 'string' || Number.isNaN(value)) return missing
      let from = 0
      let to = edges.length
      while (from < to) {
        const middle = (from + to) >>> 1
        if (edges[middle]! <= value) from = middle + 1
        else to = middle
      }
      return from
    },
  }
}

/** One bin a category of at least `leastShare` of the baseline, one for all others, one for missing values. */
export function categoryBins(values: readonly string[], leastShare: number): Binning {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const kept = [...counts.keys()].filter((value) => counts.get(value)! >= leastShare * values.length).sort()
  const bins = new Map(kept.map((value, bin) => [value, bin]))
  return {
    size: kept.length + 2,
    binOf: (value) => (typeof value === 'string' ? (bins.get(value) ?? kept.length) : kept.length + 1),
  }
}

/**
 * Kullback–Leibler divergence Σ p ln(p / q) in nats of `baseline` (p) from `current` (q), with half a count added to
 * each bin that either side has.
 */
export function divergence(baseline: Float64Array, current: Float64Array): number {
  const used = usedBins(baseline, current)
  const baselineRows = sum(baseline) + 0.5 * used.length
  const currentRows = sum(current) + 0.5 * used.length
  let total = 0
  for (const bin of used) {
    const p = (baseline[bin]! + 0.5) / baselineRows
    const q = (current[bin]! + 0.5) / currentRows
    total += p * Math.log(p / q)
  }
  return total
}

/** What the divergence is on average between two samples of one law: (B − 1)/2 · (1/n + 1/m). */
export function divergenceByChance(baseline: Float64Array, current: Float64Array): number {
  return ((usedBins(baseline, current).length - 1) / 2) * (1 / sum(baseline) + 1 / sum(current))
}

function usedBins(baseline: Float64Array, current: Float64Array): number[] {
  return [...baseline.keys()].filter((bin) => baseline[bin]! + current[bin]! > 0)
}

function sum(counts: Float64Array): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
