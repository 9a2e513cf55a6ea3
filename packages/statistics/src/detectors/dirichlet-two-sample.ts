import type { Detector, DetectorPane, DetectorReading, DetectorSetup } from '@interlock/contracts'
import { logDealIncrement, predictedOdds } from '../dirichlet-two-sample.ts'
import { divergence, driversOf, logDivergenceAbove, type Sample } from '../divergence.ts'
import { ln, logAddExp, logSumExp } from '../elementary.ts'
import { logAside, logStartWeight, stepStart } from '../start-mixture.ts'
import { keepStart, onsetOf, type Start } from '../starts.ts'
import { intervalAlpha, isWhole, signalOf, statusOf } from './setup.ts'

const startsKept = 16

/** What is left, pane by pane, of the memory that follows a late change (a dozen panes or so). */
const fading = 0.9

/** Bettors: how much of the past each uses, and how many rows of agreement it starts from. Equal weights. */
const bettors = [
  { memory: 'all', strength: 50 },
  { memory: 'all', strength: 1000 },
  { memory: 'recent', strength: 50 },
  { memory: 'recent', strength: 500 },
] as const

/** Both arms over some panes, the stable one weighted to the candidate's rows pane by pane. */
type Memory = {
  readonly now: readonly number[]
  readonly reference: readonly number[]
  /** Σ n, Σ w²·n and Σ w²·n²/m over panes: what the two are worth as independent rows. */
  readonly rows: number
  readonly spread: number
  readonly referenceSpread: number
}

export type TwoSampleState = {
  readonly incomplete: boolean
  readonly panes: number
  readonly n: number
  readonly m: number
  readonly all: Memory
  readonly recent: Memory
  /** ln M of each bettor; null before the first pane. */
  readonly wealth: readonly number[] | null
  /** ln of each bettor's plain product, for the onset. */
  readonly product: readonly number[]
  readonly starts: readonly Start[]
}

function emptyMemory(bins: number): Memory {
  const zeros = Array.from({ length: bins }, () => 0)
  return { now: zeros, reference: zeros, rows: 0, spread: 0, referenceSpread: 0 }
}

function remember(old: Memory, keep: number, now: Float64Array, reference: Float64Array, n: number, m: number): Memory {
  const weight = n / m
  return {
    now: old.now.map((sum, bin) => sum * keep + (now[bin] as number)),
    reference: old.reference.map((sum, bin) => sum * keep + weight * (reference[bin] as number)),
    rows: old.rows * keep + n,
    spread: old.spread * keep * keep + n,
    referenceSpread: old.referenceSpread * keep * keep + n * weight,
  }
}

function samplesOf(memory: Memory): { readonly now: Sample; readonly reference: Sample } {
  const worth = (spread: number): number => (spread > 0 ? (memory.rows * memory.rows) / spread : 0)
  return {
    now: { bins: memory.now, rows: worth(memory.spread) },
    reference: { bins: memory.reference, rows: worth(memory.referenceSpread) },
  }
}

/**
 * Whole distribution of the candidate against the stable arm in the same panes. The stable arm is weighted to the
 * candidate's rows pane by pane, so neither hours nor a ramp show as a difference.
 *
 * Harm is the lesser of two: the e-process against "one law for both arms", which bounds the false alarms, and the
 * evidence that the divergence is above tolerance.harm, so that a difference nobody cares about never acts. Distributions
 * only guard: Safe stays at 1.
 */
export const dirichletTwoSample: Detector<TwoSampleState> = {
  id: 'dirichlet-two-sample',
  promise: 'alpha',

  start(setup: DetectorSetup): TwoSampleState {
    const bins = signalOf(setup, 'histogram').bins.length
    return {
      incomplete: false,
      panes: 0,
      n: 0,
      m: 0,
      all: emptyMemory(bins),
      recent: emptyMemory(bins),
      wealth: null,
      product: bettors.map(() => 0),
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
    const seen = { ...state, incomplete: false, n: state.n + n, m: state.m + m }
    if (n === 0 || m === 0) return seen
    const increments = bettors.map(({ memory, strength }) => {
      const odds = predictedOdds(state[memory].now, state[memory].reference, strength)
      return logDealIncrement(now, reference, odds) / setup.phi
    })
    const logWeight = logStartWeight(state.panes)
    return {
      ...seen,
      panes: state.panes + 1,
      all: remember(state.all, 1, now, reference, n, m),
      recent: remember(state.recent, fading, now, reference, n, m),
      wealth: increments.map((increment, k) => stepStart(state.wealth?.[k] ?? null, logWeight, increment)),
      product: state.product.map((log, k) => log + (increments[k] as number)),
      starts: keepStart(state.starts, { at: pane.start, sums: state.product }, startsKept),
    }
  },

  read(setup: DetectorSetup, state: TwoSampleState): DetectorReading {
    const signal = signalOf(setup, 'histogram')
    const { onset } = onsetOf(state.starts, setup.paneMs, (from) => {
      let best = Number.NEGATIVE_INFINITY
      for (let k = 0; k < bettors.length; k++)
        best = Math.max(best, (state.product[k] as number) - (from.sums[k] as number))
      return best
    })
    const { tolerance } = setup.guardrail
    const views = [state.all, state.recent].map((memory) => {
      const { now, reference } = samplesOf(memory)
      return { now, reference, matters: logDivergenceAbove(reference, now, setup.phi, tolerance.harm) }
    }) as [View, View]
    // What is published is the view that says most, so that evidence and interval agree.
    const { now, reference } = views[1].matters > views[0].matters ? views[1] : views[0]
    return {
      status: statusOf(setup, { n: state.n, m: state.m, incomplete: state.incomplete }),
      logE: { harm: harmOf(state, views), safe: 0 },
      effect: divergence(reference, now, setup.phi, intervalAlpha),
      n: state.n,
      m: state.m,
      events: { now: 0, reference: 0 },
      phi: setup.phi,
      onset,
      drivers: driversOf(signal.bins, signal.id, reference, now),
    }
  },
}

interface View {
  readonly now: Sample
  readonly reference: Sample
  /** ln of the evidence that the divergence is above the tolerance. */
  readonly matters: number
}

function harmOf(state: TwoSampleState, views: readonly [View, View]): number {
  if (state.wealth === null) return 0
  const differs = logAddExp(logAside(state.panes), logSumExp(state.wealth) - ln(bettors.length))
  return Math.min(differs, logAddExp(views[0].matters, views[1].matters) - ln(2))
}
