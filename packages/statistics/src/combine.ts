import { exp, ln } from './elementary.ts'

/** One part of an average: ln of its e-value and the weight that was fixed before any data. */
export interface WeightedEvidence {
  readonly weight: number
  readonly logE: number
}

export interface Combined {
  readonly logE: number
  /** w_k E_k/Σ w E of each part, in order; they add to one and say who is to blame. */
  readonly shares: readonly number[]
}

/**
 * Weighted average of e-values: itself an e-value, whatever the dependence between the parts. Costs a part ln(1/w) nats
 * at most, and never raises the false-alarm rate (docs/statistics.md, "One number per deployment").
 *
 * @throws RangeError when a weight is not positive or there is no part.
 */
export function averageEvidence(parts: readonly WeightedEvidence[]): Combined {
  let total = 0
  let highest = Number.NEGATIVE_INFINITY
  for (const { weight, logE } of parts) {
    if (!(weight > 0)) throw new RangeError(`a weight of ${weight} cannot be averaged with: weights are positive`)
    total += weight
    if (logE > highest) highest = logE
  }
  if (parts.length === 0) throw new RangeError('there is no evidence to average')
  const terms = parts.map(({ weight, logE }) => (weight / total) * exp(logE - highest))
  const sum = terms.reduce((a, b) => a + b, 0)
  return { logE: highest + ln(sum), shares: terms.map((term) => term / sum) }
}

/**
 * Evidence of a guardrail from the whole and its slices: half on the whole, half equally over `slices`. The number of
 * slices must be fixed beforehand (all values of the spec's dimension); those that were not seen yet stand at E = 1.
 *
 * @returns shares in the order whole, then the given slices, then (where some are absent) all absent ones together
 */
export function wholeAndSlices(whole: number, slices: readonly number[], count = slices.length): Combined {
  if (count < slices.length)
    throw new RangeError(`${slices.length} slices were seen, but only ${count} were said to exist`)
  if (count === 0) return { logE: whole, shares: [1] }
  const weight = 0.5 / count
  const absent = count - slices.length
  return averageEvidence([
    { weight: 0.5, logE: whole },
    ...slices.map((logE) => ({ weight, logE })),
    ...(absent > 0 ? [{ weight: weight * absent, logE: 0 }] : []),
  ])
}
