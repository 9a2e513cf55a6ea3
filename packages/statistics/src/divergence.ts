import type { Driver, Interval } from '@interlock/contracts'
import { ln } from './elementary.ts'
import { mixtureLogWealth, mixtureRadius, mixtureRho } from './normal-mixture.ts'

/** A histogram: its bins in any positive scale, and the number of independent rows that it is worth. */
export interface Sample {
  readonly bins: ArrayLike<number>
  readonly rows: number
}

/** Greatest divergence that is ever reported; stands for "no upper bound" as well. */
export const divergenceCeiling = 50

/** The rows at which the always-valid interval is narrowest, compared with one that looks once. */
const tunedTo = 1000

/** Share of each bin with half a row added to all that either side ever filled (Jeffreys), so that none is 0 or ∞. */
function smoothed(sample: Sample, live: readonly number[]): number[] {
  let total = 0
  for (const bin of live) total += sample.bins[bin] as number
  const scale = total > 0 ? sample.rows / total : 0
  return live.map((bin) => ((sample.bins[bin] as number) * scale + 0.5) / (sample.rows + live.length / 2))
}

interface Estimate {
  /** KL(reference‖now) less its bias. */
  readonly value: number
  /** φ(1/n + 1/m): one over the independent rows that the comparison is worth. */
  readonly noise: number
  readonly freedom: number
  /** How much more uncertain a large divergence is than the small-shift law says (≥ 1). */
  readonly excess: number
}

const largestExcess = 10

/**
 * KL(reference‖now), nats, less its bias (B−1)/2·noise. Where the divergence is d its estimate has the variance
 *
 *   V(d) = (B−1)/2·noise² + 2·d·noise·excess
 *
 * the first part from the χ² law at no difference, the second from the non-central one; `excess` is the delta method's
 * variance over that law's.
 */
function estimateOf(reference: Sample, now: Sample, phi: number): Estimate | null {
  if (!(reference.rows > 0 && now.rows > 0)) return null
  const live: number[] = []
  for (let bin = 0; bin < now.bins.length; bin++)
    if ((reference.bins[bin] as number) > 0 || (now.bins[bin] as number) > 0) live.push(bin)
  const p = smoothed(reference, live)
  const q = smoothed(now, live)
  let value = 0
  let square = 0
  let inverse = 0
  for (let i = 0; i < live.length; i++) {
    const share = p[i] as number
    const log = ln(share / (q[i] as number))
    value += share * log
    square += share * log * log
    inverse += (share * share) / (q[i] as number)
  }
  const noise = phi * (1 / now.rows + 1 / reference.rows)
  const freedom = live.length - 1
  const delta = phi * ((square - value * value) / reference.rows + (inverse - 1) / now.rows)
  const excess = value > 0 ? Math.min(largestExcess, Math.max(1, delta / (2 * value * noise))) : 1
  return { value: value - (freedom / 2) * noise, noise, freedom, excess }
}

/**
 * Divergence of `now` from `reference` with an (asymptotic) always-valid interval: every d that is less than a radius of
 * √V(d) from the estimate. Without data everything is possible.
 */
export function divergence(reference: Sample, now: Sample, phi: number, alpha: number): Interval {
  const estimate = estimateOf(reference, now, phi)
  if (estimate === null) return { estimate: 0, low: 0, high: divergenceCeiling }
  const { value, noise, freedom, excess } = estimate
  const radius = mixtureRadius(1 / noise, mixtureRho(tunedTo, alpha), alpha) * Math.sqrt(noise)
  const square = radius * radius * noise
  const centre = value + square * excess
  const reach = Math.sqrt(Math.max(0, centre * centre - value * value + (square * noise * freedom) / 2))
  const within = (bound: number): number => Math.min(divergenceCeiling, Math.max(0, bound))
  const low = Math.min(value, centre - reach)
  return { estimate: within(value), low: within(low), high: within(centre + reach) }
}

/** Evidence is to show soon, so its mixture is widest where little has been seen. */
const evidenceTunedTo = 100

/** ln of the evidence that the divergence is above `tolerance` (asymptotic; a part of evidence, never all of it). */
export function logDivergenceAbove(reference: Sample, now: Sample, phi: number, tolerance: number): number {
  const estimate = estimateOf(reference, now, phi)
  if (estimate === null) return 0
  const { value, noise, freedom, excess } = estimate
  const error = Math.sqrt((freedom / 2) * noise * noise + 2 * tolerance * noise * excess)
  return error > 0 ? mixtureLogWealth((value - tolerance) / error, 1 / noise, mixtureRho(evidenceTunedTo, 0.05)) : 0
}

/**
 * How much likelier two laws are than one, nats, less what chance alone brings (mean and two deviations of its χ²): half the
 * G statistic. A description of the past; it is no evidence.
 */
export function logTwoLaws(reference: Sample, now: Sample, phi: number): number {
  const totals = [totalOf(reference), totalOf(now)] as const
  if (!(totals[0] > 0 && totals[1] > 0)) return 0
  let nats = 0
  let live = 0
  for (let bin = 0; bin < now.bins.length; bin++) {
    const theirs = ((reference.bins[bin] as number) / totals[0]) * reference.rows
    const ours = ((now.bins[bin] as number) / totals[1]) * now.rows
    if (!(theirs + ours > 0)) continue
    live++
    const common = (theirs + ours) / (reference.rows + now.rows)
    if (ours > 0) nats += ours * ln(ours / (common * now.rows))
    if (theirs > 0) nats += theirs * ln(theirs / (common * reference.rows))
  }
  const freedom = Math.max(0, live - 1)
  return nats / phi - freedom / 2 - Math.sqrt(2 * freedom)
}

function totalOf(sample: Sample): number {
  let sum = 0
  for (let bin = 0; bin < sample.bins.length; bin++) sum += sample.bins[bin] as number
  return sum
}

const driversKept = 5

/** Bins that hold more than they should, by their share of all that is too much; the largest five. */
export function driversOf(names: readonly string[], dimension: string, reference: Sample, now: Sample): Driver[] {
  const referenceTotal = totalOf(reference)
  const nowTotal = totalOf(now)
  if (referenceTotal <= 0 || nowTotal <= 0) return []
  const rows = names.map((value, bin) => {
    const share = {
      now: (now.bins[bin] as number) / nowTotal,
      reference: (reference.bins[bin] as number) / referenceTotal,
    }
    return { value, ...share, excess: Math.max(0, share.now - share.reference) }
  })
  const excess = rows.reduce((sum, row) => sum + row.excess, 0)
  if (excess === 0) return []
  return rows
    .filter((row) => row.excess > 0)
    .sort((a, b) => b.excess - a.excess || (a.value < b.value ? -1 : 1))
    .slice(0, driversKept)
    .map((row) => ({
      dimension,
      value: row.value,
      share: row.excess / excess,
      now: row.now,
      reference: row.reference,
    }))
}
