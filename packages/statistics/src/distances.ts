import { ln } from './elementary.ts'

/**
 * How far two histograms of the same bins lie apart, under the names that the field gives it. They are effect sizes: none of
 * them decides, since under no change each is mostly a statement about the number of rows.
 */
export interface Distances {
  /** Σ(s−r)·ln(s/r): population stability index, Jeffreys' divergence. Nats. */
  readonly psi: number
  /** KL(reference‖now), nats: the direction of tolerances. */
  readonly kl: number
  /** Jensen–Shannon divergence, nats; its square root is what SciPy's `jensenshannon` returns. */
  readonly js: number
  /** Squared Hellinger distance 1 − Σ√(rs). */
  readonly hellinger2: number
  /** Total variation: half of Σ|r − s|. */
  readonly totalVariation: number
  /** Greatest difference of a bin's share. */
  readonly largest: number
  /** Two-sample χ² over the bins that are not empty, and their number less one. */
  readonly chi2: number
  readonly freedom: number
}

/** Rows added to each bin for the measures that take logarithms (Jeffreys): no bin is impossible. */
const added = 0.5

/**
 * All measures that know no order of the bins, from one pass over the counts. For small shifts PSI : KL : JS : H² =
 * 1 : ½ : ⅛ : ⅛, and under no change PSI/(1/n + 1/m) follows χ²(B−1).
 *
 * @param reference rows of each bin
 * @param now rows of each bin, in the same bins
 * @returns null where a side has no rows: nothing can be said of it
 * @throws RangeError when the bins do not match, or a count is negative or not finite
 * @source docs/statistics.md §2.3
 */
export function distancesOf(reference: ArrayLike<number>, now: ArrayLike<number>): Distances | null {
  const [n, m] = totals(reference, now)
  if (n === 0 || m === 0) return null
  const bins = reference.length - bothEmpty(reference, now)
  let [psi, kl, js, overlap, apart, largest, chi2] = [0, 0, 0, 0, 0, 0, 0]
  for (let bin = 0; bin < reference.length; bin++) {
    const [a, b] = [reference[bin] as number, now[bin] as number]
    if (a + b === 0) continue
    const r = (a + added) / (n + added * bins)
    const s = (b + added) / (m + added * bins)
    const middle = (r + s) / 2
    psi += (s - r) * ln(s / r)
    kl += r * ln(r / s)
    js += (r * ln(r / middle) + s * ln(s / middle)) / 2
    overlap += (Math.sqrt(r) - Math.sqrt(s)) ** 2
    const difference = Math.abs(a / n - b / m)
    apart += difference
    largest = Math.max(largest, difference)
    chi2 += (difference * difference * n * m) / (a + b)
  }
  const atLeast0 = (value: number): number => Math.max(0, value)
  return {
    psi,
    kl: atLeast0(kl),
    js: atLeast0(js),
    hellinger2: overlap / 2,
    totalVariation: Math.min(1, apart / 2),
    largest,
    chi2,
    freedom: bins - 1,
  }
}

/** Measures between histograms whose bins stand in the order of their values. */
export interface OrderedDistances {
  /** Kolmogorov–Smirnov: greatest difference of the shares up to a value. */
  readonly ks: number
  /** Cramér–von Mises, the T of SciPy's `cramervonmises_2samp` when every bin is one value. */
  readonly cvm: number
  /** Wasserstein-1: how far the mass has to be moved, in the unit of `values`. */
  readonly w1: number
}

/**
 * @param values where the rows of each bin stand, increasing: the bins' middles
 * @returns null where a side has no rows
 * @throws RangeError as `distancesOf`, and when the values do not increase
 * @source Anderson 1962 (the two-sample Cramér–von Mises with ties at mid-ranks)
 */
export function orderedDistancesOf(
  reference: ArrayLike<number>,
  now: ArrayLike<number>,
  values: ArrayLike<number>,
): OrderedDistances | null {
  const [n, m] = totals(reference, now)
  if (values.length !== reference.length) throw new RangeError('a value is needed for each bin')
  for (let bin = 0; bin < values.length; bin++) {
    const rises = bin === 0 || (values[bin] as number) > (values[bin - 1] as number)
    if (!Number.isFinite(values[bin] as number) || !rises)
      throw new RangeError(`the value of bin ${bin} is ${values[bin]}: values are finite and increase`)
  }
  if (n === 0 || m === 0) return null
  let [below, belowNow, ks, w1, ranks, ranksNow] = [0, 0, 0, 0, 0, 0]
  for (let bin = 0; bin < reference.length; bin++) {
    const [a, b] = [reference[bin] as number, now[bin] as number]
    // Mid-rank of the bin's rows in all rows, and in their own side.
    const joint = below + belowNow + (a + b + 1) / 2
    ranks += squares(joint, below, a)
    ranksNow += squares(joint, belowNow, b)
    below += a
    belowNow += b
    const apart = Math.abs(below / n - belowNow / m)
    ks = Math.max(ks, apart)
    if (bin + 1 < values.length) w1 += apart * ((values[bin + 1] as number) - (values[bin] as number))
  }
  const u = n * ranks + m * ranksNow
  const cvm = u / (n * m * (n + m)) - (4 * n * m - 1) / (6 * (n + m))
  return { ks, cvm, w1 }
}

/** Σ over the `rows` ranks i = before+1 … before+rows of (joint − i)². */
function squares(joint: number, before: number, rows: number): number {
  const offset = joint - before - (rows + 1) / 2
  return rows * (offset * offset + (rows * rows - 1) / 12)
}

/** Bins that neither side ever filled. */
function bothEmpty(reference: ArrayLike<number>, now: ArrayLike<number>): number {
  let empty = 0
  for (let bin = 0; bin < reference.length; bin++) if (reference[bin] === 0 && now[bin] === 0) empty++
  return empty
}

function totals(reference: ArrayLike<number>, now: ArrayLike<number>): readonly [n: number, m: number] {
  if (reference.length !== now.length)
    throw new RangeError(`${reference.length} bins are held against ${now.length}: both sides need the same bins`)
  const total = (counts: ArrayLike<number>): number => {
    let sum = 0
    for (let bin = 0; bin < counts.length; bin++) {
      const count = counts[bin] as number
      if (!(count >= 0 && Number.isFinite(count))) throw new RangeError(`bin ${bin} holds ${count} rows`)
      sum += count
    }
    return sum
  }
  return [total(reference), total(now)]
}
