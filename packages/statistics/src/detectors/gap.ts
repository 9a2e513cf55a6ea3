import type { Detector, DetectorPane, DetectorReading, DetectorSetup, EventTime, Interval } from '@interlock/contracts'
import { ln, log1pExp, logAddExp } from '../elementary.ts'
import { dispersion, emptyHistory, expectedRows, learn, stepSilence, type VolumeHistory } from '../gap.ts'
import { ratioCeiling } from '../rate-interval.ts'
import { logAside } from '../start-mixture.ts'
import { intervalAlpha, isWhole, signalOf } from './setup.ts'

/** Panes with rows before silence means anything. */
const busyPanesNeeded = 10

export type GapState = {
  readonly incomplete: boolean
  readonly panes: number
  readonly n: number
  readonly m: number
  readonly history: VolumeHistory
  /** The silence that lasts now. */
  readonly silence: {
    readonly from: EventTime
    readonly panes: number
    readonly exposure: number
    readonly expected: number
    readonly logM: number
  } | null
  readonly last: { readonly rows: number; readonly expected: number }
}

/**
 * Silence of a version that should be answering. Expected are as many rows as its own recent panes had, in proportion to what
 * the hours of the week leave to expect where the baseline knows them, or (reference stable) its recent part of the stable
 * arm's rows: so a quiet night alarms nobody. The rate is estimated: promise `calibrated`. Feed it zero panes while the
 * version has share.
 */
export const gap: Detector<GapState> = {
  id: 'gap',
  promise: 'calibrated',

  start(setup: DetectorSetup): GapState {
    signalOf(setup, 'volume')
    return {
      incomplete: false,
      panes: 0,
      n: 0,
      m: 0,
      history: emptyHistory,
      silence: null,
      last: { rows: 0, expected: 0 },
    }
  },

  update(setup: DetectorSetup, state: GapState, pane: DetectorPane): GapState {
    // Rows may be under way in the shards that have not reported: no silence is counted.
    if (!isWhole(pane)) return state.incomplete ? state : { ...state, incomplete: true }
    const signal = signalOf(setup, 'volume')
    const rows = signal.read(pane.now)
    const reference = pane.reference === null ? 0 : signal.read(pane.reference)
    const exposure = setup.guardrail.reference === 'stable' ? reference : (pane.expected ?? 1)
    const expected = expectedRows(state.history, exposure)
    const silent = state.silence ?? { from: pane.start, panes: 0, exposure: 0, expected: 0, logM: null }
    const next = {
      incomplete: false,
      panes: state.panes + 1,
      n: state.n + rows,
      m: state.m + (setup.guardrail.reference === 'stable' ? reference : rows),
      last: { rows, expected },
    }
    if (rows > 0) return { ...next, history: learn(state.history, rows, exposure, silent), silence: null }
    if (state.history.busy < busyPanesNeeded || expected === 0)
      return { ...next, history: state.history, silence: state.silence }
    const logM = stepSilence(silent.logM, expected, dispersion(state.history, setup.phi), {
      endless: 'falsePerYear' in setup.guardrail.budget,
      index: state.panes,
    })
    return {
      ...next,
      history: state.history,
      silence: {
        from: silent.from,
        panes: silent.panes + 1,
        exposure: silent.exposure + exposure,
        expected: silent.expected + expected,
        logM,
      },
    }
  },

  read(setup: DetectorSetup, state: GapState): DetectorReading {
    const { silence, n, m, history } = state
    const phi = dispersion(history, setup.phi)
    return {
      status: statusOf(setup, state),
      logE: { harm: harmOf(setup, state), safe: 0 },
      effect: effectOf(state, phi),
      n,
      m,
      events: silence === null ? { now: 0, reference: 0 } : { now: 0, reference: Math.round(silence.expected) },
      phi,
      onset: silence === null ? null : { from: silence.from, to: silence.from + setup.paneMs },
      drivers: [],
    }
  },
}

function statusOf(setup: DetectorSetup, state: GapState): DetectorReading['status'] {
  if (state.incomplete) return 'incomplete'
  if (!(state.n > 0 && state.m > 0)) return 'no-data'
  return state.history.busy < busyPanesNeeded || state.n < setup.guardrail.minimumSample ? 'too-few' : 'ok'
}

function harmOf(setup: DetectorSetup, { silence, panes }: GapState): number {
  if ('falsePerYear' in setup.guardrail.budget) return silence === null ? 0 : log1pExp(silence.logM)
  return silence === null ? logAside(panes) : logAddExp(logAside(panes), silence.logM)
}

/** Rows over expected rows, in the silence or in the last pane; square-root interval with the always-valid price of 3 SD. */
function effectOf({ silence, last }: GapState, phi: number): Interval {
  if (silence !== null) {
    const high = (phi * ln(1 / intervalAlpha)) / silence.expected
    return { estimate: 0, low: 0, high: Math.min(high, ratioCeiling) }
  }
  const { rows, expected } = last
  if (expected <= 0) return { estimate: 1, low: 0, high: ratioCeiling }
  const radius = 1.5 * Math.sqrt(phi)
  const low = Math.max(0, Math.sqrt(rows) - radius)
  const high = Math.sqrt(rows) + radius
  const bounded = (value: number): number => Math.min(value / expected, ratioCeiling)
  return { estimate: bounded(rows), low: bounded(low * low), high: bounded(high * high) }
}
