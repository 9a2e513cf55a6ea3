import type { Detector, DetectorReading, Json, SignalView } from '@interlock/contracts'
import type { Methods } from '../plan.ts'
import { layout } from './flights.ts'

interface Sums {
  readonly [key: string]: Json
  readonly n: number
  readonly m: number
  readonly panes: number
  readonly incomplete: boolean
}

/** Counts rows and whole panes; its evidence is the candidate's rows in hundreds. Enough to see what reaches a detector. */
const toyDetector: Detector = {
  id: 'conditional-beta-binomial',
  promise: 'alpha',
  start: () => ({ n: 0, m: 0, panes: 0, incomplete: false }),
  update: (_setup, state, { now, reference, coverage }) => {
    const sums = state as Sums
    if (coverage < 1) return { ...sums, incomplete: true }
    const rows = (counts: Float64Array): number => counts[layout.rows] as number
    const m = reference === null ? 0 : rows(reference)
    return { n: sums.n + rows(now), m: sums.m + m, panes: sums.panes + 1, incomplete: false }
  },
  read: (_setup, state): DetectorReading => {
    const { n, m, incomplete } = state as Sums
    return {
      status: incomplete ? 'incomplete' : n === 0 ? 'no-data' : 'ok',
      logE: { harm: n / 100, safe: 0 },
      effect: { estimate: 1, low: 0, high: 2 },
      n,
      m,
      events: { now: 0, reference: 0 },
      phi: 1,
      onset: null,
      drivers: [],
    }
  },
}

const rowsSignal: SignalView = {
  kind: 'rate',
  id: 'errors',
  read: (counts) => ({ events: counts[layout.status + 1] as number, trials: counts[layout.rows] as number }),
}

export const toyMethods: Methods = {
  detectorFor: () => toyDetector,
  resolveSignal: () => rowsSignal,
  whyNot: () => null,
}
