import type { Detector, DetectorPane, DetectorReading, DetectorSetup } from '@interlock/contracts'
import { ballTest, baselineShares, baselineSlack } from '../dirichlet-baseline.ts'
import { divergence, driversOf } from '../divergence.ts'
import { logSumExp } from '../elementary.ts'
import { logAside, logStartWeight } from '../start-mixture.ts'
import { keepStart, onsetOf, type Start } from '../starts.ts'
import { intervalAlpha, isWhole, signalOf, statusOf } from './setup.ts'

/** Start panes kept; their ages grow by a constant ratio, so an old healthy past never dilutes a new change. */
const startsKept = 12

export type BaselineState = {
  readonly incomplete: boolean
  /** Rows in each bin, all panes. */
  readonly counts: readonly number[]
  readonly panes: number
  /** Counts before each start, and last the number of its pane. */
  readonly starts: readonly Start[]
}

function countsSince(state: BaselineState, start: Start): readonly number[] {
  return state.counts.map((count, bin) => count - (start.sums[bin] as number))
}

/**
 * A version's histogram against its own baseline, for ever: evidence that the law left the ball KL(baseline‖now) ≤
 * tolerance.harm, summed over start panes as Shiryaev and Roberts do.
 *
 * Budget `falsePerYear`: ln(1 + Σ_τ E_τ), whose run length is at least the limit. Budget `alpha`: ln of the mixture
 * Σ π_τ E_τ + (what is aside), with summable weights. Starts that were forgotten only lower both. φ and the baseline
 * are estimated, hence `calibrated`.
 */
export const dirichletBaseline: Detector<BaselineState> = {
  id: 'dirichlet-baseline',
  promise: 'calibrated',

  start(setup: DetectorSetup): BaselineState {
    const bins = signalOf(setup, 'histogram').bins.length
    return { incomplete: false, counts: Array.from({ length: bins }, () => 0), panes: 0, starts: [] }
  },

  update(setup: DetectorSetup, state: BaselineState, pane: DetectorPane): BaselineState {
    if (!isWhole(pane)) return state.incomplete ? state : { ...state, incomplete: true }
    const now = signalOf(setup, 'histogram').read(pane.now)
    if (now.every((count) => count === 0)) return state.incomplete ? { ...state, incomplete: false } : state
    return {
      incomplete: false,
      counts: state.counts.map((count, bin) => count + (now[bin] as number)),
      panes: state.panes + 1,
      starts: keepStart(state.starts, { at: pane.start, sums: [...state.counts, state.panes] }, startsKept),
    }
  },

  read(setup: DetectorSetup, state: BaselineState): DetectorReading {
    const signal = signalOf(setup, 'histogram')
    const { phi } = setup
    const { baseline, m, test } = heldAgainst(setup)
    const n = state.counts.reduce((a, b) => a + b, 0)
    const evidence = new Map<Start, number>()
    if (n > 0 && m > 0) for (const start of state.starts) evidence.set(start, test(countsSince(state, start)))
    const { onset, start } = onsetOf(state.starts, setup.paneMs, (from) => evidence.get(from) ?? 0)
    const since = start === null ? state.counts : countsSince(state, start)
    const now = { bins: since, rows: since.reduce((a, b) => a + b, 0) }
    const reference = { bins: baseline, rows: m }
    const events = { now: 0, reference: 0 }
    return {
      status: statusOf(setup, { n, m, incomplete: state.incomplete }),
      logE: { harm: harmOf(setup, state, evidence), safe: 0 },
      effect: divergence(reference, now, phi, intervalAlpha),
      n,
      m,
      events,
      phi,
      onset,
      ...(start === null
        ? {}
        : { since: { from: start.at, n: now.rows, m, events, bins: { now: since, reference: [...baseline] } } }),
      drivers: driversOf(signal.bins, signal.id, reference, now),
    }
  },
}

/** The baseline as the test needs it: it follows from the setup alone, and every pane needs it again. */
interface Held {
  readonly baseline: Float64Array
  readonly m: number
  readonly test: ReturnType<typeof ballTest>
}
const held = new WeakMap<DetectorSetup, Held>()

function heldAgainst(setup: DetectorSetup): Held {
  const known = held.get(setup)
  if (known !== undefined) return known
  const signal = signalOf(setup, 'histogram')
  const baseline = setup.baseline === null ? new Float64Array(signal.bins.length) : signal.read(setup.baseline)
  const m = baseline.reduce((a, b) => a + b, 0)
  const tolerance = setup.guardrail.tolerance.harm + baselineSlack(baseline.length, m, setup.phi)
  const made = { baseline, m, test: ballTest(baselineShares(baseline), tolerance, setup.phi) }
  held.set(setup, made)
  return made
}

function harmOf(setup: DetectorSetup, state: BaselineState, evidence: ReadonlyMap<Start, number>): number {
  if (evidence.size === 0) return 0
  if ('falsePerYear' in setup.guardrail.budget) return logSumExp([0, ...evidence.values()])
  const terms = [...evidence].map(([start, logE]) => logE + logStartWeight(start.sums.at(-1) as number))
  return logSumExp([logAside(state.panes), ...terms])
}
