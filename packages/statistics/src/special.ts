import { exp, expm1, ln, log1p } from './elementary.ts'

/** ½ ln 2π */
const halfLnTwoPi = 0.9189385332046728

/** From here on the Stirling series below is exact to the last bit or two. */
const stirlingFrom = 10

/** Bernoulli numbers B₂ₖ/(2k(2k−1)), k = 1 … 8: Abramowitz & Stegun 6.1.41. */
const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400]

/** lnΓ(x) − [(x − ½) ln x − x + ½ ln 2π] for x ≥ 10. */
function stirlingRest(x: number): number {
  const z = 1 / (x * x)
  let sum = 0
  for (let k = stirling.length - 1; k >= 0; k--) sum = sum * z + (stirling[k] as number)
  return sum / x
}

/**
 * lnΓ(x) for x > 0, to about 1e-14 (relative above 10, absolute below, where it crosses zero).
 *
 * @throws RangeError for x ≤ 0 or NaN: no caller has counts that are not positive after the prior is added.
 */
export function lgamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`lgamma is asked for ${x}: it is defined here for x > 0`)
  if (x === Number.POSITIVE_INFINITY) return x
  let product = 1
  let y = x
  for (; y < stirlingFrom; y++) product *= y
  const stirling = (y - 0.5) * ln(y) - y + halfLnTwoPi + stirlingRest(y)
  return product === 1 ? stirling : stirling - ln(product)
}

/**
 * ln B(a, b) = lnΓ(a) + lnΓ(b) − lnΓ(a+b) for a, b > 0, without the cancellation of that difference when a or b is
 * large (counts up to 2^53).
 *
 * @source Fullerton's SLATEC `dlbeta`; Didonato & Morris, ACM TOMS 708
 */
export function logBeta(a: number, b: number): number {
  const small = Math.min(a, b)
  const large = Math.max(a, b)
  if (!(small > 0)) throw new RangeError(`logBeta is asked for (${a}, ${b}): both must be above 0`)
  const sum = small + large
  if (small >= stirlingFrom) {
    const rest = stirlingRest(small) + stirlingRest(large) - stirlingRest(sum)
    return halfLnTwoPi - 0.5 * ln(large) + rest + (small - 0.5) * ln(small / sum) + large * log1p(-small / sum)
  }
  if (large >= stirlingFrom) {
    const rest = stirlingRest(large) - stirlingRest(sum)
    return lgamma(small) + rest + small - small * ln(sum) + (large - 0.5) * log1p(-small / sum)
  }
  return lgamma(small) + lgamma(large) - lgamma(sum)
}

/** Terms of the continued fraction at most; it needs O(√max(a, b)) of them. */
const fractionTerms = 200_000

/**
 * ln I_x(a, b), I the regularised incomplete beta function: the chance that a Beta(a, b) lies below x. In log space, so
 * that tails of e^−10000 are still told apart.
 *
 * @source modified Lentz continued fraction, Numerical Recipes §6.4 (DLMF 8.17.22)
 */
export function logBetaBelow(x: number, a: number, b: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1))
    throw new RangeError(`incomplete beta is asked for x=${x}, a=${a}, b=${b}: it needs 0 ≤ x ≤ 1 and a, b above 0`)
  if (x === 0) return Number.NEGATIVE_INFINITY
  if (x === 1) return 0
  const front = a * ln(x) + b * log1p(-x) - logBeta(a, b)
  if (x < (a + 1) / (a + b + 2)) return Math.min(0, front - ln(a) + ln(betaFraction(x, a, b)))
  return logComplement(front - ln(b) + ln(betaFraction(1 - x, b, a)))
}

/** ln(1 − I_x(a, b)): the chance that a Beta(a, b) lies above x. */
export function logBetaAbove(x: number, a: number, b: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1))
    throw new RangeError(`incomplete beta is asked for x=${x}, a=${a}, b=${b}: it needs 0 ≤ x ≤ 1 and a, b above 0`)
  if (x === 0) return 0
  if (x === 1) return Number.NEGATIVE_INFINITY
  const front = a * ln(x) + b * log1p(-x) - logBeta(a, b)
  if (x < (a + 1) / (a + b + 2)) return logComplement(front - ln(a) + ln(betaFraction(x, a, b)))
  return Math.min(0, front - ln(b) + ln(betaFraction(1 - x, b, a)))
}

/** ln(1 − e^x) for x ≤ 0. */
function logComplement(x: number): number {
  return x >= 0 ? Number.NEGATIVE_INFINITY : ln(-expm1(x))
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  const guard = (value: number): number => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1))
  let h = d
  for (let m = 1; m <= fractionTerms; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / guard(1 + even * d)
    c = guard(1 + even / c)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / guard(1 + odd * d)
    c = guard(1 + odd / c)
    const step = d * c
    h *= step
    if (Math.abs(step - 1) < 4e-16) return h
  }
  throw new RangeError(`incomplete beta with a=${a}, b=${b} needs more than ${fractionTerms} terms`)
}

/** Quantile of a Beta(a, b): the x with I_x(a, b) = p, by 60 halvings. Clopper–Pearson bounds are two of these. */
export function betaQuantile(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`betaQuantile is asked for p=${p}: it needs 0 ≤ p ≤ 1`)
  const target = ln(p)
  let low = 0
  let high = 1
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (logBetaBelow(middle, a, b) < target) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Exact two-sided interval of a proportion: `hits` of `trials` (Clopper & Pearson 1934). */
export function clopperPearson(hits: number, trials: number, alpha: number): readonly [low: number, high: number] {
  const low = hits === 0 ? 0 : betaQuantile(alpha / 2, hits, trials - hits + 1)
  const high = hits === trials ? 1 : betaQuantile(1 - alpha / 2, hits + 1, trials - hits)
  return [low, high]
}

/** From so many deviations on the tail's continued fraction is used; below, the series around 0. */
const tailFrom = 2
const tailTerms = 200
const seriesTerms = 60

/**
 * Φ(x), the chance that a standard normal value lies below x, to a relative error of 2e-13 down to x = −38.
 *
 * @throws RangeError for NaN
 * @source Abramowitz & Stegun 26.2.11 (series), 26.2.14 (continued fraction of the tail)
 */
export function normalBelow(x: number): number {
  if (Number.isNaN(x)) throw new RangeError('the normal law is asked for NaN')
  const size = Math.abs(x)
  if (size === Number.POSITIVE_INFINITY) return x > 0 ? 1 : 0
  const density = exp(-0.5 * size * size - halfLnTwoPi)
  if (size < tailFrom) {
    let term = size
    let sum = size
    for (let k = 1; k <= seriesTerms; k++) {
      term *= (size * size) / (2 * k + 1)
      sum += term
    }
    return x < 0 ? 0.5 - density * sum : 0.5 + density * sum
  }
  const tail = density / tailFraction(size)
  return x < 0 ? tail : 1 - tail
}

/** ln Φ(x), also where Φ(x) is too small for a number; x may not be NaN. */
export function logNormalBelow(x: number): number {
  return x > -tailFrom ? ln(normalBelow(x)) : -0.5 * x * x - halfLnTwoPi - ln(tailFraction(-x))
}

/** φ(x)/Φ(−x) for x ≥ `tailFrom`. */
function tailFraction(x: number): number {
  let fraction = x
  for (let k = tailTerms; k >= 1; k--) fraction = x + k / fraction
  return fraction
}

function horner(x: number, coefficients: readonly number[]): number {
  let sum = 0
  for (let k = coefficients.length - 1; k >= 0; k--) sum = sum * x + (coefficients[k] as number)
  return sum
}

/**
 * Quantile of the standard normal law, relative error about 1e-16.
 *
 * @source Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988)
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) {
    if (p === 0) return Number.NEGATIVE_INFINITY
    if (p === 1) return Number.POSITIVE_INFINITY
    throw new RangeError(`normalQuantile is asked for p=${p}: it needs 0 ≤ p ≤ 1`)
  }
  const q = p - 0.5
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q
    return (q * horner(r, central.over)) / horner(r, central.under)
  }
  const r = Math.sqrt(-ln(q < 0 ? p : 1 - p))
  const size =
    r <= 5
      ? horner(r - 1.6, middle.over) / horner(r - 1.6, middle.under)
      : horner(r - 5, tail.over) / horner(r - 5, tail.under)
  return q < 0 ? -size : size
}

const central = {
  over: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  under: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852854,
  ],
}
const middle = {
  over: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  under: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
}
const tail = {
  over: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  under: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
}
