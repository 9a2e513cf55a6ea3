/** frouros' defaults. */
const leastValues = 30
export const frourosCusumThreshold = 50

/**
 * One-sided CUSUM about a running mean: S = max(0, S + x − x̄ − δ).
 *
 * @param delta in the values' unit; the default is .005
 * @source frouros 0.9 (detectors/concept_drift/streaming/change_detection/cusum.py)
 */
export function frourosCusum(delta = 0.005): (value: number) => number {
  let n = 0
  let mean = 0
  let sum = 0
  return (value) => {
    n++
    mean += (value - mean) / n
    sum = Math.max(0, sum + value - mean - delta)
    return n >= leastValues ? sum : 0
  }
}
