import { log1pExp, pow } from './elementary.ts'
import { logStartWeight, stepStart } from './start-mixture.ts'

/** What is left of a pane's weight in the history when the next one comes: half of it after 30 panes. */
const fading = pow(0.5, 1 / 30)

/**
 * How many rows a version answers for each unit of exposure (a pane, or a row of the stable arm), and how unevenly, as
 * the recent past says. Silence is not learnt from while it lasts; when rows come again, it is counted as past.
 */
export type VolumeHistory = {
  /** Faded sums over panes. */
  readonly rows: number
  readonly exposure: number
  /** Faded sum of (x − μ)²/μ, and of its weights. */
  readonly scatter: number
  readonly weight: number
  /** Panes with rows so far. */
  readonly busy: number
}

export const emptyHistory: VolumeHistory = { rows: 0, exposure: 0, scatter: 0, weight: 0, busy: 0 }

/** An exposure below it is none: no rate follows from it. */
const leastExposure = 1e-6

/** Rows expected for an exposure. */
export function expectedRows(history: VolumeHistory, exposure: number): number {
  return history.exposure > 0 && exposure >= leastExposure ? (history.rows / history.exposure) * exposure : 0
}

/** Variance over mean of the rows of a pane, at least `floor`: counts in clumps leave longer gaps than Poisson's. */
export function dispersion(history: VolumeHistory, floor: number): number {
  return history.weight > 0 ? Math.max(floor, history.scatter / history.weight) : floor
}

/**
 * The history after a pane with rows that ended a silence of some panes and some exposure.
 *
 * @param fade what is left of a pane's weight when the next one comes
 */
export function learn(
  history: VolumeHistory,
  rows: number,
  exposure: number,
  silence: { readonly panes: number; readonly exposure: number },
  fade = fading,
): VolumeHistory {
  const faded = pow(fade, silence.panes + 1)
  const mean = expectedRows(history, exposure)
  const exposed = silence.exposure + exposure
  return {
    rows: history.rows * faded + rows,
    exposure: history.exposure * faded + (exposed < leastExposure ? 0 : exposed),
    scatter: history.scatter * faded + (mean > 0 ? ((rows - mean) * (rows - mean)) / mean : 0),
    weight: history.weight * faded + (mean > 0 ? 1 : 0),
    busy: history.busy + 1,
  }
}

/**
 * Gap test: evidence of a silence in which `expected` rows should have come in this pane.
 *
 *   L_t = e^{μ_t/φ}·1{no row},  E[L_t] ≤ 1 for Poisson rows (φ = 1) and for negative binomial ones of dispersion φ
 *
 * so the evidence of a silence is ∫λ/φ nats: it ends at the limit when ∫λ ≥ φ·ln(1/α). For endless watching the starts are
 * summed (Shiryaev–Roberts), for a generation they are mixed with summable weights. A single row ends it: M = 0.
 *
 * @returns ln M_t; null is M = 0
 */
export function stepSilence(
  logM: number | null,
  expected: number,
  phi: number,
  pane: { readonly endless: boolean; readonly index: number },
): number {
  if (pane.endless) return (logM === null ? 0 : log1pExp(logM)) + expected / phi
  return stepStart(logM, logStartWeight(pane.index), expected / phi)
}
