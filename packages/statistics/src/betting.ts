import { ln, log1p, logSumExp } from './elementary.ts'

/** Parts of the greatest possible stake 1/m that are bet, with equal weights. */
export const stakes = [0.1, 0.25, 0.5, 0.9] as const

/**
 * ln of the wealth of a bet that values in [0, 1] have a mean above `mean`, from counts in bins:
 *
 *   ln W = Σ_b n_b·ln(1 + λ(x_b − m)),   λ = g/m,  0 < g < 1
 *
 * E[1 + λ(X − m)] ≤ 1 whenever the mean is at most m, whatever the law, so the wealth is an e-process for rows that come one
 * after the other. `values` are the lower ends of the bins: a value is never taken for more than it is, and neither is
 * the wealth. For "below" give 1 − the upper ends, and 1 − m.
 *
 * @param counts rows of each bin
 * @param values what a row of each bin counts as, 0 … 1
 * @param mean m, strictly between 0 and 1
 * @param stake g
 * @throws RangeError when the mean or the stake is out of its range
 * @source Waudby-Smith & Ramdas, JRSS B 86 (2024); arXiv 2010.09686
 */
export function logWealth(counts: ArrayLike<number>, values: ArrayLike<number>, mean: number, stake: number): number {
  if (!(mean > 0 && mean < 1 && stake > 0 && stake < 1))
    throw new RangeError(`a bet of ${stake} on a mean above ${mean}: both lie between 0 and 1`)
  let log = 0
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number
    if (count > 0) log += count * log1p(stake * ((values[bin] as number) / mean - 1))
  }
  return log
}

/** ln of the wealth of equal bets with every stake. */
function logMixedWealth(counts: ArrayLike<number>, values: ArrayLike<number>, mean: number): number {
  return logSumExp(stakes.map((stake) => logWealth(counts, values, mean, stake))) - ln(stakes.length)
}

/** The lower and the upper end of each bin, from "below the edges" to "above them", the span of the edges made 0 … 1. */
export interface Ends {
  readonly lower: readonly number[]
  readonly upper: readonly number[]
}

/**
 * Ends of the bins between `edges`. Values beyond the edges count as the first and the last of them, so the mean that is
 * spoken of is that of values cut off there.
 *
 * @throws RangeError unless there are two edges or more, finite and strictly increasing
 */
export function endsOf(edges: readonly number[]): Ends {
  const [first, last] = [edges[0] as number, edges.at(-1) as number]
  const span = last - first
  const rises = edges.every((edge, i) => i === 0 || edge > (edges[i - 1] as number))
  if (!(edges.length >= 2 && rises && Number.isFinite(span) && span > 0))
    throw new RangeError(`edges ${edges.join(', ')} make no bins: they must be finite and strictly increasing`)
  const inner = edges.map((edge) => (edge - first) / span)
  return { lower: [0, ...inner], upper: [...inner, 1] }
}

/** A bound to within 6e-8 of the range. */
const halvings = 24

/**
 * Always-valid bounds of a mean in [0, 1] from counts in bins: every m that the two bets do not refute at 2/α. They hold for
 * any law of the values and at any time. `phi` divides the wealth where rows come in clumps.
 *
 * @returns a bound below the mean of the lower ends, one above that of the upper ends; 0 and 1 without rows
 * @throws RangeError for α outside (0, 1) or φ below 1
 * @source Waudby-Smith & Ramdas, arXiv 2010.09686, "hedged capital" with constant stakes
 */
export function bettingInterval(
  counts: ArrayLike<number>,
  { lower, upper }: Ends,
  alpha: number,
  phi = 1,
): readonly [low: number, high: number] {
  if (!(alpha > 0 && alpha < 1 && phi >= 1))
    throw new RangeError(`an interval at α=${alpha} with φ=${phi}: it needs 0 < α < 1 and φ ≥ 1`)
  const bound = phi * ln(2 / alpha)
  const flipped = upper.map((end) => 1 - end)
  return [greatestRefuted(counts, lower, bound), 1 - greatestRefuted(counts, flipped, bound)]
}

/** The greatest mean that the bet "above" refutes, from below; the wealth falls as m rises. */
function greatestRefuted(counts: ArrayLike<number>, values: ArrayLike<number>, bound: number): number {
  let refuted = 0
  let open = 1
  for (let i = 0; i < halvings; i++) {
    const middle = (refuted + open) / 2
    if (logMixedWealth(counts, values, middle) >= bound) refuted = middle
    else open = middle
  }
  return refuted
}
