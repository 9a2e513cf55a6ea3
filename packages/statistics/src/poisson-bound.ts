import { exp, ln, logSumExp } from './elementary.ts'
import { lgamma } from './special.ts'

const halvings = 100

/**
 * Exact upper bound of a Poisson mean after so many events: the λ at which so few are as rare as 1 − level.
 *
 *   Σ_{i ≤ k} e^{−λ} λ^i / i! = 1 − level
 *
 * No event at 95 %: λ = 3.00, so a rate below one a year needs three years without an event.
 *
 * @param events 0, 1, 2, …
 * @source Garwood, Biometrika 28 (1936)
 */
export function poissonUpper(events: number, level: number): number {
  let low = events
  let high = events + 10 * Math.sqrt(events + 1) + 20
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2
    if (atMost(events, middle) > 1 - level) low = middle
    else high = middle
  }
  return high
}

function atMost(events: number, mean: number): number {
  const terms = Array.from({ length: events + 1 }, (_, i) => i * ln(mean) - lgamma(i + 1))
  return exp(logSumExp(terms) - mean)
}
