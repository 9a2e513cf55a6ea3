import type { Detector, DetectorPane, DetectorReading, DetectorSetup, Interval } from '@interlock/contracts'
import { logDealIncrement, predictedOdds, type Tilt, tiltedOdds } from '../dirichlet-two-sample.ts'
import { divergence, driversOf, logDivergenceAbove, logTwoLaws } from '../divergence.ts'
import { ln, logAddExp, logSumExp } from '../elementary.ts'
import { logAside, logStartWeight, stepStart } from '../start-mixture.ts'
import { keepStart, onsetOf, type Start } from '../starts.ts'
import { intervalAlpha, isWhole, signalOf, statusOf } from './setup.ts'
import { type ArmSums, addPane, asList, emptySums, fromList, partSince, samplesOf } from './two-sample-sums.ts'

/** Start panes kept; their ages grow by a constant ratio, so an old healthy past never dilutes a new change. */
const startsKept = 16

/** What is left, pane by pane, of the memory of some ten panes, and of the one that knows the last two. */
const fading = { recent: 0.9, last: 0.5 } as const

/** Bettors that learn the candidate's shape: from which memory, and from how many rows of agreement. */
const learners = [
  { memory: 'all', strength: 50 },
  { memory: 'all', strength: 1000 },
  { memory: 'recent', strength: 50 },
  { memory: 'recent', strength: 500 },
  { memory: 'last', strength: 100 },
] as const

/** Bettors on numeric signals that know the stable arm's shape alone, so they stake from the first changed pane on. */
const tilts: readonly Tilt[] = [
  { slope: 0.6, bend: 0 },
  { slope: -0.6, bend: 0 },
  { slope: 1.25, bend: 0 },
  { slope: -1.25, bend: 0 },
  { slope: 0, bend: 1 },
  { slope: 0, bend: -1 },
]

/** Rows of both arms by bin, faded; the stable one in the candidate's scale. */
type Memory = { readonly now: readonly number[]; readonly reference: readonly number[] }

export type TwoSampleState = {
  readonly incomplete: boolean
  readonly panes: number
  /** Rows of the panes in which an arm had none: they are counted, and compared with nothing. */
  readonly alone: { readonly n: number; readonly m: number }
  readonly all: ArmSums
  readonly recent: Memory
  readonly last: Memory
  /** ln M of each bettor; null before the first pane. */
  readonly wealth: readonly number[] | null
  /** Sums before each start, and first the number of its pane. */
  readonly starts: readonly Start[]
}

/**
 * Whole distribution of the candidate against the stable arm in the same panes. The stable arm is weighted to the
 * candidate's rows pane by pane, so neither hours nor a ramp show as a difference.
 *
 * Harm is the lesser of two: the e-process against "one law for both arms", which bounds the false alarms, and the
 * evidence that the divergence since some start is above tolerance.harm, so that a difference nobody cares about never
 * acts. Both are mixed over the same start panes with the same weights. Distributions only guard: Safe stays at 1.
 */
export const dirichletTwoSample: Detector<TwoSampleState> = {
  id: 'dirichlet-two-sample',
  promise: 'alpha',

  start(setup: DetectorSetup): TwoSampleState {
    const all = emptySums(signalOf(setup, 'histogram').bins.length)
    const memory = { now: all.now, reference: all.reference }
    return {
      incomplete: false,
      panes: 0,
      alone: { n: 0, m: 0 },
      all,
      recent: memory,
      last: memory,
      wealth: null,
      starts: [],
    }
  },

  update(setup: DetectorSetup, state: TwoSampleState, pane: DetectorPane): TwoSampleState {
    if (!isWhole(pane)) return state.incomplete ? state : { ...state, incomplete: true }
    const signal = signalOf(setup, 'histogram')
    const now = signal.read(pane.now)
    const reference = pane.reference === null ? new Float64Array(now.length) : signal.read(pane.reference)
    const n = now.reduce((a, b) => a + b, 0)
    const m = reference.reduce((a, b) => a + b, 0)
    if (n === 0 || m === 0)
      return { ...state, incomplete: false, alone: { n: state.alone.n + n, m: state.alone.m + m } }
    const odds = [
      ...learners.map(({ memory, strength }) => predictedOdds(state[memory].now, state[memory].reference, strength)),
      ...(signal.ordered === undefined ? [] : tilts).map((tilt) =>
        tiltedOdds(state.recent.reference, signal.ordered ?? [], tilt),
      ),
    ]
    const logWeight = logStartWeight(state.panes)
    return {
      ...state,
      incomplete: false,
      panes: state.panes + 1,
      all: addPane(state.all, now, reference),
      recent: faded(state.recent, fading.recent, now, reference, n / m),
      last: faded(state.last, fading.last, now, reference, n / m),
      wealth: odds.map((bet, k) =>
        stepStart(state.wealth?.[k] ?? null, logWeight, logDealIncrement(now, reference, bet) / setup.phi),
      ),
      starts: keepStart(state.starts, { at: pane.start, sums: [state.panes, ...asList(state.all)] }, startsKept),
    }
  },

  read(setup: DetectorSetup, state: TwoSampleState): DetectorReading {
    const signal = signalOf(setup, 'histogram')
    const { all, alone } = state
    const parts = new Map(state.starts.map((start) => [start, partSince(all, fromList(start.sums.slice(1)))]))
    const { onset, start } = onsetOf(state.starts, setup.paneMs, (from) => {
      const { now, reference } = samplesOf(parts.get(from) ?? all)
      return logTwoLaws(reference, now, setup.phi)
    })
    const part = start === null ? all : (parts.get(start) ?? all)
    const { now, reference } = samplesOf(part)
    const harm = harmOf(setup, state, parts)
    const n = all.n + alone.n
    const m = all.m + alone.m
    const events = { now: 0, reference: 0 }
    return {
      status: statusOf(setup, { n, m, incomplete: state.incomplete }),
      logE: { harm, safe: 0 },
      effect: effectOf(setup, part, harm, start === null ? 1 : startsKept),
      n,
      m,
      events,
      phi: setup.phi,
      onset,
      ...(start === null
        ? {}
        : {
            since: {
              from: start.at,
              n: part.n,
              m: part.m,
              events,
              bins: { now: part.now, reference: part.reference },
            },
          }),
      drivers: driversOf(signal.bins, signal.id, reference, now),
    }
  },
}

function faded(old: Memory, keep: number, now: Float64Array, reference: Float64Array, weight: number): Memory {
  return {
    now: old.now.map((sum, bin) => sum * keep + (now[bin] as number)),
    reference: old.reference.map((sum, bin) => sum * keep + weight * (reference[bin] as number)),
  }
}

function harmOf(setup: DetectorSetup, state: TwoSampleState, parts: ReadonlyMap<Start, ArmSums>): number {
  if (state.wealth === null) return 0
  const aside = logAside(state.panes)
  const differs = logAddExp(aside, logSumExp(state.wealth) - ln(state.wealth.length))
  // Without evidence of a difference it does not matter how large it is: the dear half of the work is left out.
  if (differs <= 0) return differs
  const terms = [...parts].map(([start, part]) => {
    const { now, reference } = samplesOf(part)
    const matters = logDivergenceAbove(reference, now, setup.phi, setup.guardrail.tolerance.harm)
    return logStartWeight(start.sums[0] as number) + matters
  })
  return Math.min(differs, logSumExp([aside, ...terms]))
}

/**
 * Divergence since the onset, or of all panes. Half of α is for the interval, shared by the starts it may be chosen from;
 * half for the evidence of harm, which may itself have refuted every divergence up to the tolerated one.
 */
function effectOf(setup: DetectorSetup, part: ArmSums, harm: number, choices: number): Interval {
  const { now, reference } = samplesOf(part)
  const { estimate, low, high } = divergence(reference, now, setup.phi, intervalAlpha / 2 / choices)
  if (harm < ln(2 / intervalAlpha)) return { estimate, low, high }
  const refuted = setup.guardrail.tolerance.harm + justAbove
  return { estimate: Math.max(estimate, refuted), low: Math.max(low, refuted), high: Math.max(high, refuted) }
}
const justAbove = 2 ** -40
