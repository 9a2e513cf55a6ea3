import type { Detector, DetectorPane, DetectorReading, DetectorSetup } from '@interlock/contracts'
import { ln, logAddExp, logSumExp } from '../elementary.ts'
import { logOwnRateBelow, logOwnRateIncrement, logWeightsAbove, ratesAbove } from '../own-rate.ts'
import { rateRatio } from '../rate-interval.ts'
import { stepShiryaevRoberts } from '../shiryaev-roberts.ts'
import { clopperPearson } from '../special.ts'
import { logAside, logStartWeight, stepStart } from '../start-mixture.ts'
import { keepStart, onsetOf, type Start } from '../starts.ts'
import { intervalAlpha, isWhole, signalOf, statusOf } from './setup.ts'

/** Start panes kept for the onset. */
const startsKept = 16
/** A baseline's rate is itself measured: its bounds at this level stand for it, one on each side. */
const baselineAlpha = 0.1
/** A rate at which nothing could be seen to rise. */
const mostRate = 0.999

export type OwnRateState = {
  readonly incomplete: boolean
  readonly panes: number
  readonly events: number
  readonly trials: number
  /** ln of each alternative's process; null before the first pane with trials. */
  readonly harm: readonly number[] | null
  readonly starts: readonly Start[]
}

/**
 * A version's own rate against its baseline's: is it above (1 + tolerance.harm) times what healthy history showed?
 *
 * The baseline counts as its upper 95 % Clopper–Pearson bound, so that a small baseline costs delay and not false alarms;
 * a mixture of binomial likelihood ratios against six higher rates is tempered by φ. Budget `falsePerYear`:
 * Shiryaev–Roberts, whose run length is at least the limit. Budget `alpha`: the mixture over start panes. Safe: below
 * (1 + tolerance.safe) times the lower bound all in all, or below `absolute`: the average of both. φ and the baseline
 * are estimated, hence `calibrated`.
 */
export const binomialShiryaevRoberts: Detector<OwnRateState> = {
  id: 'binomial-shiryaev-roberts',
  promise: 'calibrated',

  start(setup: DetectorSetup): OwnRateState {
    signalOf(setup, 'rate')
    return { incomplete: false, panes: 0, events: 0, trials: 0, harm: null, starts: [] }
  },

  update(setup: DetectorSetup, state: OwnRateState, pane: DetectorPane): OwnRateState {
    if (!isWhole(pane)) return state.incomplete ? state : { ...state, incomplete: true }
    const { events, trials } = signalOf(setup, 'rate').read(pane.now)
    if (trials === 0) return state.incomplete ? { ...state, incomplete: false } : state
    const { harmless } = heldAgainst(setup)
    const isEndless = 'falsePerYear' in setup.guardrail.budget
    const step = (log: number | null, increment: number): number =>
      isEndless ? stepShiryaevRoberts(log, increment) : stepStart(log, logStartWeight(state.panes), increment)
    return {
      incomplete: false,
      panes: state.panes + 1,
      events: state.events + events,
      trials: state.trials + trials,
      harm: ratesAbove(harmless).map((rate, k) =>
        step(state.harm?.[k] ?? null, logOwnRateIncrement(events, trials, rate, harmless) / setup.phi),
      ),
      starts: keepStart(state.starts, { at: pane.start, sums: [state.events, state.trials] }, startsKept),
    }
  },

  read(setup: DetectorSetup, state: OwnRateState): DetectorReading {
    const { baseline, harmless } = heldAgainst(setup)
    const { events, trials } = state
    const since = (start: Start) => ({
      events: events - (start.sums[0] as number),
      trials: trials - (start.sums[1] as number),
    })
    const { onset, start } = onsetOf(state.starts, setup.paneMs, (from) => logRise(since(from), harmless) / setup.phi)
    const part = start === null ? state : since(start)
    const countsOf = (now: { readonly events: number; readonly trials: number }) => ({
      n: now.trials,
      m: baseline.trials,
      events: { now: now.events, reference: baseline.events },
    })
    const share = part.trials / (part.trials + baseline.trials)
    return {
      status: statusOf(setup, { n: trials, m: baseline.trials, incomplete: state.incomplete }),
      logE: { harm: harmOf(setup, state), safe: safeOf(setup, state) },
      effect: rateRatio({
        events: part.events,
        referenceEvents: baseline.events,
        weighted: part.events * (1 - share),
        referenceWeighted: baseline.events * share,
        share,
        alpha: intervalAlpha / (start === null ? 1 : startsKept),
      }),
      ...countsOf(state),
      phi: setup.phi,
      onset,
      ...(start === null ? {} : { since: { from: start.at, ...countsOf(part) } }),
      drivers: [],
    }
  },
}

/** What follows from the setup alone: the baseline's counts, and the greatest rates that count as no harm and as safe. */
interface Held {
  readonly baseline: { readonly events: number; readonly trials: number }
  readonly harmless: number
  readonly safe: number
}
const held = new WeakMap<DetectorSetup, Held>()

function heldAgainst(setup: DetectorSetup): Held {
  const known = held.get(setup)
  if (known !== undefined) return known
  const { tolerance } = setup.guardrail
  const baseline = setup.baseline === null ? { events: 0, trials: 0 } : signalOf(setup, 'rate').read(setup.baseline)
  const [low, high] = baseline.trials === 0 ? [0, 1] : clopperPearson(baseline.events, baseline.trials, baselineAlpha)
  const made = {
    baseline,
    harmless: Math.min(mostRate, high * (1 + tolerance.harm)),
    safe: Math.min(mostRate, low * (1 + tolerance.safe)),
  }
  held.set(setup, made)
  return made
}

function harmOf(setup: DetectorSetup, state: OwnRateState): number {
  const { harm, panes } = state
  if (harm === null) return 0
  const mixed = logSumExp(harm.map((log, k) => log + (logWeightsAbove[k] as number)))
  return 'falsePerYear' in setup.guardrail.budget ? Math.max(0, mixed) : logAddExp(logAside(panes), mixed)
}

function safeOf(setup: DetectorSetup, { events, trials }: OwnRateState): number {
  const { safe } = heldAgainst(setup)
  const { absolute } = setup.guardrail.tolerance
  const limits = [safe, ...(absolute === undefined ? [] : [absolute])].filter((limit) => limit > 0)
  if (limits.length === 0 || trials === 0) return 0
  return logSumExp(limits.map((limit) => logOwnRateBelow(events, trials, limit) / setup.phi)) - ln(limits.length)
}

/** Greatest log-likelihood ratio of a rate above `harmless` against it. */
function logRise({ events, trials }: { readonly events: number; readonly trials: number }, harmless: number): number {
  if (events <= harmless * trials) return 0
  const missed = trials - events
  return (
    events * ln(events / (trials * harmless)) + (missed === 0 ? 0 : missed * ln(missed / (trials * (1 - harmless))))
  )
}
