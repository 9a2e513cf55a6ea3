import { ln } from './elementary.ts'

/**
 * Price of looking always instead of once. The normal mixture tuned to n₀ observations at level α has
 *
 *   ρ = n₀/(2 ln(1/α) + ln(1 + 2 ln(1/α))),  radius on the sum √((n+ρ)(ln((n+ρ)/ρ) + 2 ln(1/α)))
 *
 * in units of the standard deviation of one observation.
 *
 * @source Howard et al. 2021; confseq `two_sided_normal_mixture`
 */
export function mixtureRho(tunedTo: number, alpha: number): number {
  const nats = 2 * ln(1 / alpha)
  return tunedTo / (nats + ln(1 + nats))
}

/** Radius of the always-valid interval of a sum of `n` unit-variance terms. */
export function mixtureRadius(n: number, rho: number, alpha: number): number {
  return Math.sqrt((n + rho) * (ln((n + rho) / rho) + 2 * ln(1 / alpha)))
}

/** ln E of the same mixture against "mean ≤ 0", at a mean that is `z` standard errors above 0; below 0 it is the start's. */
export function mixtureLogWealth(z: number, n: number, rho: number): number {
  const positive = Math.max(0, z)
  return 0.5 * ln(rho / (n + rho)) + (positive * positive * n) / (2 * (n + rho))
}
