/** The folklore limit of the population stability index. */
export const psiThreshold = 0.2
/** What tools put in place of an empty share. */
const emptyShare = 1e-4

/** Windowed PSI Σ(s−r)·ln(s/r) of one pane's counts against the reference's shares, empty shares as 10⁻⁴. */
export function psi(counts: Float64Array, reference: readonly number[]): number {
  const rows = sum(counts)
  if (rows === 0) return 0
  let index = 0
  for (let bin = 0; bin < counts.length; bin++) {
    const now = counts[bin]! === 0 ? emptyShare : counts[bin]! / rows
    const was = reference[bin] === 0 ? emptyShare : reference[bin]!
    index += (now - was) * Math.log(now / was)
  }
  return index
}

/** Upper 1 % points of χ² by degrees of freedom. @source any table; scipy 1.14 chi2.isf */
const onePercent: Readonly<Record<number, number>> = { 1: 6.635, 9: 21.666, 19: 36.191 }

/** The limit of a 1 % test on so many bins; null where it is not tabled here. */
export function chiSquareThreshold(bins: number): number | null {
  return onePercent[bins - 1] ?? null
}

/** Pearson's X² of one pane's counts against known shares. */
export function chiSquare(counts: Float64Array, reference: readonly number[]): number {
  const rows = sum(counts)
  if (rows === 0) return 0
  let statistic = 0
  for (let bin = 0; bin < counts.length; bin++) {
    const expected = rows * reference[bin]!
    if (expected > 0) statistic += (counts[bin]! - expected) ** 2 / expected
  }
  return statistic
}

/** 1 % point of Kolmogorov's law. */
export const ksThreshold = 1.628

/** √n·D of one pane's counts, in the order of the bins, against known shares. */
export function kolmogorovSmirnov(counts: Float64Array, reference: readonly number[]): number {
  const rows = sum(counts)
  if (rows === 0) return 0
  let [now, was, widest] = [0, 0, 0]
  for (let bin = 0; bin < counts.length; bin++) {
    now += counts[bin]! / rows
    was += reference[bin]!
    widest = Math.max(widest, Math.abs(now - was))
  }
  return Math.sqrt(rows) * widest
}

/** A fixed limit on the pane's value, in deviations above the usual. */
export const fixedThreshold = 3

function sum(counts: Float64Array): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
