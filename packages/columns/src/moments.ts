import { type CountSpec, layoutOf, momentSplit } from '@interlock/contracts'

/** Mean and variance of a numeric feature over the rows within its edges, in the feature's own units. */
export interface Moments {
  readonly rows: number
  readonly mean: number
  /** Unbiased; null for a single row. */
  readonly variance: number | null
}

/**
 * Reads a feature's moments from counts. Sums are whole numbers, so the same rows give the same bits in whatever parts they were
 * counted; they are combined exactly, n·Σx² − (Σx)² too, and rounded once at the end. Each value was first rounded to the
 * spec's fixed point, which is off by at most half of `scale`.
 *
 * @param counts a count vector in the layout of `spec`
 * @returns null where no row lies within the edges
 * @throws RangeError when the spec has no such numeric feature, or no scale for it: sums of steps are then no values
 */
export function momentsOf(counts: Float64Array, spec: CountSpec, name: string): Moments | null {
  const layout = layoutOf(spec)
  const index = spec.features.findIndex((feature) => feature.name === name)
  const feature = spec.features[index]
  const place = layout.features[index]
  const moment = layout.moments.find((each) => each.name === name)
  if (feature?.kind !== 'numeric' || place === undefined || moment === undefined)
    throw new RangeError(`no numeric feature "${name}" in this spec`)
  const { scale } = feature
  if (!(scale > 0 && Number.isFinite(scale))) throw new RangeError(`feature "${name}" has no scale: ${scale}`)
  let rows = 0
  for (let bin = 0; bin < place.bins; bin++) rows += counts[place.at + bin]!
  if (rows === 0) return null
  const n = BigInt(rows)
  const s1 = BigInt(counts[moment.s1]!)
  const s2 = BigInt(counts[moment.s2High]!) * BigInt(momentSplit) + BigInt(counts[moment.s2Low]!)
  const mean = feature.edges[0]! + scale * (counts[moment.s1]! / rows)
  const variance = rows < 2 ? null : scale * scale * (Number(n * s2 - s1 * s1) / Number(n * (n - 1n)))
  return { rows, mean, variance }
}
