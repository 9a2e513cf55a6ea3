/**
 * Elementary functions made of + − × ÷ and the bits of a double alone, so that every engine of every year gives the
 * same last bit (docs/statistics.md, "Determinism"). On the 60-digit vectors (`elementary.vectors.json`) they are
 * never more than 1 unit of the last place off; 2 are allowed.
 *
 * `ln`, `exp`, `expm1`, `log1p` and `pow` follow FreeBSD's msun, which is Sun's fdlibm 5.3:
 *
 *   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 *   Developed at SunSoft, a Sun Microsystems, Inc. business.
 *   Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice
 *   is preserved.
 */

const bits = new DataView(new ArrayBuffer(8))

function highWord(x: number): number {
  bits.setFloat64(0, x)
  return bits.getInt32(0)
}

function withHighWord(x: number, high: number): number {
  bits.setFloat64(0, x)
  bits.setInt32(0, high)
  return bits.getFloat64(0)
}

/** The upper 21 bits of the mantissa alone: products of two such numbers are exact. */
function upperHalf(x: number): number {
  bits.setFloat64(0, x)
  bits.setInt32(4, 0)
  return bits.getFloat64(0)
}

/** 2^k for −1022 ≤ k ≤ 1023. */
function powerOfTwo(k: number): number {
  bits.setInt32(0, (k + 1023) << 20)
  bits.setInt32(4, 0)
  return bits.getFloat64(0)
}

/** y·2^k, rounded once, for |y| near 1. */
function scale(y: number, k: number): number {
  if (k > 1023) return y * 2 * powerOfTwo(k - 1)
  if (k < -1021) return y * powerOfTwo(k + 1000) * powerOfTwo(-1000)
  return y * powerOfTwo(k)
}

const ln2High = 0.6931471803691238
const ln2Low = 1.9082149292705877e-10
const inverseLn2 = Math.LOG2E
const largestExponent = 709.782712893384
const smallestExponent = -745.1332191019411

/** Coefficients of ln((1+s)/(1−s)) − 2s in s². */
const lg1 = 0.6666666666666735
const lg2 = 0.3999999999940942
const lg3 = 0.2857142874366239
const lg4 = 0.22222198432149784
const lg5 = 0.1818357216161805
const lg6 = 0.15313837699209373
const lg7 = 0.14798198605116586

/** Natural logarithm. ln 0 = −Infinity, NaN below zero. */
export function ln(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN
  if (x === Number.POSITIVE_INFINITY) return x
  let k = 0
  let y = x
  let high = highWord(y)
  if (high < 0x00100000) {
    k = -54
    y *= 2 ** 54
    high = highWord(y)
  }
  k += (high >> 20) - 1023
  high &= 0x000fffff
  const up = (high + 0x95f64) & 0x100000
  k += up >> 20
  const f = withHighWord(y, high | (up ^ 0x3ff00000)) - 1
  if ((0x000fffff & (2 + high)) < 3) {
    if (f === 0) return k * ln2High + k * ln2Low
    const r = f * f * (0.5 - 0.3333333333333333 * f)
    return k === 0 ? f - r : k * ln2High - (r - k * ln2Low - f)
  }
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const odd = w * (lg2 + w * (lg4 + w * lg6))
  const even = z * (lg1 + w * (lg3 + w * (lg5 + w * lg7)))
  const r = even + odd
  if (((high - 0x6147a) | (0x6b851 - high)) > 0) {
    const half = 0.5 * f * f
    return k === 0 ? f - (half - s * (half + r)) : k * ln2High - (half - (s * (half + r) + k * ln2Low) - f)
  }
  return k === 0 ? f - s * (f - r) : k * ln2High - (s * (f - r) - k * ln2Low - f)
}

/** ln(1 + x), exact for small x too. */
export function log1p(x: number): number {
  if (!(x > -1)) return x === -1 ? Number.NEGATIVE_INFINITY : Number.NaN
  if (x === Number.POSITIVE_INFINITY) return x
  const high = highWord(x)
  const size = high & 0x7fffffff
  if (size < 0x3e200000) return size < 0x3c900000 ? x : x - x * x * 0.5
  let k = 0
  let f = x
  let c = 0
  let hu = 1
  if (!(high < 0x3fda827a && (high > 0 || high <= (0xbfd2bec3 | 0)))) {
    let u = x
    if (high < 0x43400000) {
      u = 1 + x
      hu = highWord(u)
      k = (hu >> 20) - 1023
      c = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u
    } else {
      hu = highWord(u)
      k = (hu >> 20) - 1023
    }
    hu &= 0x000fffff
    if (hu < 0x6a09e) {
      u = withHighWord(u, hu | 0x3ff00000)
    } else {
      k += 1
      u = withHighWord(u, hu | 0x3fe00000)
      hu = (0x00100000 - hu) >> 2
    }
    f = u - 1
  }
  const half = 0.5 * f * f
  if (hu === 0) {
    if (f === 0) return k * ln2High + (c + k * ln2Low)
    const r = half * (1 - 0.6666666666666666 * f)
    return k === 0 ? f - r : k * ln2High - (r - (k * ln2Low + c) - f)
  }
  const s = f / (2 + f)
  const z = s * s
  const r = z * (lg1 + z * (lg2 + z * (lg3 + z * (lg4 + z * (lg5 + z * (lg6 + z * lg7))))))
  return k === 0 ? f - (half - s * (half + r)) : k * ln2High - (half - (s * (half + r) + (k * ln2Low + c)) - f)
}

/** Coefficients of x·coth(x/2)/… in x² (Remez on [0, ln 2 / 2]). */
const p1 = 0.16666666666666602
const p2 = -0.0027777777777015593
const p3 = 6.613756321437934e-5
const p4 = -1.6533902205465252e-6
const p5 = 4.1381367970572385e-8

/** e^x. 0 below −745.13, Infinity above 709.78. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x
  if (x > largestExponent) return Number.POSITIVE_INFINITY
  if (x < smallestExponent) return 0
  if (Math.abs(x) < 2 ** -28) return 1 + x
  const k = nearestMultipleOfLn2(x)
  const high = x - k * ln2High
  const low = k * ln2Low
  const r = high - low
  const t = r * r
  const c = r - t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * p5))))
  return k === 0 ? 1 - ((r * c) / (c - 2) - r) : scale(1 - (low - (r * c) / (2 - c) - high), k)
}

function nearestMultipleOfLn2(x: number): number {
  const size = Math.abs(x)
  if (size <= 0.34657359027997264) return 0
  if (size < 1.0397207708399179) return x > 0 ? 1 : -1
  return Math.trunc(inverseLn2 * x + (x > 0 ? 0.5 : -0.5))
}

const q1 = -0.03333333333333313
const q2 = 0.0015873015872548146
const q3 = -7.93650757867488e-5
const q4 = 4.008217827329362e-6
const q5 = -2.0109921818362437e-7

/** e^x − 1, exact for small x too. */
export function expm1(x: number): number {
  if (Number.isNaN(x) || x === 0) return x
  if (x > largestExponent) return Number.POSITIVE_INFINITY
  if (x < -56 * Math.LN2) return -1
  if (Math.abs(x) < 2 ** -54) return x
  const k = nearestMultipleOfLn2(x)
  const high = x - k * ln2High
  const low = k * ln2Low
  const r = high - low
  const c = high - r - low
  const halfR = 0.5 * r
  const h = r * halfR
  const r1 = 1 + h * (q1 + h * (q2 + h * (q3 + h * (q4 + h * q5))))
  const t = 3 - r1 * halfR
  let e = h * ((r1 - t) / (6 - r * t))
  if (k === 0) return r - (r * e - h)
  e = r * (e - c) - c - h
  if (k === -1) return 0.5 * (r - e) - 0.5
  if (k === 1) return r < -0.25 ? -2 * (e - (r + 0.5)) : 1 + 2 * (r - e)
  if (k <= -2 || k > 56) return scale(1 - (e - r), k) - 1
  if (k < 20) return scale(1 - powerOfTwo(-k) - (e - r), k)
  return scale(r - (e + powerOfTwo(-k)) + 1, k)
}

/** x^y as IEEE 754 says; NaN for a negative base with a broken exponent. */
export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN
  const isWhole = Number.isInteger(y)
  const isOdd = isWhole && Math.abs(y) <= Number.MAX_SAFE_INTEGER && y % 2 !== 0
  const isNegative = x < 0 || Object.is(x, -0)
  const base = Math.abs(x)
  if (x < 0 && Number.isFinite(x) && Number.isFinite(y) && !isWhole) return Number.NaN
  const magnitude = powPositive(base, y)
  return isNegative && isOdd ? -magnitude : magnitude
}

function powPositive(x: number, y: number): number {
  const grows = x > 1 === y > 0
  if (x === 1) return Number.isFinite(y) ? 1 : Number.NaN
  if (x === 0 || x === Number.POSITIVE_INFINITY || !Number.isFinite(y)) return grows ? Number.POSITIVE_INFINITY : 0
  // Beyond 2^64 even the base next to 1 leaves the range of doubles.
  if (Math.abs(y) > 2 ** 64) return grows ? Number.POSITIVE_INFINITY : 0
  const [logHigh, logLow] = log2Pair(x)
  const yHigh = upperHalf(y)
  let low = (y - yHigh) * logHigh + y * logLow
  let high = yHigh * logHigh
  const z = low + high
  if (z >= 1024 && (z > 1024 || low + 8.008566259537294e-17 > z - high)) return Number.POSITIVE_INFINITY
  if (z <= -1075 && (z < -1075 || low <= z - high)) return 0
  const n = Math.abs(z) > 0.5 ? Math.round(z) : 0
  high -= n
  const t = upperHalf(low + high)
  const u = t * 0.6931471824645996
  const v = (low - (t - high)) * Math.LN2 + t * -1.904654299957768e-9
  low = v - (u + v - u)
  const r = u + v
  const s = r * r
  const c = r - s * (p1 + s * (p2 + s * (p3 + s * (p4 + s * p5))))
  return scale(1 - ((r * c) / (c - 2) - (low + r * low) - r), n)
}

/** log₂ x as the exact sum of a 21-bit part and a rest, to about 2^−64. */
function log2Pair(x: number): readonly [high: number, low: number] {
  let n = 0
  let ax = x
  let ix = highWord(ax)
  if (ix < 0x00100000) {
    ax *= 2 ** 53
    n = -53
    ix = highWord(ax)
  }
  n += (ix >> 20) - 0x3ff
  const j = ix & 0x000fffff
  ix = j | 0x3ff00000
  const k = j <= 0x3988e || j >= 0xbb67a ? 0 : 1
  if (j >= 0xbb67a) {
    n += 1
    ix -= 0x00100000
  }
  ax = withHighWord(ax, ix)
  const base = k === 0 ? 1 : 1.5
  const u = ax - base
  const v = 1 / (ax + base)
  const ss = u * v
  const sHigh = upperHalf(ss)
  let tHigh = withHighWord(0, ((ix >> 1) | 0x20000000) + 0x00080000 + (k << 18))
  let tLow = ax - (tHigh - base)
  const sLow = v * (u - sHigh * tHigh - sHigh * tLow)
  const s2 = ss * ss
  let r =
    s2 *
    s2 *
    (0.5999999999999946 +
      s2 *
        (0.4285714285785502 +
          s2 *
            (0.33333332981837743 + s2 * (0.272728123808534 + s2 * (0.23066074577556175 + s2 * 0.20697501780033842)))))
  r += sLow * (sHigh + ss)
  const square = sHigh * sHigh
  tHigh = upperHalf(3 + square + r)
  tLow = r - (tHigh - 3 - square)
  const a = sHigh * tHigh
  const b = sLow * tHigh + tLow * ss
  const pHigh = upperHalf(a + b)
  const pLow = b - (pHigh - a)
  const dHigh = k === 0 ? 0 : 0.5849624872207642
  const dLow = k === 0 ? 0 : 1.350039202129749e-8
  const zHigh = 0.9617967009544373 * pHigh
  const zLow = -7.028461650952758e-9 * pHigh + pLow * 0.9617966939259756 + dLow
  const high = upperHalf(zHigh + zLow + dHigh + n)
  return [high, zLow - (high - n - dHigh - zHigh)]
}

/** ln(1 + e^x), for any x. */
export function log1pExp(x: number): number {
  if (x > 37) return x + exp(-x)
  return log1p(exp(x))
}

/** ln(e^a + e^b). */
export function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b)
  return high === Number.NEGATIVE_INFINITY ? high : high + log1p(exp(Math.min(a, b) - high))
}

/** ln Σ e^x over a list; −Infinity for an empty one. */
export function logSumExp(terms: readonly number[]): number {
  let high = Number.NEGATIVE_INFINITY
  for (const term of terms) if (term > high) high = term
  if (!Number.isFinite(high)) return high
  let sum = 0
  for (const term of terms) sum += exp(term - high)
  return high + ln(sum)
}
