import { exp, ln } from './elementary.ts'

/** A bin may be thought at most this much likelier in one arm than in the other: bounds what one pane can win or lose. */
const largestOdds = 50

/**
 * ln of the e-value of one pane for "both arms draw from one law", for odds θ_b fixed before the pane was seen.
 *
 * With S_b rows of the candidate and F_b of the stable arm in bin b, N_b = S_b + F_b and ρ = n_c/N:
 *
 *   ln E = Σ_b S_b ln θ_b − Σ_b N_b ln(1 − ρ + ρθ_b)
 *
 * It is the likelihood ratio of "row i is the candidate's with chance ρθ_b/(1−ρ+ρθ_b)" against ρ, and uses the rows of
 * both arms. Exact null: for rows drawn from any one law p, E[E] = u^{n_c}·v^{n_s} with u = Σ p_b θ_b/(1−ρ+ρθ_b),
 * v = Σ p_b/(1−ρ+ρθ_b), ρu + (1−ρ)v = 1, so it is ≤ 1 by the inequality of means. The law may change from pane to pane.
 *
 * The last term pays for rows that are a fixed set dealt to the arms (same hour, same batch): there n_c is not free, and
 * E[E] can reach √(V₀/V), V₀ = Nρ(1−ρ) and V = Σ N_b·ρθ_b(1−ρ)/(1−ρ+ρθ_b)² (local limit of the weighted deal).
 *
 * @source Turner, Ly & Grünwald, "Generic e-variables for exact sequential k-sample tests", arXiv 2106.02693
 */
export function logDealIncrement(
  candidate: ArrayLike<number>,
  stable: ArrayLike<number>,
  odds: ArrayLike<number>,
): number {
  let n = 0
  let m = 0
  for (let bin = 0; bin < odds.length; bin++) {
    n += candidate[bin] as number
    m += stable[bin] as number
  }
  if (n === 0 || m === 0) return 0
  const share = n / (n + m)
  let logE = 0
  let spread = 0
  for (let bin = 0; bin < odds.length; bin++) {
    const now = candidate[bin] as number
    const both = now + (stable[bin] as number)
    if (both === 0) continue
    const theta = odds[bin] as number
    const mean = 1 + share * (theta - 1)
    logE += now * ln(theta) - both * ln(mean)
    spread += (both * theta) / (mean * mean)
  }
  return logE - Math.max(0, 0.5 * ln((n + m) / spread))
}

/**
 * Odds of each bin between the arms as the past says: Dirichlet posterior means of both arms, drawn towards what they
 * have in common with the weight of `strength` rows. Without a past all are 1, and nothing is staked.
 *
 * @param now, reference  rows of each bin, both in the candidate's scale (same total)
 */
export function predictedOdds(now: ArrayLike<number>, reference: ArrayLike<number>, strength: number): Float64Array {
  const odds = new Float64Array(now.length)
  let n = 0
  let m = 0
  for (let bin = 0; bin < now.length; bin++) {
    n += now[bin] as number
    m += reference[bin] as number
  }
  for (let bin = 0; bin < now.length; bin++) {
    const s = now[bin] as number
    const r = reference[bin] as number
    const common = (strength * (s + r + 0.5)) / (n + m + now.length / 2)
    const theta = ((s + common) / (n + strength)) * ((m + strength) / (r + common))
    odds[bin] = Math.min(largestOdds, Math.max(1 / largestOdds, theta))
  }
  return odds
}

/** A change of shape along the order of the values: `slope` moves rows up (or down), `bend` moves them outwards (or inwards). */
export interface Tilt {
  readonly slope: number
  readonly bend: number
}

/**
 * Odds that need no past of the candidate: the stable arm's own law, tilted along the rank of the bin,
 *
 *   θ_b ∝ exp(slope·x_b + bend·(x_b² − ⅓)),  x_b = 2·(mid-rank of bin b) − 1,  Σ p_b θ_b = 1
 *
 * Bins without a place in the order (missing, invalid) keep θ = 1. Without a past all are 1.
 *
 * @param reference rows of the stable arm in each bin, any scale
 * @param ordered places of the bins from the smallest values to the largest
 */
export function tiltedOdds(reference: ArrayLike<number>, ordered: readonly number[], tilt: Tilt): Float64Array {
  const odds = new Float64Array(reference.length).fill(1)
  let total = 0
  for (const bin of ordered) total += reference[bin] as number
  if (!(total > 0)) return odds
  let below = 0
  let norm = 0
  for (const bin of ordered) {
    const share = (reference[bin] as number) / total
    const place = 2 * (below + share / 2) - 1
    const weight = exp(tilt.slope * place + tilt.bend * (place * place - 1 / 3))
    odds[bin] = weight
    norm += share * weight
    below += share
  }
  for (const bin of ordered) odds[bin] = Math.min(largestOdds, Math.max(1 / largestOdds, (odds[bin] as number) / norm))
  return odds
}
