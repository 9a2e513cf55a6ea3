import { ln } from './elementary.ts'
import { mixtureRadius } from './normal-mixture.ts'
import { normalBelow } from './special.ts'

/**
 * Confidence sequences: intervals that hold at all times at once, P(ever outside) ≤ α. The two-sided normal mixture is in
 * normal-mixture.ts, the one for bounded means from counts in betting.ts.
 *
 * All of them bound a sum S of centred terms by a radius that depends on its intrinsic time v: n·σ² for terms that are
 * sub-Gaussian with variance σ².
 */
function checked(v: number, alpha: number): void {
  if (!(v >= 0 && Number.isFinite(v) && alpha > 0 && alpha < 1))
    throw new RangeError(`a confidence sequence at time ${v}, α=${alpha}: it needs a finite time ≥ 0 and 0 < α < 1`)
}

/**
 * Radius above which S is not once, with chance 1 − α: one-sided normal mixture. Its wealth is
 *
 *   ln W = ln 2 + ½ ln(ρ/(v+ρ)) + S²/(2(v+ρ)) + ln Φ(S/√(v+ρ))
 *
 * and the radius the S at which it reaches 1/α. `rho` is best as `mixtureRho(v_opt, 2α)`.
 *
 * @source Howard, Ramdas, McAuliffe & Sekhon, Annals of Statistics 49 (2021), Prop. 6; confseq `one_sided_normal_mixture`
 */
export function oneSidedRadius(v: number, rho: number, alpha: number): number {
  checked(v, alpha)
  // The mixture at 2α lies above: Φ ≤ 1 costs nothing there.
  let low = 0
  let high = mixtureRadius(v, rho, alpha)
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2
    if (oneSidedLogWealth(middle, v, rho) < ln(1 / alpha)) low = middle
    else high = middle
  }
  return high
}
const halvings = 60

/** ln of the wealth of the one-sided normal mixture at a sum `s` ≥ 0. */
export function oneSidedLogWealth(s: number, v: number, rho: number): number {
  const scale = v + rho
  return ln(2 * normalBelow(s / Math.sqrt(scale))) + 0.5 * ln(rho / scale) + (s * s) / (2 * scale)
}

/** ζ(1.4), the sum of the weights k^−1.4 of the epochs. */
const zeta = 3.105547277977581
const power = 1.4

/**
 * Radius that follows the law of the iterated logarithm: epochs that double in v are stitched together, so it is at most
 * a constant above √(2v ln ln v) for ever. One-sided.
 *
 *   √(k₁²·v·ℓ + k₂²·c²·ℓ²) + k₂·c·ℓ,  ℓ = 1.4·ln ln(2v/v_min) + ln(ζ(1.4)/(α·ln^1.4 2)),  k₁ = (2^¼ + 2^−¼)/√2,  k₂ = (√2+1)/2
 *
 * @param v intrinsic time; below `least` it stands at `least`
 * @param least v_min
 * @param scale c of sub-gamma terms; 0 for sub-Gaussian ones
 * @source Howard et al. 2021, Theorem 1; confseq `poly_stitching_bound`
 */
export function stitchedRadius(v: number, least: number, scale: number, alpha: number): number {
  checked(v, alpha)
  if (!(least > 0 && scale >= 0)) throw new RangeError(`stitching from time ${least} with scale ${scale}: above 0, ≥ 0`)
  const time = Math.max(v, least)
  const nats = power * ln(ln((2 * time) / least)) + ln(zeta / alpha) - power * ln(ln(2))
  const k1 = (root4of2 + 1 / root4of2) / Math.SQRT2
  const k2 = (Math.SQRT2 + 1) / 2
  const linear = k2 * scale * nats
  return Math.sqrt(k1 * k1 * time * nats + linear * linear) + linear
}
const root4of2 = Math.sqrt(Math.SQRT2)

/**
 * Radius of a mean, asymptotic confidence sequence: for any mean, difference or ratio whose estimate is asymptotically
 * linear, once some 100 units came. `deviation` is the standard deviation of one unit's influence, `tunedTo` the number of
 * units at which it is narrowest.
 *
 *   σ·√(2(nρ²+1)/(n²ρ²)·ln(√(nρ²+1)/α)),   ρ² = (−W₋₁(−α²/e) − 1)/n_opt
 *
 * @throws RangeError without a unit: it never says infinity
 * @source Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, Annals of Statistics 52 (2024); drconfseq `lyapunov_asympcs`
 */
export function asymptoticRadius(n: number, deviation: number, tunedTo: number, alpha: number): number {
  checked(n, alpha)
  if (!(n > 0 && tunedTo > 0 && deviation >= 0 && Number.isFinite(deviation)))
    throw new RangeError(`an asymptotic interval of ${n} units, deviation ${deviation}, tuned to ${tunedTo}`)
  const square = (lambertBelow(alpha) - 1) / tunedTo
  const inner = n * square + 1
  return deviation * Math.sqrt(((2 * inner) / (n * n * square)) * (0.5 * ln(inner) + ln(1 / alpha)))
}

/** −W₋₁(−α²/e): the y > 1 with y·e^−y = α²/e, by Newton's steps on y − ln y = 1 + 2 ln(1/α). */
function lambertBelow(alpha: number): number {
  const target = 1 + 2 * ln(1 / alpha)
  let y = target + ln(target + 1)
  for (let i = 0; i < newtonSteps; i++) y -= (y - ln(y) - target) / (1 - 1 / y)
  return y
}
const newtonSteps = 8
