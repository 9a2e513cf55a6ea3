import { random } from '../../sampling/random.ts'
import { logEqualSizedKolmogorov } from './kolmogorov.ts'

const windowSize = 100
const recentSize = 30
const leastDistance = 0.1
/** ln(1/α) of river's default α = .005. */
export const kswinThreshold = Math.log(1 / 0.005)

/**
 * KSWIN: ln(1/p) of the two-sample Kolmogorov–Smirnov test between the last 30 of 100 values and 30 drawn at random from
 * the 70 before them.
 *
 * @source Raab, Heusinger & Schleif 2020, as river 0.23 implements it (drift/kswin.py); the draw is ours
 */
export function kswin(seed: number): (value: number) => number {
  const draw = random(seed)
  const window: number[] = []
  const order = Uint8Array.from({ length: windowSize - recentSize }, (_, i) => i)
  return (value) => {
    window.push(value)
    if (window.length > windowSize) window.shift()
    if (window.length < windowSize) return 0
    // A partial Fisher–Yates shuffle.
    for (let i = 0; i < recentSize; i++) {
      const j = i + Math.floor(draw.next() * (order.length - i))
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    const old = Float64Array.from(order.subarray(0, recentSize), (i) => window[i]!).sort()
    const recent = Float64Array.from(window.slice(windowSize - recentSize)).sort()
    const steps = widestGap(old, recent)
    return steps / recentSize > leastDistance ? -logEqualSizedKolmogorov(recentSize, steps) : 0
  }
}

/** Greatest difference of the two empirical distributions of equally many sorted values, in steps of one value. */
function widestGap(a: Float64Array, b: Float64Array): number {
  let [i, j, widest] = [0, 0, 0]
  while (i < a.length && j < b.length) {
    const x = Math.min(a[i]!, b[j]!)
    while (i < a.length && a[i] === x) i++
    while (j < b.length && b[j] === x) j++
    widest = Math.max(widest, Math.abs(i - j))
  }
  return widest
}
