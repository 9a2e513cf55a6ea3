/**
 * ln P(n·D ≥ k) of the two-sample Kolmogorov–Smirnov distance D between two samples of n values without ties, exact:
 * 2·Σ_{j≥1} (−1)^{j−1} C(2n, n−jk)/C(2n, n).
 *
 * @source Gnedenko & Korolyuk 1951
 */
export function logEqualSizedKolmogorov(n: number, k: number): number {
  if (k <= 0) return 0
  let sum = 0
  for (let j = 1; j * k <= n; j++) {
    let ratio = 1
    for (let i = 0; i < j * k; i++) ratio *= (n - i) / (n + j * k - i)
    sum += (j % 2 === 1 ? 2 : -2) * ratio
  }
  return Math.min(0, Math.log(sum))
}
