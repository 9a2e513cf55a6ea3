import { ln } from './elementary.ts'
import { logBeta } from './special.ts'

/** How firmly the alternative stands around the declared share: worth so many rows. */
const strength = 100

/**
 * Sample-ratio mismatch: does the candidate get the share of rows that was declared? ln of the Beta mixture of likelihood
 * ratios, looked at as often as one likes:
 *
 *   ln E = ln B(kθ + S, k(1−θ) + F) − ln B(kθ, k(1−θ)) − S·ln θ − F·ln(1−θ),   k = 100
 *
 * E is an e-process while each row is the candidate's with chance θ. A share that is not kept makes every comparison of the
 * two suspect: it is a fault of the routing, and says nothing of the model. One share a call: multiply over stages.
 *
 * @param candidate S, rows of the candidate
 * @param others F, all other rows
 * @param share θ, the declared share, strictly between 0 and 1
 * @returns nats; 0 without rows
 * @throws RangeError for a share without two sides, or counts that are negative or not finite
 * @source Lindon & Malek, arXiv 2011.03567; the library savvi
 */
export function logShareMismatch(candidate: number, others: number, share: number): number {
  if (!(share > 0 && share < 1)) throw new RangeError(`a declared share of ${share} leaves one side without rows`)
  if (!(candidate >= 0 && others >= 0 && Number.isFinite(candidate + others)))
    throw new RangeError(`${candidate} and ${others} rows: counts are finite and not negative`)
  const [a, b] = [strength * share, strength * (1 - share)]
  return logBeta(a + candidate, b + others) - logBeta(a, b) - candidate * ln(share) - others * ln(1 - share)
}
