import { ln, log1p, logSumExp } from './elementary.ts'

/**
 * Is a version's own rate below (or above) a limit, whatever the reference? A mixture of binomial likelihood ratios
 *
 *   ln L(q) = S·ln(q/A) + (n−S)·ln((1−q)/(1−A))
 *
 * over a few rates q on the other side of the limit A. The ratio is monotone in the true rate, so E is an e-process for
 * every true rate on the null's side.
 */
export function logOwnRateIncrement(events: number, trials: number, rate: number, limit: number): number {
  return events * ln(rate / limit) + (trials - events) * (log1p(-rate) - log1p(-limit))
}

const below = [1 / 32, 1 / 8, 1 / 4, 1 / 2, 0.7, 0.85]
const above = [1.2, 1.5, 2, 3, 5, 10]

/** Alternatives to "the rate is at least `limit`", with equal weights. */
export function ratesBelow(limit: number): readonly number[] {
  return below.map((factor) => limit * factor)
}

/**
 * ln of the weights of `ratesAbove` for a version against its baseline. The outer two have half of the others': in an endless
 * watch of the same run length no rise from 1.25 to 10 times is found later for it, and a doubled rate 3 % sooner.
 */
export const logWeightsAbove: readonly number[] = [1, 2, 2, 2, 2, 1].map((weight) => ln(weight / 10))

/** Alternatives to "the rate is at most `limit`"; none reaches 1. */
export function ratesAbove(limit: number): readonly number[] {
  return above.map((factor) => Math.min(limit * factor, (1 + limit) / 2))
}

/** ln E against "own rate ≥ limit" from all events so far. */
export function logOwnRateBelow(events: number, trials: number, limit: number): number {
  const rates = ratesBelow(limit)
  return logSumExp(rates.map((rate) => logOwnRateIncrement(events, trials, rate, limit) - ln(rates.length)))
}
