/**
 * Random numbers of the benchmarks: seeded, the same on every machine, exact laws (no normal approximations).
 *
 * @source xoshiro128**: Blackman & Vigna 2021. Binomial: inversion below ten expected hits, else the transformed
 * rejection BTRS of Hörmann 1993.
 */
export interface Random {
  /** Uniform in [0, 1) with 32 bits. */
  next(): number
  binomial(n: number, p: number): number
  /** Counts of `n` rows that fall into bins with chances `p` (which sum to one). */
  multinomial(n: number, p: readonly number[]): number[]
}

export function random(seed: number): Random {
  const s = new Uint32Array(4)
  let mix = seed >>> 0
  for (let i = 0; i < 4; i++) {
    // splitmix32 spreads the seed over the state.
    mix = (mix + 0x9e3779b9) >>> 0
    let z = mix
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    s[i] = z ^ (z >>> 15)
  }
  let [a, b, c, d] = s as unknown as [number, number, number, number]

  function next(): number {
    const scrambled = Math.imul(b, 5)
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
    return result / 4294967296
  }

  function binomial(n: number, p: number): number {
    if (n <= 0 || p <= 0) return 0
    if (p >= 1) return n
    if (p > 0.5) return n - binomial(n, 1 - p)
    return n * p < 10 ? inversion(n, p) : rejection(n, p)
  }

  function inversion(n: number, p: number): number {
    const odds = p / (1 - p)
    let chance = (1 - p) ** n
    let rest = next() + next() / 4294967296
    let k = 0
    while (rest > chance && k < n) {
      rest -= chance
      k++
      chance *= (odds * (n - k + 1)) / k
    }
    return k
  }

  function rejection(n: number, p: number): number {
    const q = 1 - p
    const deviation = Math.sqrt(n * p * q)
    const b = 1.15 + 2.53 * deviation
    const a = -0.0873 + 0.0248 * b + 0.01 * p
    const centre = n * p + 0.5
    const vr = 0.92 - 4.2 / b
    const alpha = (2.83 + 5.1 / b) * deviation
    const mode = Math.floor((n + 1) * p)
    const logOdds = Math.log(p / q)
    for (;;) {
      const u = next() - 0.5
      const us = 0.5 - Math.abs(u)
      const k = Math.floor(((2 * a) / us + b) * u + centre)
      if (k < 0 || k > n) continue
      const v = next()
      if (us >= 0.07 && v <= vr) return k
      const bound = logFactorial(mode) + logFactorial(n - mode) - logFactorial(k) - logFactorial(n - k)
      if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound + (k - mode) * logOdds) return k
    }
  }

  function multinomial(n: number, p: readonly number[]): number[] {
    let rows = n
    let mass = 1
    return p.map((chance, bin) => {
      const taken = bin === p.length - 1 ? rows : binomial(rows, Math.min(1, chance / mass))
      rows -= taken
      mass -= chance
      return taken
    })
  }

  return { next, binomial, multinomial }
}

function logFactorial(k: number): number {
  if (k < 16) {
    let product = 1
    for (let i = 2; i <= k; i++) product *= i
    return Math.log(product)
  }
  const x = k + 1
  return (x - 0.5) * Math.log(x) - x + 0.9189385332046728 + 1 / (12 * x) - 1 / (360 * x * x * x)
}
