import type { Detector, DetectorPane, DetectorReading, DetectorSetup, Interval } from '@interlock/contracts'
import { fewer, logAmountIncrement, more } from '../amount.ts'
import { ln, logAddExp, logSumExp, pow } from '../elementary.ts'
import { dispersion, emptyHistory, expectedRows, learn, type VolumeHistory } from '../gap.ts'
import { mixtureRadius, mixtureRho } from '../normal-mixture.ts'
import { ratioCeiling } from '../rate-interval.ts'
import { stepShiryaevRoberts } from '../shiryaev-roberts.ts'
import { logAside, logStartWeight, stepStart } from '../start-mixture.ts'
import { keepStart, onsetOf, type Start } from '../starts.ts'
import { intervalAlpha, isWhole, signalOf } from './setup.ts'

/** Healthy panes that must be learned from before an amount can be unusual. */
const panesNeeded = 30
/** Half of a pane's weight in the history is gone after so many: an hour of panes of 10 s. */
const fade = pow(0.5, 1 / 360)
/** One-sided 95 %: what the past says of mean and dispersion is itself measured. */
const sure = 1.645
/** Start panes kept for the onset. */
const startsKept = 16
/** Expected rows at which the interval of the effect is narrowest. */
const tunedTo = 1000
/** Rows in a pane below which nothing is expected at all. */
const leastUsual = 1e-6
const msPerYear = 365 * 86_400_000

export type AmountState = {
  readonly incomplete: boolean
  /** Panes that were judged. */
  readonly panes: number
  /** All rows, learned from or judged. */
  readonly n: number
  /** Rows of the judged panes, and rows that were usual in them. */
  readonly rows: number
  readonly expected: number
  readonly history: VolumeHistory
  /** ln of each alternative's process, first those of fewer rows; null before the first judged pane. */
  readonly harm: readonly number[] | null
  readonly starts: readonly Start[]
}

/**
 * Too few or too many rows, beyond `tolerance.harm` of what is usual, for a watch that does not end.
 *
 * Usual is what the recent past had for each unit of exposure: a pane, or a row that season and weekday let expect
 * (`expected` of the pane). A mixture of negative binomial likelihood ratios against three smaller and three larger amounts;
 * budget `falsePerYear`: Shiryaev–Roberts, budget `alpha`: the mixture over starts. For Poisson and negative binomial rows of
 * known mean and dispersion the run length is at least the limit. Here both are learned, with a margin for what so many
 * panes leave open, hence `calibrated`. A pane is learned from only while the evidence is below the square root
 * of its limit, so an unusual amount does not become the usual one.
 */
export const poissonShiryaevRoberts: Detector<AmountState> = {
  id: 'poisson-shiryaev-roberts',
  promise: 'calibrated',

  start(setup: DetectorSetup): AmountState {
    signalOf(setup, 'volume')
    return {
      incomplete: false,
      panes: 0,
      n: 0,
      rows: 0,
      expected: 0,
      history: emptyHistory,
      harm: null,
      starts: [],
    }
  },

  update(setup: DetectorSetup, state: AmountState, pane: DetectorPane): AmountState {
    if (!isWhole(pane)) return state.incomplete ? state : { ...state, incomplete: true }
    const rows = signalOf(setup, 'volume').read(pane.now)
    const exposure = pane.expected ?? 1
    const usual = expectedRows(state.history, exposure)
    const seen = { ...state, incomplete: false, n: state.n + rows }
    // Where nothing is expected, nothing can be unusual: silence and first rows are the gap test's.
    if (state.history.busy < panesNeeded || usual < leastUsual) return learned(seen, rows, exposure)
    const judged = {
      ...seen,
      panes: state.panes + 1,
      rows: state.rows + rows,
      expected: state.expected + usual,
      harm: stepped(setup, state, rows, usual),
      starts: keepStart(state.starts, { at: pane.start, sums: [state.rows, state.expected] }, startsKept),
    }
    return harmOf(setup, judged) > guardOf(setup) ? judged : learned(judged, rows, exposure)
  },

  read(setup: DetectorSetup, state: AmountState): DetectorReading {
    const phi = phiOf(setup, state.history)
    const { onset, start } = onsetOf(state.starts, setup.paneMs, (from) => logChange(setup, since(state, from), phi))
    const part = since(state, start)
    const events = { now: part.rows, reference: Math.round(part.expected) }
    return {
      status: statusOf(setup, state),
      logE: { harm: harmOf(setup, state), safe: 0 },
      effect: effectOf(part, phi, intervalAlpha / (start === null ? 1 : startsKept)),
      n: state.n,
      m: state.n,
      events,
      phi,
      onset,
      ...(start === null ? {} : { since: { from: start.at, n: part.rows, m: Math.round(part.expected), events } }),
      drivers: [],
    }
  },
}

function learned(state: AmountState, rows: number, exposure: number): AmountState {
  // Without exposure the pane says nothing of the usual rate.
  if (exposure < leastUsual) return state
  return { ...state, history: learn(state.history, rows, exposure, { panes: 0, exposure: 0 }, fade) }
}

/** Dispersion with a margin for the panes that it was measured on. */
function phiOf(setup: DetectorSetup, history: VolumeHistory): number {
  const margin = 1 + sure * Math.sqrt(2 / Math.max(1, history.weight))
  return Math.max(setup.phi, dispersion(history, 1) * margin)
}

/** Least and greatest number of rows that are no harm, where `usual` rows are usual. */
function harmless(setup: DetectorSetup, usual: number, slack: number): readonly [least: number, most: number] {
  const { harm } = setup.guardrail.tolerance
  const least = Math.max(leastPart, (1 - Math.min(1, harm)) * (1 - slack))
  return [usual * least, usual * (1 + harm) * (1 + slack)]
}
/** A tolerance of everything leaves this part of the usual amount. */
const leastPart = 0.001

function stepped(setup: DetectorSetup, state: AmountState, rows: number, usual: number): readonly number[] {
  const { history, panes } = state
  const phi = phiOf(setup, history)
  const slack = Math.min(1, sure * Math.sqrt(phi / Math.max(1, history.rows)))
  const [least, most] = harmless(setup, usual, slack)
  const isEndless = 'falsePerYear' in setup.guardrail.budget
  const increments = [
    ...fewer.map((factor) => logAmountIncrement(rows, least, factor, phi)),
    ...more.map((factor) => logAmountIncrement(rows, most, factor, phi)),
  ]
  return increments.map((increment, k) => {
    const log = state.harm?.[k] ?? null
    return isEndless ? stepShiryaevRoberts(log, increment) : stepStart(log, logStartWeight(panes), increment)
  })
}

function harmOf(setup: DetectorSetup, { harm, panes }: AmountState): number {
  if (harm === null) return 0
  const mixed = logSumExp(harm) - ln(harm.length)
  return 'falsePerYear' in setup.guardrail.budget ? Math.max(0, mixed) : logAddExp(logAside(panes), mixed)
}

/** Half of the limit that the rule would have alone, in ln: beyond it a pane may be part of a change. */
function guardOf({ guardrail: { budget }, paneMs }: DetectorSetup): number {
  return ln(Math.max(1, 'alpha' in budget ? 1 / budget.alpha : msPerYear / paneMs / budget.falsePerYear)) / 2
}

function statusOf(setup: DetectorSetup, { incomplete, n, panes }: AmountState): DetectorReading['status'] {
  if (incomplete) return 'incomplete'
  if (n === 0) return 'no-data'
  return panes === 0 || n < setup.guardrail.minimumSample ? 'too-few' : 'ok'
}

type Part = { readonly rows: number; readonly expected: number }

function since({ rows, expected }: AmountState, start: Start | null): Part {
  if (start === null) return { rows, expected }
  return { rows: rows - (start.sums[0] as number), expected: Math.max(0, expected - (start.sums[1] as number)) }
}

/** Greatest Poisson log-likelihood ratio of an amount that is harm against the nearest that is none, over φ. */
function logChange(setup: DetectorSetup, { rows, expected }: Part, phi: number): number {
  if (!(expected > 0)) return 0
  const [least, most] = harmless(setup, expected, 0)
  const near = Math.min(Math.max(rows, least), most)
  return ((rows === 0 ? 0 : rows * ln(rows / near)) - rows + near) / phi
}

/** Rows over usual rows: always-valid normal mixture on their difference, its variance φ times the greater of both. */
function effectOf({ rows, expected }: Part, phi: number, alpha: number): Interval {
  if (!(expected > 0)) return { estimate: 1, low: 0, high: ratioCeiling }
  const radius = mixtureRadius(phi * Math.max(rows, expected), phi * mixtureRho(tunedTo, alpha), alpha)
  const bounded = (value: number): number => Math.min(Math.max(0, value / expected), ratioCeiling)
  return { estimate: bounded(rows), low: bounded(rows - radius), high: bounded(rows + radius) }
}
