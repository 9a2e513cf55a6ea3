/** river's defaults: most buckets of one size, least part of a window, rows before the first check. */
const mostOfOneSize = 5
const leastPart = 5
const grace = 10
/** ln(1/δ) of river's default δ = .002. */
export const adwinThreshold = Math.log(1 / 0.002)

/**
 * ADWIN: the largest ln(1/δ) at which some cut of the window into an old and a new part would be significant,
 *
 *   |μ₀ − μ₁| > √(2/m·σ²·d) + 2/3·d/m,   d = ln(2·ln W/δ),   1/m = 1/(n₀−4) + 1/(n₁−4)
 *
 * over an exponential histogram of at most five buckets a size. Solved for d, which is the same rule and one pass for all δ.
 *
 * @param clock values between two checks; river's default is 32
 * @returns a step that takes one value
 * @source Bifet & Gavaldà 2007, as river 0.23 implements it (drift/adwin_c.pyx)
 */
export function adwin(clock = 32): (value: number) => number {
  /** Rows of buckets of 1, 2, 4, … values, each oldest first. */
  const rows: { totals: number[]; variances: number[] }[] = [{ totals: [], variances: [] }]
  let width = 0
  let total = 0
  let variance = 0
  let tick = 0
  let last = 0

  function compress(): void {
    for (let size = 0; size < rows.length; size++) {
      const { totals, variances } = rows[size]!
      if (totals.length <= mostOfOneSize) return
      const n = 2 ** size
      const [a, b] = [totals.shift()!, totals.shift()!]
      const difference = (a - b) / n
      const merged = variances.shift()! + variances.shift()! + (n * difference * difference) / 2
      if (rows[size + 1] === undefined) rows.push({ totals: [], variances: [] })
      rows[size + 1]!.totals.push(a + b)
      rows[size + 1]!.variances.push(merged)
    }
  }

  function strongestCut(): number {
    let [n0, n1, u0, u1] = [0, width, 0, total]
    let strongest = 0
    const spread = variance / width
    for (let size = rows.length - 1; size >= 0; size--) {
      const n = 2 ** size
      for (const bucket of rows[size]!.totals) {
        n0 += n
        n1 -= n
        u0 += bucket
        u1 -= bucket
        if (n0 < leastPart || n1 < leastPart) continue
        const reciprocal = 1 / (n0 - leastPart + 1) + 1 / (n1 - leastPart + 1)
        const far = Math.abs(u0 / n0 - u1 / n1)
        const [a, b] = [2 * reciprocal * spread, (2 / 3) * reciprocal]
        const root = (Math.sqrt(a + 4 * b * far) - Math.sqrt(a)) / (2 * b)
        strongest = Math.max(strongest, root * root)
      }
    }
    return strongest - Math.log(2 * Math.log(width))
  }

  return (value) => {
    const { totals, variances } = rows[0]!
    totals.push(value)
    variances.push(0)
    width++
    if (width > 1) {
      const off = value - total / (width - 1)
      variance += ((width - 1) * off * off) / width
    }
    total += value
    compress()
    last = ++tick % clock === 0 && width > grace ? strongestCut() : 0
    return last
  }
}
