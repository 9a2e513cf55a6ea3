import { ln, logSumExp } from './elementary.ts'
import { lgamma } from './special.ts'

/**
 * ln of the chance that a Dirichlet mixture around `centre` gives to counts in their order:
 *
 *   DM(S) = Σ_b [lnΓ(c·m_b + S_b) − lnΓ(c·m_b)] − [lnΓ(c + n) − lnΓ(c)], mixed over strengths c
 *
 * It is the product of the one-row-ahead predictions, whatever the order, so it needs the sums alone.
 */
export function logPredictive(counts: ArrayLike<number>, centre: ArrayLike<number>): number {
  let n = 0
  for (let bin = 0; bin < centre.length; bin++) n += counts[bin] as number
  return logSumExp(
    strengths.map((strength) => {
      let log = lgamma(strength) - lgamma(strength + n) - ln(strengths.length)
      for (let bin = 0; bin < centre.length; bin++) {
        const count = counts[bin] as number
        if (count === 0) continue
        const prior = strength * (centre[bin] as number)
        log += lgamma(prior + count) - lgamma(prior)
      }
      return log
    }),
  )
}
const strengths = [20, 200, 2000]

/**
 * ln sup {Π q_b^{S_b} : KL(p‖q) ≤ τ}: the best that any law within the tolerance can say of the counts.
 *
 * The best law is q* = (S + λp)/(n + λ). λ = 0 when the counts' own law lies within the ball, else KL(p‖q*) falls as
 * λ grows and λ is found by halving in ln λ.
 */
export function logBestWithin(counts: ArrayLike<number>, p: ArrayLike<number>, tolerance: number): number {
  let n = 0
  for (let bin = 0; bin < p.length; bin++) n += counts[bin] as number
  if (n === 0) return 0
  const logOf = (lambda: number): number => {
    let log = 0
    for (let bin = 0; bin < p.length; bin++) {
      const count = counts[bin] as number
      if (count > 0) log += count * ln((count + lambda * (p[bin] as number)) / (n + lambda))
    }
    return log
  }
  if (divergenceAt(0, counts, p, n) <= tolerance) return logOf(0)
  let inside = n
  while (divergenceAt(inside, counts, p, n) > tolerance) {
    inside *= 16
    // With no tolerance at all the ball is p itself, the limit of λ → ∞.
    if (inside > n * largestPull) return logOf(inside)
  }
  let outside = 0
  for (let i = 0; i < halvings; i++) {
    const middle = outside === 0 ? inside * 2 ** -8 : Math.sqrt(inside * outside)
    if (divergenceAt(middle, counts, p, n) <= tolerance) inside = middle
    else outside = middle
    if (outside === 0 && inside < n * 1e-12) break
  }
  // `outside` is just beyond the ball, so the supremum is rather over- than understated.
  return logOf(outside)
}
const halvings = 40
const largestPull = 2 ** 40

/** KL(p‖(S+λp)/(n+λ)), nats; Infinity when a bin of p is empty and λ is 0. */
function divergenceAt(lambda: number, counts: ArrayLike<number>, p: ArrayLike<number>, n: number): number {
  let sum = 0
  for (let bin = 0; bin < p.length; bin++) {
    const share = p[bin] as number
    if (share === 0) continue
    const pulled = (counts[bin] as number) + lambda * share
    if (pulled === 0) return Number.POSITIVE_INFINITY
    sum += share * ln((share * (n + lambda)) / pulled)
  }
  return sum
}

/**
 * ln of the evidence that rows left the tolerance ball KL(p‖q) ≤ τ around the baseline p:
 *
 *   ln E = [ln DM(S) − ln sup{Π q^S : KL(p‖q) ≤ τ}]/φ
 *
 * For every q in the ball E is at most the likelihood ratio of a predictive law to q, so it is an e-process; tempered by
 * the design effect φ for rows that come in clumps. As the baseline is estimated and φ too, its promise is calibrated.
 *
 * @source universal inference: Wasserman, Ramdas & Balakrishnan, PNAS 117 (2020)
 */
export function logBeyondBall(counts: ArrayLike<number>, p: ArrayLike<number>, tolerance: number, phi: number): number {
  return (logPredictive(counts, p) - logBestWithin(counts, p, tolerance)) / phi
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
