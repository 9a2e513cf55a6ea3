import { type HistogramPlace, specialAt } from '@interlock/contracts'

/** Rows on each side without which a median says nothing. */
const fewestRows = 30

/** Counts of a numeric histogram in the order of the values: below the edges, each bin, above them. */
export function binCounts(place: HistogramPlace, counts: Float64Array): readonly number[] {
  const special = (name: 'below' | 'above'): number => counts[specialAt(place, name)] ?? 0
  return [special('below'), ...counts.subarray(place.at, place.at + place.bins), special('above')]
}

/** Medians of two histograms over the same edges; undefined where there are too few rows or no answer inside. */
export function medians(
  edges: readonly number[],
  now: readonly number[],
  reference: readonly number[],
): { readonly now: number; readonly reference: number } | undefined {
  const mine = quantile(edges, now, 0.5)
  const theirs = quantile(edges, reference, 0.5)
  return mine === undefined || theirs === undefined ? undefined : { now: mine, reference: theirs }
}

/**
 * A quantile, interpolated evenly within its bin.
 *
 * @param counts below the first edge, each bin, above the last edge
 * @returns undefined for fewer than `fewest` rows, or when the quantile lies beyond the edges
 */
export function quantile(
  edges: readonly number[],
  counts: readonly number[],
  at: number,
  fewest: number = fewestRows,
): number | undefined {
  const rows = counts.reduce((total, count) => total + count, 0)
  if (rows < fewest || rows === 0) return undefined
  let rank = at * rows - (counts[0] ?? 0)
  if (rank < 0) return undefined
  for (let bin = 0; bin + 1 < edges.length; bin++) {
    const count = counts[bin + 1] ?? 0
    const [low, high] = [edges[bin] as number, edges[bin + 1] as number]
    if (count > 0 && rank <= count) return low + ((high - low) * rank) / count
    rank -= count
  }
  return undefined
}
