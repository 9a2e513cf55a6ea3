import { ln } from './elementary.ts'

/**
 * Which of many hypotheses to list so that, on average, at most a part α of the list is false: e-BH rejects the k largest
 * e-values with
 *
 *   k = max{k : e_(k) ≥ K/(k·α)}
 *
 * whatever the dependence between them, and at any time, since e-processes stay e-values when one stops.
 *
 * @param logE ln of each e-value; −Infinity stands for 0
 * @param alpha greatest false discovery rate, strictly between 0 and 1
 * @returns indexes of those rejected, by falling evidence, the first of equals first
 * @throws RangeError for NaN or +Infinity, or a level out of its range
 * @source Wang & Ramdas, JRSS B 84 (2022), arXiv 2009.02824
 */
export function eBenjaminiHochberg(logE: readonly number[], alpha: number): readonly number[] {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`a false discovery rate of ${alpha}: it lies between 0 and 1`)
  const bad = logE.find((value) => !(value < Number.POSITIVE_INFINITY))
  if (bad !== undefined) throw new RangeError(`an e-value of e^${bad} is no number`)
  const order = [...logE.keys()].sort((a, b) => (logE[b] as number) - (logE[a] as number) || a - b)
  let rejected = 0
  for (const [place, index] of order.entries()) {
    if ((logE[index] as number) >= ln(logE.length / ((place + 1) * alpha))) rejected = place + 1
  }
  return order.slice(0, rejected)
}

/**
 * ln of an e-value from a p-value, where a test knows nothing better: the calibrator e = ½/√p.
 *
 * @param p 0 < p ≤ 1; a p of 0 claims what no finite data can
 * @throws RangeError out of that range
 * @source Shafer, Shen, Vereshchagin & Vovk, Statistical Science 26 (2011): κ·p^(κ−1) at κ = ½
 */
export function logEOfP(p: number): number {
  if (!(p > 0 && p <= 1))
    throw new RangeError(`a p-value of ${p} cannot be turned into evidence: it lies above 0, up to 1`)
  return -0.5 * ln(p) - ln(2)
}
