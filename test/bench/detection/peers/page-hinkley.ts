/** river's defaults. */
const leastValues = 30
const forgetting = 1 - 0.0001
export const pageHinkleyThreshold = 50

/**
 * Page–Hinkley with a running mean, upwards: m_t = α·m_{t−1} + x_t − x̄_t − δ, statistic m_t − min m.
 *
 * @param delta the change that is not worth an alarm, in the values' unit; river's default is .005
 * @source Page 1954, as river 0.23 implements it (drift/page_hinkley.py, mode "up")
 */
export function pageHinkley(delta = 0.005): (value: number) => number {
  let n = 0
  let mean = 0
  let sum = 0
  let least = Number.POSITIVE_INFINITY
  return (value) => {
    n++
    mean += (value - mean) / n
    sum = forgetting * sum + value - mean - delta
    least = Math.min(least, sum)
    return n >= leastValues ? sum - least : 0
  }
}
