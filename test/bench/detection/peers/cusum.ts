/** In deviations: the allowance, half of the shift that is looked for, and the limit. */
const allowance = 0.5
export const cusumThreshold = 5

/**
 * Tabular CUSUM of standardised values, upwards: C = max(0, C + z − k), k = ½.
 *
 * @source Page 1954; Montgomery, Introduction to Statistical Quality Control: k = ½, h = 5
 */
export function tabularCusum(): (z: number) => number {
  let sum = 0
  return (z) => {
    sum = Math.max(0, sum + z - allowance)
    return sum
  }
}
