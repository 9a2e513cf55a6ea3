import { ln, logSumExp } from './elementary.ts'
import { lgamma } from './special.ts'

/** Strengths of the Dirichlet mixture, in rows: the prior around the baseline from loose to tight, equal weights. */
const strengths = [20, 200, 2000]

/**
 * ln of the chance that a Dirichlet mixture around `centre` gives to counts in their order:
 *
 *   DM(S) = Σ_b [lnΓ(c·m_b + S_b) − lnΓ(c·m_b)] − [lnΓ(c + n) − lnΓ(c)], mixed over strengths c
 *
 * It is the product of the one-row-ahead predictions, whatever the order, so it needs the sums alone.
 *
 * @returns a function of the counts; what depends on the centre alone is computed once
 */
export function predictiveAround(centre: ArrayLike<number>): (counts: ArrayLike<number>) => number {
  const parts = strengths.map((strength) => {
    const prior = Float64Array.from(centre, (share) => strength * share)
    return { strength, prior, before: prior.map(lgamma), start: lgamma(strength) - ln(strengths.length) }
  })
  return (counts) => {
    const n = rowsOf(counts)
    return logSumExp(
      parts.map(({ strength, prior, before, start }) => {
        let log = start - lgamma(strength + n)
        for (let bin = 0; bin < prior.length; bin++) {
          const count = counts[bin] as number
          if (count > 0) log += lgamma((prior[bin] as number) + count) - (before[bin] as number)
        }
        return log
      }),
    )
  }
}

function rowsOf(counts: ArrayLike<number>): number {
  let n = 0
  for (let bin = 0; bin < counts.length; bin++) n += counts[bin] as number
  return n
}

/**
 * ln sup {Π q_b^{S_b} : KL(p‖q) ≤ τ}: the best that any law within the tolerance can say of the counts.
 *
 * The best law is q* = (S + λp)/(n + λ). λ = 0 when the counts' own law lies within the ball. Else K(λ) = KL(p‖q*) falls
 * and is convex, so Newton's steps from small λ come to K = τ from outside the ball: the supremum is rather over- than
 * understated, which keeps the e-value valid.
 */
export function logBestWithin(counts: ArrayLike<number>, p: ArrayLike<number>, tolerance: number): number {
  const n = rowsOf(counts)
  if (n === 0) return 0
  let lambda = 0
  // Not at 0 itself: there an empty bin, however small its share, is infinitely far.
  if (distanceAt(n * smallestPull, counts, p, n).nats > tolerance) {
    const outside = firstPulls.find((pull) => distanceAt(n * pull, counts, p, n).nats > tolerance)
    lambda = n * (outside ?? smallestPull)
    for (let i = 0; i < steps && lambda < n * largestPull; i++) {
      const { nats, slope } = distanceAt(lambda, counts, p, n)
      const step = (tolerance - nats) / slope
      if (!(step > lambda * precision)) break
      lambda = Math.min(lambda + step, n * largestPull)
    }
  }
  let log = 0
  for (let bin = 0; bin < p.length; bin++) {
    const count = counts[bin] as number
    if (count > 0) log += count * ln((count + lambda * (p[bin] as number)) / (n + lambda))
  }
  return log
}
const steps = 80
const precision = 1e-7
const smallestPull = 1e-9
/** Where Newton's steps may begin: the first that is still outside the ball is near enough for a handful of steps. */
const firstPulls = [1, 0.3, 0.1, 0.03, 0.01, 0.001]
/** Without any tolerance the ball is p itself, the limit of λ → ∞. */
const largestPull = 2 ** 40

/** K(λ) = KL(p‖(S+λp)/(n+λ)), nats, and its slope; Infinity when a bin of p is empty and λ is 0. */
function distanceAt(
  lambda: number,
  counts: ArrayLike<number>,
  p: ArrayLike<number>,
  n: number,
): { readonly nats: number; readonly slope: number } {
  let nats = 0
  let slope = 1 / (n + lambda)
  for (let bin = 0; bin < p.length; bin++) {
    const share = p[bin] as number
    if (share === 0) continue
    const pulled = (counts[bin] as number) + lambda * share
    if (pulled === 0) return { nats: Number.POSITIVE_INFINITY, slope: Number.NEGATIVE_INFINITY }
    nats += share * ln((share * (n + lambda)) / pulled)
    slope -= (share * share) / pulled
  }
  return { nats, slope }
}

/**
 * ln of the evidence that rows left the tolerance ball KL(p‖q) ≤ τ around the baseline p:
 *
 *   ln E = ln DM(S/φ) − ln sup{Π q^{S/φ} : KL(p‖q) ≤ τ}
 *
 * For every q in the ball E is at most the likelihood ratio of a predictive law to q, so it is an e-process at φ = 1. Rows
 * that come in clumps count as 1/φ of a row each. Dividing ln E of the full counts by φ instead would take the same part of
 * the evidence, and with it most of what DM pays for not knowing the law: its false alarms would come many times too often.
 * As the baseline is estimated and φ too, its promise is calibrated.
 *
 * @source universal inference: Wasserman, Ramdas & Balakrishnan, PNAS 117 (2020)
 */
export function ballTest(p: ArrayLike<number>, tolerance: number, phi: number): (counts: ArrayLike<number>) => number {
  const logPredictive = predictiveAround(p)
  return (counts) => {
    const alone = Float64Array.from(counts, (count) => count / phi)
    return logPredictive(alone) - logBestWithin(alone, p, tolerance)
  }
}

/** What an estimated baseline of `rows` rows in `bins` bins may be off by itself, nats: mean and two deviations of its χ². */
export function baselineSlack(bins: number, rows: number, phi: number): number {
  const freedom = Math.max(0, bins - 1)
  return rows > 0 ? (phi * (freedom + 2 * Math.sqrt(2 * freedom))) / (2 * rows) : 0
}

/** Shares of the baseline with half a row added to each bin: a bin never seen is unlikely, not impossible. */
export function baselineShares(counts: ArrayLike<number>): Float64Array {
  let total = 0
  for (let bin = 0; bin < counts.length; bin++) total += counts[bin] as number
  const shares = new Float64Array(counts.length)
  for (let bin = 0; bin < counts.length; bin++)
    shares[bin] = ((counts[bin] as number) + 0.5) / (total + counts.length / 2)
  return shares
}
