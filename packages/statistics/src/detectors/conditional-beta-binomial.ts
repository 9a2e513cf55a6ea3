import type { Detector, DetectorPane, DetectorReading, DetectorSetup, Interval } from '@interlock/contracts'
import {
  logRatioIncrement,
  mixOverRatios,
  type RatioGrid,
  ratiosAbove,
  ratiosBelow,
} from '../conditional-beta-binomial.ts'
import { ln, logAddExp, logSumExp } from '../elementary.ts'
import { logOwnRateBelow, logOwnRateIncrement, ratesAbove } from '../own-rate.ts'
import { rateRatio } from '../rate-interval.ts'
import { logAside, logStartWeight, stepStart } from '../start-mixture.ts'
import { keepStart, onsetOf, type Start } from '../starts.ts'
import { intervalAlpha, isWhole, signalOf, statusOf } from './setup.ts'

/** Start panes kept for the onset. */
const startsKept = 16

/** Sums over panes, in the order in which a start keeps them. */
type Sums = {
  readonly events: number
  readonly referenceEvents: number
  /** Events that the candidate would have at the tolerated ratio. */
  readonly expected: number
  readonly weighted: number
  readonly referenceWeighted: number
  readonly trials: number
  readonly referenceTrials: number
}
const asList = (sums: Sums): readonly number[] => [
  sums.events,
  sums.referenceEvents,
  sums.expected,
  sums.weighted,
  sums.referenceWeighted,
  sums.trials,
  sums.referenceTrials,
]
function since(sums: Sums, start: Start | null): Sums {
  if (start === null) return sums
  const [events, referenceEvents, expected, weighted, referenceWeighted, trials, referenceTrials] = asList(sums).map(
    (sum, i) => sum - (start.sums[i] as number),
  ) as [number, number, number, number, number, number, number]
  return { events, referenceEvents, expected, weighted, referenceWeighted, trials, referenceTrials }
}

export type RateState = {
  readonly incomplete: boolean
  /** Panes in which both arms had trials. */
  readonly panes: number
  readonly sums: Sums
  /** ln M of each harmful ratio, from all starts; null before the first pane. */
  readonly harm: readonly number[] | null
  /** ln of the product of each safe ratio. */
  readonly safe: readonly number[]
  /** ln M of each own rate above `absolute`; null without one, or before the first pane. */
  readonly over: readonly number[] | null
  readonly starts: readonly Start[]
}

function gridsOf(setup: DetectorSetup): { harm: RatioGrid; safe: RatioGrid } {
  const { tolerance } = setup.guardrail
  return { harm: ratiosAbove(1 + tolerance.harm), safe: ratiosBelow(1 + tolerance.safe) }
}

/**
 * Failures of the candidate against those of the stable arm in the same panes.
 *
 * Harm: ratio above 1 + tolerance.harm at some time, also when it began late (and, where `absolute` is set, own rate
 * above it: the lesser of both). Safe: ratio below 1 + tolerance.safe all in all, or own rate below `absolute`: the
 * average of both. Each is an e-process, tempered by φ, so P(ever ≥ 1/α) ≤ α. The tolerance is in the evidence: nothing
 * else needs to be asked of the effect.
 */
export const conditionalBetaBinomial: Detector<RateState> = {
  id: 'conditional-beta-binomial',
  promise: 'alpha',

  start(setup: DetectorSetup): RateState {
    signalOf(setup, 'rate')
    const sums = {
      events: 0,
      referenceEvents: 0,
      expected: 0,
      weighted: 0,
      referenceWeighted: 0,
      trials: 0,
      referenceTrials: 0,
    }
    const safe = gridsOf(setup).safe.ratios.map(() => 0)
    return { incomplete: false, panes: 0, sums, harm: null, safe, over: null, starts: [] }
  },

  update(setup: DetectorSetup, state: RateState, pane: DetectorPane): RateState {
    if (!isWhole(pane)) return state.incomplete ? state : { ...state, incomplete: true }
    const signal = signalOf(setup, 'rate')
    const now = signal.read(pane.now)
    const reference = pane.reference === null ? { events: 0, trials: 0 } : signal.read(pane.reference)
    const { sums } = state
    if (now.trials === 0 || reference.trials === 0) {
      const trials = sums.trials + now.trials
      const referenceTrials = sums.referenceTrials + reference.trials
      return { ...state, incomplete: false, sums: { ...sums, trials, referenceTrials } }
    }
    const share = now.trials / (now.trials + reference.trials)
    const events = now.events + reference.events
    const { harm, safe } = gridsOf(setup)
    const logWeight = logStartWeight(state.panes)
    const temper = 1 / setup.phi
    const increment = (ratio: number, nullRatio: number): number =>
      temper * logRatioIncrement(now.events, reference.events, share, ratio, nullRatio)
    const limit = setup.guardrail.tolerance.absolute
    return {
      incomplete: false,
      panes: state.panes + 1,
      sums: {
        events: sums.events + now.events,
        referenceEvents: sums.referenceEvents + reference.events,
        expected: sums.expected + (events * share * harm.nullRatio) / (1 + share * (harm.nullRatio - 1)),
        weighted: sums.weighted + now.events * (1 - share),
        referenceWeighted: sums.referenceWeighted + reference.events * share,
        trials: sums.trials + now.trials,
        referenceTrials: sums.referenceTrials + reference.trials,
      },
      harm: harm.ratios.map((ratio, k) =>
        stepStart(state.harm?.[k] ?? null, logWeight, increment(ratio, harm.nullRatio)),
      ),
      safe: state.safe.map((log, k) => log + increment(safe.ratios[k] as number, safe.nullRatio)),
      over:
        limit === undefined
          ? null
          : ratesAbove(limit).map((rate, k) =>
              stepStart(
                state.over?.[k] ?? null,
                logWeight,
                temper * logOwnRateIncrement(now.events, now.trials, rate, limit),
              ),
            ),
      starts: keepStart(state.starts, { at: pane.start, sums: asList(sums) }, startsKept),
    }
  },

  read(setup: DetectorSetup, state: RateState): DetectorReading {
    const { sums } = state
    const { onset, start } = onsetOf(
      state.starts,
      setup.paneMs,
      (from) => logRatioSince(since(sums, from)) / setup.phi,
      (from, first) => logRateChange(since(sums, first), since(sums, from)) / setup.phi,
    )
    const part = since(sums, start)
    const ratio = logRatioHarm(setup, state)
    return {
      status: statusOf(setup, { n: sums.trials, m: sums.referenceTrials, incomplete: state.incomplete }),
      logE: { harm: harmOf(state, ratio), safe: safeOf(setup, state) },
      effect: effectOf(setup, part, ratio, start === null ? 1 : startsKept),
      ...countsOf(sums),
      phi: setup.phi,
      onset,
      ...(start === null ? {} : { since: { from: start.at, ...countsOf(part) } }),
      drivers: [],
    }
  },
}

function countsOf(part: Sums): Pick<DetectorReading, 'n' | 'm' | 'events'> {
  const { trials: n, referenceTrials: m, events, referenceEvents: reference } = part
  return { n, m, events: { now: events, reference } }
}

function logRatioHarm(setup: DetectorSetup, state: RateState): number {
  if (state.harm === null) return 0
  return logAddExp(logAside(state.panes), mixOverRatios(gridsOf(setup).harm, state.harm))
}

function harmOf(state: RateState, ratio: number): number {
  if (state.over === null) return ratio
  const own = logAddExp(logAside(state.panes), logSumExp(state.over) - ln(state.over.length))
  return Math.min(ratio, own)
}

/**
 * Ratio since the onset, or of all panes. Half of α is for the interval, shared by the starts it may be chosen from; half
 * for the e-process of harm, which may itself have refuted every ratio up to the tolerated one.
 */
function effectOf(setup: DetectorSetup, part: Sums, logRatio: number, choices: number): Interval {
  const share = part.trials / (part.trials + part.referenceTrials)
  const { estimate, low, high } = rateRatio({ ...part, share, alpha: intervalAlpha / 2 / choices })
  if (logRatio < ln(2 / intervalAlpha)) return { estimate, low, high }
  const refuted = (1 + setup.guardrail.tolerance.harm) * justAbove
  return { estimate: Math.max(estimate, refuted), low: Math.max(low, refuted), high: Math.max(high, refuted) }
}
const justAbove = 1 + 2 ** -40

function safeOf(setup: DetectorSetup, state: RateState): number {
  const ratio = mixOverRatios(gridsOf(setup).safe, state.safe)
  const limit = setup.guardrail.tolerance.absolute
  if (limit === undefined) return ratio
  return logAddExp(ratio, logOwnRateBelow(state.sums.events, state.sums.trials, limit) / setup.phi) - ln(2)
}

/** Greatest log-likelihood ratio of a higher ratio against the tolerated one, from sums since a start. */
function logRatioSince(part: Sums): number {
  const { events, referenceEvents, expected } = part
  if (events <= expected || expected <= 0) return 0
  const rest = events + referenceEvents - expected
  return events * ln(events / expected) + (referenceEvents > 0 ? referenceEvents * ln(referenceEvents / rest) : 0)
}

/**
 * Log-likelihood of a candidate's own rate that rises at a start, from the sums of all panes and of those since the start. Panes
 * without an event say nothing about the ratio of the arms, but they do about this.
 */
function logRateChange(all: Sums, after: Sums): number {
  const ofRate = (events: number, trials: number): number => (events > 0 ? events * ln(events / trials) : 0)
  const before = { events: all.events - after.events, trials: all.trials - after.trials }
  if (before.events * after.trials > after.events * before.trials) return ofRate(all.events, all.trials)
  return ofRate(before.events, before.trials) + ofRate(after.events, after.trials)
}
