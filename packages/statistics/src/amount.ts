import { ln, log1p } from './elementary.ts'

/** Multiples of the usual amount that a watch bets on, with equal weights: too few rows, and too many. */
export const fewer = [0.1, 0.5, 0.75] as const
export const more = [1.33, 2, 5] as const

/** Nats that one pane may bring at most: one pane that was counted wrongly shall not act alone. */
const mostNats = 8

/** Below this excess of the dispersion over 1 the counts are Poisson's: the quotient below would lose its digits. */
const smallestExcess = 1e-9

/**
 * ln of the likelihood ratio "`factor` times the rows" against "`expected` rows" of one pane, rows negative binomial with
 * variance φ·mean (φ = 1: Poisson):
 *
 *   ln L = x·ln(kφ/(1 + k(φ−1))) − μ/(φ−1)·ln((1 + k(φ−1))/φ),   φ → 1:  x·ln k − μ(k−1)
 *
 * Both laws share the size r = μ/(φ−1), so L is e^(a·x − b). E[L] = 1 at the mean μ and dispersion φ; it is less for means
 * on the other side of μ than k, and for every law below that one in convex order (Poisson, or negative binomial with less
 * dispersion). Dividing Poisson's ln L by φ instead is no e-value: at k = 5, φ = 2 its mean is infinite.
 *
 * @param rows rows of the pane
 * @param expected greatest (k > 1) or least (k < 1) number of rows that is usual: above 0
 * @param factor k
 * @param phi φ ≥ 1
 * @returns nats, at most 8
 * @throws RangeError for an argument out of its range, or one that is not finite
 * @source Anscombe 1949 (negative binomial); Shin, Ramdas & Rinaldo, arXiv 2203.03532 (increments of an e-detector)
 */
export function logAmountIncrement(rows: number, expected: number, factor: number, phi: number): number {
  const areNumbers = [rows, expected, factor, phi].every(Number.isFinite)
  if (!(areNumbers && rows >= 0 && expected > 0 && factor > 0 && phi >= 1))
    throw new RangeError(
      `an amount of ${rows} rows is held against ${expected}, ${factor} times, φ=${phi}: rows ≥ 0, φ ≥ 1, the others above 0`,
    )
  const excess = phi - 1
  if (excess < smallestExcess) return Math.min(mostNats, rows * ln(factor) - expected * (factor - 1))
  const rise = log1p(((factor - 1) * excess) / phi)
  return Math.min(mostNats, rows * (ln(factor) - rise) - (expected / excess) * rise)
}
