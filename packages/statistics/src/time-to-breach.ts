import { exp } from './elementary.ts'
import { logNormalBelow } from './special.ts'

/** Panes until evidence that goes on as it does reaches its limit: as likely before as after `estimate`, nine times in ten within the interval. */
export interface TimeToBreach {
  readonly estimate: number
  readonly low: number
  readonly high: number
}

/** Fewest panes that a drift is read from. */
const fewestPanes = 12

/** Beyond so many times its median a time is not told: the drift may as well be none. */
const longest = 8

/** Part of the outcomes on each side of the interval. */
const outside = 0.05

/**
 * Variances are raised by this, since the onset is chosen where the drift looks steepest and the walk is no walk while the detector still
 * learns. Calibrated by simulation (`npm run bench -- early-warning`): of the first warnings of a rise 9 in 10 hold the breach. Of all
 * panes with a warning 86 in 100 do, since a weak rise that the evidence hardly follows is warned of for long: its breach comes later.
 */
const inflation = 3

/**
 * When ln E, a random walk with drift μ a pane since the harm began, first reaches its limit, from its increments so far.
 *
 *   P(T ≤ t | μ) = Φ((μt − d)/σ√t) + e^{2μd/σ²} Φ(−(μt + d)/σ√t)      (inverse Gaussian, d: nats that are left)
 *
 * averaged over what k panes leave open about μ, N(m, s²) with s² = σ̂²/k:
 *
 *   P(T ≤ t) = Φ((mt − d)/v) + e^{am + a²s²/2} Φ(−((m + as²)t + d)/v),  a = 2d/σ̂²,  v² = σ̂²t + s²t²
 *
 * @param logE evidence after each pane since the likeliest onset, the one before it first; nats
 * @returns null while nothing points to a breach: too few panes, no drift that is surely upwards, or the limit is reached
 * @source Folks & Chhikara, The inverse Gaussian distribution and its statistical application, JRSS B 40 (1978)
 */
export function timeToBreach(logE: readonly number[], limit: number): TimeToBreach | null {
  const now = logE.at(-1)
  const first = logE[0]
  const panes = logE.length - 1
  if (now === undefined || first === undefined || panes < fewestPanes || !(now < limit)) return null
  const drift = (now - first) / panes
  let squares = 0
  for (let i = 1; i <= panes; i++) {
    const deviation = (logE[i] as number) - (logE[i - 1] as number) - drift
    squares += deviation * deviation
  }
  const variance = (inflation * squares) / (panes - 1)
  if (!(drift > 0) || !(variance > 0)) return null
  const left = limit - now
  const below = (time: number): number => reachedBy(time, { left, drift, variance, error: variance / panes })
  const most = (longest * left) / drift
  if (below(most) < 1 - outside) return null
  const at = (part: number): number => quantile(below, part, most)
  return { estimate: at(1 / 2), low: at(outside), high: at(1 - outside) }
}

interface Walk {
  readonly left: number
  readonly drift: number
  readonly variance: number
  /** Variance of the drift's estimate. */
  readonly error: number
}

/** Chance that the walk has reached the limit by then, 0 … 1. */
function reachedBy(time: number, { left, drift, variance, error }: Walk): number {
  const spread = Math.sqrt(variance * time + error * time * time)
  const tilt = (2 * left) / variance
  const straight = exp(logNormalBelow((drift * time - left) / spread))
  const turned = tilt * drift + (tilt * tilt * error) / 2
  const returned = exp(Math.min(0, turned + logNormalBelow(-((drift + tilt * error) * time + left) / spread)))
  return Math.min(1, straight + returned)
}

const halvings = 50

function quantile(below: (time: number) => number, part: number, most: number): number {
  let low = 0
  let high = most
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2
    if (below(middle) < part) low = middle
    else high = middle
  }
  return high
}
