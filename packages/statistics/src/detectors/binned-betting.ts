import type { Detector, DetectorPane, DetectorReading, DetectorSetup, Interval } from '@interlock/contracts'
import { bettingInterval, type Ends, endsOf, logWealth, stakes } from '../betting.ts'
import { driversOf } from '../divergence.ts'
import { ln, logAddExp, logSumExp } from '../elementary.ts'
import { stepShiryaevRoberts } from '../shiryaev-roberts.ts'
import { logAside, logStartWeight, stepStart } from '../start-mixture.ts'
import { keepStart, onsetOf, type Start } from '../starts.ts'
import { intervalAlpha, isWhole, signalOf, statusOf } from './setup.ts'

/** Start panes kept for the onset. */
const startsKept = 12
/** One-sided 95 %: a baseline's mean is itself measured. */
const sure = 1.645
/** A mean beyond which none can be seen to rise. */
const mostMean = 0.999

export type MeanState = {
  readonly incomplete: boolean
  readonly panes: number
  /** Rows below the edges, in each bin, and above them. */
  readonly counts: readonly number[]
  /** ln of the wealth of each stake, first those on a rise; null before the first pane with rows. */
  readonly harm: readonly number[] | null
  readonly starts: readonly Start[]
}

/**
 * The mean of a bounded value against a version's own baseline: did it move, up or down, by more than `tolerance.harm` of
 * the range between the first and the last edge?
 *
 * Eight bets, four stakes for each direction, on the mean of the bins' lower ends (a rise) and of their upper ends (a fall), the
 * baseline's and the live rows' alike; values beyond the edges count as the edge. Whatever the law of the values, the run
 * length (budget `falsePerYear`: Shiryaev–Roberts) is at least the limit, and with a budget `alpha` the chance of ever passing
 * 1/α at most α, when the baseline's mean is known. It is estimated, with a margin, and the wealth tempered by φ: `calibrated`.
 */
export const binnedBetting: Detector<MeanState> = {
  id: 'binned-betting',
  promise: 'calibrated',

  start(setup: DetectorSetup): MeanState {
    const bins = endsOf(signalOf(setup, 'mean').edges).lower.length
    return { incomplete: false, panes: 0, counts: Array.from({ length: bins }, () => 0), harm: null, starts: [] }
  },

  update(setup: DetectorSetup, state: MeanState, pane: DetectorPane): MeanState {
    if (!isWhole(pane)) return state.incomplete ? state : { ...state, incomplete: true }
    const now = signalOf(setup, 'mean').read(pane.now)
    if (now.every((count) => count === 0)) return state.incomplete ? { ...state, incomplete: false } : state
    const isEndless = 'falsePerYear' in setup.guardrail.budget
    return {
      incomplete: false,
      panes: state.panes + 1,
      counts: state.counts.map((count, bin) => count + (now[bin] as number)),
      harm: wealths(setup, now).map((increment, k) => {
        const log = state.harm?.[k] ?? null
        return isEndless ? stepShiryaevRoberts(log, increment) : stepStart(log, logStartWeight(state.panes), increment)
      }),
      starts: keepStart(state.starts, { at: pane.start, sums: state.counts }, startsKept),
    }
  },

  read(setup: DetectorSetup, state: MeanState): DetectorReading {
    const signal = signalOf(setup, 'mean')
    const { baseline, m } = heldAgainst(setup)
    const n = rowsIn(state.counts)
    const { onset, start } = onsetOf(state.starts, setup.paneMs, (from) => logShift(setup, countsSince(state, from)))
    const part = start === null ? state.counts : countsSince(state, start)
    const rows = rowsIn(part)
    const events = { now: 0, reference: 0 }
    return {
      status: statusOf(setup, { n, m, incomplete: state.incomplete }),
      logE: { harm: m === 0 ? 0 : harmOf(setup, state), safe: 0 },
      effect: effectOf(setup, part, intervalAlpha / (start === null ? 1 : startsKept)),
      n,
      m,
      events,
      phi: setup.phi,
      onset,
      ...(start === null ? {} : { since: { from: start.at, n: rows, m, events } }),
      drivers: driversOf(signal.bins, signal.id, { bins: baseline, rows: m }, { bins: part, rows }),
    }
  },
}

function rowsIn(counts: ArrayLike<number>): number {
  let rows = 0
  for (let bin = 0; bin < counts.length; bin++) rows += counts[bin] as number
  return rows
}

function countsSince(state: MeanState, start: Start): readonly number[] {
  return state.counts.map((count, bin) => count - (start.sums[bin] as number))
}

/** What follows from the setup alone. Means are parts of the range. */
interface Held {
  readonly ends: Ends
  readonly flipped: readonly number[]
  readonly baseline: Float64Array
  readonly m: number
  /** Greatest mean of the lower ends that is no rise, and least mean of the upper ends that is no fall. */
  readonly rises: Bound
  readonly falls: Bound
}

/** The baseline's mean of the ends on one side, its margin, and the mean that the bets are on. */
interface Bound {
  readonly mean: number
  readonly margin: number
  readonly spread: number
  readonly limit: number
}
const held = new WeakMap<DetectorSetup, Held>()

function heldAgainst(setup: DetectorSetup): Held {
  const known = held.get(setup)
  if (known !== undefined) return known
  const signal = signalOf(setup, 'mean')
  const ends = endsOf(signal.edges)
  const flipped = ends.upper.map((end) => 1 - end)
  const baseline = setup.baseline === null ? new Float64Array(ends.lower.length) : signal.read(setup.baseline)
  const made = {
    ends,
    flipped,
    baseline,
    m: rowsIn(baseline),
    rises: boundOf(setup, baseline, ends.lower),
    falls: boundOf(setup, baseline, flipped),
  }
  held.set(setup, made)
  return made
}

/** With one row added at the far end, so that a baseline of equal rows has a margin too. */
function boundOf({ guardrail, phi }: DetectorSetup, baseline: Float64Array, values: readonly number[]): Bound {
  const n = rowsIn(baseline) + 1
  let sum = 0
  let squares = 0
  for (let bin = 0; bin < values.length; bin++) {
    const value = values[bin] as number
    sum += (baseline[bin] as number) * value
    squares += (baseline[bin] as number) * value * value
  }
  const mean = (sum + 1) / n
  const spread = Math.max(0, (squares + 1) / n - mean * mean)
  const margin = sure * Math.sqrt((phi * spread) / n)
  return { mean, margin, spread, limit: Math.min(mostMean, mean + margin + guardrail.tolerance.harm) }
}

/** ln of the wealth that these rows bring to each bet, tempered. */
function wealths(setup: DetectorSetup, counts: ArrayLike<number>): readonly number[] {
  const { ends, flipped, rises, falls } = heldAgainst(setup)
  return [
    ...stakes.map((stake) => logWealth(counts, ends.lower, rises.limit, stake) / setup.phi),
    ...stakes.map((stake) => logWealth(counts, flipped, falls.limit, stake) / setup.phi),
  ]
}

/**
 * How much likelier a mean beyond the limits is than one at them, nats, were the values normal with the baseline's spread. The
 * wealth cannot date a change: while all is well it hardly falls. A description; it is no evidence.
 */
function logShift(setup: DetectorSetup, counts: ArrayLike<number>): number {
  const { ends, flipped, rises, falls } = heldAgainst(setup)
  const rows = rowsIn(counts)
  if (rows === 0) return 0
  const nats = ({ limit, spread }: Bound, values: readonly number[]): number => {
    let sum = 0
    for (let bin = 0; bin < counts.length; bin++) sum += (counts[bin] as number) * (values[bin] as number)
    const beyond = Math.max(0, sum / rows - limit)
    return (rows * beyond * beyond) / (2 * spread * setup.phi)
  }
  return Math.max(nats(rises, ends.lower), nats(falls, flipped))
}

function harmOf(setup: DetectorSetup, { harm, panes }: MeanState): number {
  if (harm === null) return 0
  const mixed = logSumExp(harm) - ln(harm.length)
  return 'falsePerYear' in setup.guardrail.budget ? Math.max(0, mixed) : logAddExp(logAside(panes), mixed)
}

/** How far the mean moved, as a part of the range: always-valid, both ends of the bins and the baseline's margin allowed for. */
function effectOf(setup: DetectorSetup, part: ArrayLike<number>, alpha: number): Interval {
  const { ends, m, rises, falls } = heldAgainst(setup)
  const rows = rowsIn(part)
  if (rows === 0 || m === 0) return { estimate: 0, low: -1, high: 1 }
  const [below, above] = bettingInterval(part, ends, alpha, setup.phi)
  const low = below - rises.mean - rises.margin
  const high = above - (1 - falls.mean) + falls.margin
  let moved = -(rises.mean + 1 - falls.mean) / 2
  for (let bin = 0; bin < part.length; bin++)
    moved += ((part[bin] as number) / rows) * (((ends.lower[bin] as number) + (ends.upper[bin] as number)) / 2)
  return { estimate: moved, low: Math.min(low, moved), high: Math.max(high, moved) }
}
