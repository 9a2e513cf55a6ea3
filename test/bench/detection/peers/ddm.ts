const warmUp = 30
/** Standard deviations above the best rate seen. */
export const ddmThreshold = 3

/**
 * DDM: (p + s − p_min)/s_min, where s = √(p(1−p)/n) and p_min, s_min are those of the least p + s so far.
 *
 * @source Gama et al. 2004, as river 0.23 implements it (drift/binary/ddm.py): after 30 values
 */
export function ddm(): (isError: number) => number {
  let n = 0
  let errors = 0
  let least = Number.POSITIVE_INFINITY
  let [leastRate, leastDeviation] = [0, 0]
  return (isError) => {
    n++
    errors += isError
    const rate = errors / n
    const deviation = Math.sqrt((rate * (1 - rate)) / n)
    if (n <= warmUp) return 0
    if (rate + deviation <= least) {
      least = rate + deviation
      leastRate = rate
      leastDeviation = deviation
    }
    const above = rate + deviation - leastRate
    // No error yet: any first error is infinitely many of the deviations seen. The published rule alarms; so does this.
    return leastDeviation > 0 ? above / leastDeviation : above > 0 ? Number.MAX_VALUE : 0
  }
}
