import { exp, ln, log1p, logSumExp } from './elementary.ts'
import { logBeta, logBetaAbove, logBetaBelow } from './special.ts'

/**
 * Is one arm's rate above another's, from the failing events alone?
 *
 * Given that an event failed, it is the candidate's with chance p(r) = ρr/(ρr + 1 − ρ), r = λ_candidate/λ_stable and
 * ρ = n_c/(n_c + n_s) of the same pane. For r against r₀, with S failures of the candidate and F of the stable arm:
 *
 *   ln L(r) = S·ln(p(r)/p(r₀)) + F·ln((1−p(r))/(1−p(r₀))) = S·ln(r/r₀) − (S+F)·ln((1−ρ+ρr)/(1−ρ+ρr₀))
 *
 * The ratio r, unlike p, means the same at every share, so one mixture Σ w_k Π_t L_t(r_k) runs through a whole ramp
 * without restarts.
 *
 * Valid without asking for small rates or equal hours: for independent events E[L] ≤ exp(λ_s·(n_c r(a−1) + n_s(b−1)))
 * by 1+x ≤ e^x, with a = p(r_k)/p(r₀) and b its complement's ratio, and that exponent is 0 at r = r₀ and ≤ 0 on the safe
 * side of it. For fixed events dealt at random to the arms the count is hypergeometric, which the binomial dominates
 * (Hoeffding 1963, theorem 4).
 *
 * @source docs/statistics.md, "Candidate against stable: rates"
 */
export function logRatioIncrement(
  candidateEvents: number,
  stableEvents: number,
  share: number,
  ratio: number,
  nullRatio: number,
): number {
  const events = candidateEvents + stableEvents
  if (events === 0) return 0
  return (
    candidateEvents * ln(ratio / nullRatio) - events * ln((1 + share * (ratio - 1)) / (1 + share * (nullRatio - 1)))
  )
}

/** Alternatives r_k on one side of r₀, and the logarithms of their weights, which sum to one. */
export interface RatioGrid {
  readonly nullRatio: number
  readonly ratios: readonly number[]
  readonly logWeights: readonly number[]
}

/** Distance of the nearest alternative, |ln(r/r₀)|, growth from one to the next, and the greatest. */
const nearest = 0.03
const growth = 1.3
const widestStep = 0.35
const farthest = 4.6

/** Two truncated Beta priors on p at ρ = ½: one for the changes worth most (statistics), a flat one for outages. */
const priors = [
  { weight: 0.85, strength: 10 },
  { weight: 0.15, strength: 2 },
]

/** The alternatives of harm: ratios above `nullRatio`. */
export function ratiosAbove(nullRatio: number): RatioGrid {
  return gridOf(nullRatio, 1)
}

/** The alternatives of safety: ratios below `nullRatio`. */
export function ratiosBelow(nullRatio: number): RatioGrid {
  return gridOf(nullRatio, -1)
}

/** Grids by r₀ and side: pure values that every pane needs again. Bounded; a policy has a handful. */
const grids = new Map<number, RatioGrid>()
const gridsKept = 256

function gridOf(nullRatio: number, side: 1 | -1): RatioGrid {
  if (!(nullRatio > 0 && Number.isFinite(nullRatio)))
    throw new RangeError(`a rate ratio of ${nullRatio} cannot be tested: a tolerance must be above −1`)
  const known = grids.get(side * nullRatio)
  if (known !== undefined) return known
  const distances: number[] = []
  for (let at = nearest; at < farthest; at += Math.min(at * (growth - 1), widestStep)) distances.push(at)
  const toShare = (distance: number): number => {
    const ratio = nullRatio * exp(side * distance)
    return ratio / (1 + ratio)
  }
  const p0 = nullRatio / (1 + nullRatio)
  const weights = distances.map((distance, index) => {
    const before = index === 0 ? p0 : toShare((distance + (distances[index - 1] as number)) / 2)
    const next = distances[index + 1]
    const after = next === undefined ? (side === 1 ? 1 : 0) : toShare((distance + next) / 2)
    let weight = 0
    for (const prior of priors) {
      const a = prior.strength * p0
      const b = prior.strength * (1 - p0)
      const mass =
        side === 1
          ? exp(logBetaAbove(before, a, b)) - exp(logBetaAbove(after, a, b))
          : exp(logBetaBelow(before, a, b)) - exp(logBetaBelow(after, a, b))
      weight += (prior.weight * mass) / exp(side === 1 ? logBetaAbove(p0, a, b) : logBetaBelow(p0, a, b))
    }
    return weight
  })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const grid = {
    nullRatio,
    ratios: distances.map((distance) => nullRatio * exp(side * distance)),
    logWeights: weights.map((weight) => ln(weight / total)),
  }
  if (grids.size >= gridsKept) grids.clear()
  grids.set(side * nullRatio, grid)
  return grid
}

/** ln Σ w_k E_k. */
export function mixOverRatios(grid: RatioGrid, logE: readonly number[]): number {
  return logSumExp(logE.map((value, k) => value + (grid.logWeights[k] as number)))
}

/**
 * The same test for a share that never changes, in closed form: Beta(kp₀, k(1−p₀)) truncated to (p₀, 1), k = 10.
 *
 *   ln E = ln B(a+S, b+F) + ln I^c_{p₀}(a+S, b+F) − ln B(a, b) − ln I^c_{p₀}(a, b) − S ln p₀ − F ln(1−p₀)
 *
 * The published yardstick for the grid above.
 */
export function logBetaBinomial(
  candidateEvents: number,
  stableEvents: number,
  share: number,
  nullRatio: number,
  strength = 10,
): number {
  const p0 = (share * nullRatio) / (1 + share * (nullRatio - 1))
  const a = strength * p0
  const b = strength * (1 - p0)
  const after = [a + candidateEvents, b + stableEvents] as const
  const gain = logBeta(...after) + logBetaAbove(p0, ...after) - logBeta(a, b) - logBetaAbove(p0, a, b)
  return gain - candidateEvents * ln(p0) - stableEvents * log1p(-p0)
}
