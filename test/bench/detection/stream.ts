import type { Random } from '../sampling/random.ts'
import type { Family } from './families.ts'
import { gamma, normal, poisson } from './gamma.ts'

/**
 * How panes of a healthy stream differ more than independent rows would. `phi` is the dispersion of a pane (variance over
 * that of independent rows); `clumped` panes are independent of each other (negative binomial and its kin), those of
 * `latent` hang together: a first-order autoregression with coefficient `rho` drives the law.
 */
export type Noise =
  | { readonly kind: 'independent' }
  | { readonly kind: 'clumped'; readonly phi: number }
  | { readonly kind: 'latent'; readonly phi: number; readonly rho: number }

export const independent: Noise = { kind: 'independent' }

/** How much of the change is in force so many panes after it began: 0 to 1. */
export type Course = (since: number) => number

export const courses = {
  abrupt: () => 1,
  gradual: (since: number) => 1 / (1 + Math.exp(-(since - 25) / 5)),
  incremental: (since: number) => Math.min(1, (since + 1) / 50),
  recurring: (since: number) => (Math.floor(since / 25) % 2 === 0 ? 1 : 0),
} as const satisfies Record<string, Course>

/** The law of a stream pane by pane: which family, how noisy, and what changes when. */
export interface Plan {
  readonly family: Family
  readonly noise: Noise
  readonly size: number
  readonly course: Course
}

/** Draws the panes of one stream into `counts`. Call it once a pane; `since` < 0 is health. */
export function panesOf(
  { family, noise, size, course }: Plan,
  draw: Random,
): (counts: Float64Array, since: number) => void {
  const usual = family.shares(0)
  const full = family.shares(size)
  const rho = noise.kind === 'latent' ? noise.rho : 0
  const amplitude = amplitudeOf(family, noise)
  let latent = normal(draw)

  return (counts, since) => {
    const level = since < 0 ? 0 : course(since)
    let shares = level === 0 ? usual : level === 1 ? full : family.shares(size * level)
    if (noise.kind === 'latent') {
      latent = rho * latent + Math.sqrt(1 - rho * rho) * normal(draw)
      shares = bent(family, shares, amplitude, latent)
    } else if (noise.kind === 'clumped') shares = clumped(family, shares, noise.phi, draw)
    if (family.kind === 'volume') counts[0] = poisson(draw, family.rows * shares[0]!)
    else fill(counts, family.rows, shares, draw)
  }
}

/** How far the latent number bends the law, so that the dispersion of a pane is φ: to first order, while every cell fills. */
function amplitudeOf(family: Family, noise: Noise): number {
  if (noise.kind !== 'latent') return 0
  const usual = family.shares(0)
  if (family.kind === 'volume') return Math.sqrt(Math.log(1 + (noise.phi - 1) / family.rows))
  if (family.kind === 'rate') return Math.sqrt(Math.log(1 + (noise.phi - 1) / (family.rows * usual[1]!)))
  const mean = usual.reduce((sum, share, cell) => sum + share * family.scores[cell]!, 0)
  const variance = usual.reduce((sum, share, cell) => sum + share * (family.scores[cell]! - mean) ** 2, 0)
  return Math.sqrt(((noise.phi - 1) * (usual.length - 1)) / family.rows / variance)
}

function bent(family: Family, shares: readonly number[], amplitude: number, latent: number): readonly number[] {
  const factor = Math.exp(amplitude * latent - (amplitude * amplitude) / 2)
  if (family.kind === 'volume') return [shares[0]! * factor]
  if (family.kind === 'rate') return rateOf(shares[1]! * factor)
  const made = shares.map((share, cell) => share * Math.exp(amplitude * latent * family.scores[cell]!))
  const total = made.reduce((a, b) => a + b, 0)
  return made.map((share) => share / total)
}

function clumped(family: Family, shares: readonly number[], phi: number, draw: Random): readonly number[] {
  if (phi <= 1) return shares
  if (family.kind === 'volume') {
    const shape = (family.rows * shares[0]!) / (phi - 1)
    return [(shares[0]! * gamma(draw, shape)) / shape]
  }
  if (family.kind === 'rate') {
    const shape = (family.rows * shares[1]!) / (phi - 1)
    return rateOf((shares[1]! * gamma(draw, shape)) / shape)
  }
  const strength = (family.rows - phi) / (phi - 1)
  const made = shares.map((share) => gamma(draw, share * strength))
  const total = made.reduce((a, b) => a + b, 0)
  return made.map((share) => share / total)
}

function rateOf(rate: number): readonly number[] {
  const bounded = Math.min(0.999, rate)
  return [1 - bounded, bounded]
}

function fill(counts: Float64Array, rows: number, shares: readonly number[], draw: Random): void {
  let left = rows
  let mass = 1
  for (let cell = counts.length - 1; cell > 0; cell--) {
    const taken = draw.binomial(left, Math.min(1, shares[cell]! / mass))
    counts[cell] = taken
    left -= taken
    mass -= shares[cell]!
  }
  counts[0] = left
}
