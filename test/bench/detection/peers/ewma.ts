const memory = 0.1
/** In deviations of the average itself. */
export const ewmaThreshold = 2.814

/**
 * EWMA of standardised values, upwards, in units of its own deviation √(λ/(2−λ)), λ = .1.
 *
 * @source Lucas & Saccucci, Technometrics 32 (1990): L = 2.814
 */
export function ewma(): (z: number) => number {
  let average = 0
  return (z) => {
    average = (1 - memory) * average + memory * z
    return average / Math.sqrt(memory / (2 - memory))
  }
}
