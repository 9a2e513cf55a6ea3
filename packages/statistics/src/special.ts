import { expm1, ln, log1p } from './elementary.ts'

/** ½ ln 2π */
const halfLnTwoPi = 0.9189385332046727418

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
  return (y - 0.5) * ln(y) - y + halfLnTwoPi + stirlingRest(y) - ln(product)
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
    3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
    67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
  ],
  under: [
    1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867, 39307.89580009271061,
    28729.085735721942674, 5226.495278852854561,
  ],
}
const middle = {
  over: [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258,
    0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
  ],
  under: [
    1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
    0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9,
  ],
}
const tail = {
  over: [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
    0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
  ],
  under: [
    1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
    1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
  ],
}
