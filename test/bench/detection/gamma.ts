import type { Random } from '../sampling/random.ts'

/** A standard normal draw (Marsaglia's polar method, one of its two values). */
export function normal(draw: Random): number {
  for (;;) {
    const u = 2 * draw.next() - 1
    const v = 2 * draw.next() - 1
    const s = u * u + v * v
    if (s > 0 && s < 1) return u * Math.sqrt((-2 * Math.log(s)) / s)
  }
}

/** A gamma draw of mean and variance `shape`. @source Marsaglia & Tsang, ACM TOMS 26 (2000) */
export function gamma(draw: Random, shape: number): number {
  if (shape < 1) return gamma(draw, shape + 1) * (1 - draw.next()) ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const z = normal(draw)
    const v = (1 + c * z) ** 3
    if (v > 0 && Math.log(1 - draw.next()) < 0.5 * z * z + d - d * v + d * Math.log(v)) return d * v
  }
}

/** A Poisson draw: inversion below thirty, else halves of itself. */
export function poisson(draw: Random, mean: number): number {
  if (mean > 30) {
    // Ahrens & Dieter 1974: the m-th arrival is gamma; what is left of the time is binomial or Poisson.
    const m = Math.floor(mean * 0.875)
    const arrival = gamma(draw, m)
    return arrival > mean ? draw.binomial(m - 1, mean / arrival) : m + poisson(draw, mean - arrival)
  }
  let rest = draw.next() + draw.next() / 4294967296
  let chance = Math.exp(-mean)
  let k = 0
  while (rest > chance && chance > 0) {
    rest -= chance
    k++
    chance *= mean / k
  }
  return k
}
