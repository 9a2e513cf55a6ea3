import { exp, normalQuantile } from '@interlock/statistics'

/** Above it a Poisson number is a rounded normal one: for counts of this size they differ by less than forecasts do. */
const normalFrom = 40

/**
 * A whole number of events where `mean` are expected (Poisson): by inversion, and by the normal law for large means.
 *
 * @param uniform 0 ≤ u < 1
 */
export function poisson(mean: number, uniform: number): number {
  if (!(mean > 0)) return 0
  if (mean >= normalFrom) {
    const inside = Math.min(1 - 1e-12, Math.max(1e-12, uniform))
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normalQuantile(inside)))
  }
  let chance = exp(-mean)
  let below = chance
  let count = 0
  // 200 lies beyond any number of events that a mean below 40 ever brings.
  while (uniform >= below && count < 200) {
    count++
    chance *= mean / count
    below += chance
  }
  return count
}
