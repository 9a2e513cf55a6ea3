const warmUp = 30
/** The published .9, as a statistic that grows: 1 − .9. */
export const eddmThreshold = 1 - 0.9

/**
 * EDDM: 1 − (p′ + 2s′)/max(p′ + 2s′), where p′ and s′ are mean and deviation of the distances between errors.
 *
 * @source Baena-García et al. 2006, as river 0.23 implements it (drift/binary/eddm.py): after 30 values and 30 errors
 */
export function eddm(): (isError: number) => number {
  let n = 0
  let errors = 0
  let at = 0
  let [mean, squares] = [0, 0]
  let most = -1
  let last = 0
  return (isError) => {
    n++
    if (isError !== 1) return last
    errors++
    const distance = n - at
    at = n
    const off = distance - mean
    mean += off / errors
    squares += off * (distance - mean)
    if (n <= warmUp) return last
    const reach = mean + 2 * Math.sqrt(errors > 1 ? squares / (errors - 1) : 0)
    if (reach > most) most = reach
    else if (errors > warmUp) last = 1 - reach / most
    return last
  }
}
