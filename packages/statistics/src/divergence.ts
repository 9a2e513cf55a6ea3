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
  readonly value: number
  readonly error: number
  readonly rows: number
}

/**
 * KL(reference‖now), nats, less its bias (B−1)/2·(1/n + 1/m)·φ, with the delta method's standard error plus the part
 * that remains when nothing differs (χ² law of the divergence).
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
  const variance = phi * ((square - value * value) / reference.rows + (inverse - 1) / now.rows)
  return {
    value: value - ((live.length - 1) / 2) * noise,
    error: Math.sqrt(Math.max(0, variance) + ((live.length - 1) / 2) * noise * noise),
    rows: 1 / noise,
  }
}

/** Divergence of `now` from `reference` with an (asymptotic) always-valid interval; everything is possible without data. */
export function divergence(reference: Sample, now: Sample, phi: number, alpha: number): Interval {
  const estimate = estimateOf(reference, now, phi)
  if (estimate === null) return { estimate: 0, low: 0, high: divergenceCeiling }
  const rho = mixtureRho(tunedTo, alpha)
  const radius = (estimate.error * mixtureRadius(estimate.rows, rho, alpha)) / Math.sqrt(estimate.rows)
  const within = (value: number): number => Math.min(divergenceCeiling, Math.max(0, value))
  return {
    estimate: within(estimate.value),
    low: within(estimate.value - radius),
    high: within(estimate.value + radius),
  }
}

/** ln of the evidence that the divergence is above `tolerance` (asymptotic; a part of evidence, never all of it). */
export function logDivergenceAbove(reference: Sample, now: Sample, phi: number, tolerance: number): number {
  const estimate = estimateOf(reference, now, phi)
  if (estimate === null || estimate.error === 0) return 0
  return mixtureLogWealth((estimate.value - tolerance) / estimate.error, estimate.rows, mixtureRho(tunedTo, 0.05))
}

const driversKept = 5

/** Bins that hold more than they should, by their share of all that is too much; the largest five. */
export function driversOf(names: readonly string[], dimension: string, reference: Sample, now: Sample): Driver[] {
  const total = (sample: Sample): number => {
    let sum = 0
    for (let bin = 0; bin < sample.bins.length; bin++) sum += sample.bins[bin] as number
    return sum
  }
  const referenceTotal = total(reference)
  const nowTotal = total(now)
  if (referenceTotal <= 0 || nowTotal <= 0) return []
  const rows = names.map((value, bin) => {
    const share = { now: (now.bins[bin] as number) / nowTotal, reference: (reference.bins[bin] as number) / referenceTotal }
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
