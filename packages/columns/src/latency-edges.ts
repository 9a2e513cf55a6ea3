/** Latencies that a share .5, .1 and .01 of healthy rows reach or exceed, in ms. */
export interface LatencyLimits {
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

const smallestMs = 0.5
const largestMs = 60_000
/** Four edges an octave: √√2. A quantile read from bins is at most 19 % off. */
const ratio = Math.sqrt(Math.sqrt(2))

/** Edges of the latency histogram: 0, then a geometric ladder from 0.5 ms past a minute, and the limits exactly. */
export function latencyEdges({ p50, p90, p99 }: LatencyLimits): number[] {
  const edges = [0, p50, p90, p99]
  for (let edge = smallestMs; edge < largestMs * ratio; edge *= ratio) edges.push(edge)
  return [...new Set(edges)].sort((a, b) => a - b)
}

/**
 * Limits from healthy latencies. Each lies above its quantile and not on it: latencies often come in whole milliseconds,
 * and a limit on such an atom would be exceeded by all of it.
 *
 * @param sorted ascending
 * @returns null where there is no latency
 */
export function latencyLimitsOf(sorted: Float64Array): LatencyLimits | null {
  if (sorted.length === 0) return null
  const above = (quantile: number): number => {
    const at = Math.max(0, Math.ceil(quantile * sorted.length) - 1)
    const value = Math.max(0, sorted[at]!)
    const next = sorted.subarray(at).find((candidate) => candidate > value)
    return next === undefined ? value + Math.max(value, smallestMs) / 1_024 : value + (next - value) / 2
  }
  return { p50: above(0.5), p90: above(0.9), p99: above(0.99) }
}
