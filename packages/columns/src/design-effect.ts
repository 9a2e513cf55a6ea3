/** Fewer windows than this say nothing about how windows differ. */
const fewestWindows = 5

/**
 * Design effect φ̂ of a histogram: how much more the windows of healthy data differ than independent rows would.
 *
 *   φ̂ = mean over windows k of X²_k / (B − 1),   at least 1
 *
 * where X²_k is Pearson's two-sample statistic of window k against all other windows, over the B bins that are not empty;
 * for independent rows its mean is B − 1. The first-order correction of Rao and Scott, in the χ² form: to first order the
 * same as the PSI form, and defined for empty bins.
 *
 * @param windows counts a bin, one vector a window
 * @returns 1 where there are fewer than five windows with rows, or fewer than two bins
 * @source Rao & Scott 1984, Annals of Statistics 12(1); docs/statistics.md "Design effect"
 */
export function designEffect(windows: readonly Float64Array[]): number {
  const filled = windows.filter((window) => sum(window) > 0)
  if (filled.length < fewestWindows) return 1
  const all = new Float64Array(filled[0]!.length)
  for (const window of filled)
    window.forEach((count, bin) => {
      all[bin]! += count
    })
  const bins = all.filter((count) => count > 0).length
  if (bins < 2) return 1
  const total = sum(all)
  let effects = 0
  for (const window of filled) {
    const n = sum(window)
    const m = total - n
    let statistic = 0
    for (let bin = 0; bin < all.length; bin++) {
      const both = all[bin]!
      if (both === 0) continue
      const difference = m * window[bin]! - n * (both - window[bin]!)
      statistic += ((difference / n) * (difference / m)) / both
    }
    effects += statistic / (bins - 1)
  }
  return Math.max(1, effects / filled.length)
}

function sum(counts: Float64Array): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
