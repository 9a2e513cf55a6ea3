import type { Json } from './canonical.ts'
import type { Driver, Evidence } from './outs.ts'
import type { DetectorId, Guardrail } from './policy.ts'
import type { EventTime } from './time.ts'

/** How a signal reads a cell's count vector. Integers in, integers out. */
export type SignalView =
  | {
      readonly kind: 'rate'
      readonly id: string
      read(counts: Float64Array): { readonly events: number; readonly trials: number }
    }
  | {
      readonly kind: 'histogram'
      readonly id: string
      /** Names of the bins, in the order of `read`: "1,600 and more", "ORD", "missing". */
      readonly bins: readonly string[]
      /** Numeric histograms: places in `bins` in the order of the values, from below the edges to above them. */
      readonly ordered?: readonly number[]
      read(counts: Float64Array): Float64Array
    }
  | {
      readonly kind: 'mean'
      readonly id: string
      /** Finite and strictly increasing; values beyond them count as the first and the last. */
      readonly edges: readonly number[]
      /** Names of the bins, in the order of `read`. */
      readonly bins: readonly string[]
      /** Rows below the edges, in each bin, and above them: `edges.length + 1` numbers. */
      read(counts: Float64Array): Float64Array
    }
  | { readonly kind: 'volume'; readonly id: string; read(counts: Float64Array): number }

/** One closed pane as a detector sees it. */
export interface DetectorPane {
  readonly start: EventTime
  readonly ms: number
  /** Counts of the watched version in this pane (whole version or one slice). */
  readonly now: Float64Array
  /** Counts of the reference in the same pane; null where the reference is the baseline given at `start`. */
  readonly reference: Float64Array | null
  /** 1 when every shard reported the pane. A pane below 1 moves no evidence and is never a pass. */
  readonly coverage: number
  /**
   * Volume held against history: rows that the hour of the week leaves to expect of the watched version, by the volume cells
   * of its baseline and its part of what the deployment answers. Absent where the baseline knows no hours.
   */
  readonly expected?: number
}

export interface DetectorSetup {
  readonly guardrail: Guardrail
  readonly signal: SignalView
  /** The version's own baseline counts for the same slice, or null. */
  readonly baseline: Float64Array | null
  /** Design effect of the signal (≥ 1). */
  readonly phi: number
  readonly paneMs: number
}

/**
 * Turns counts into evidence. State is plain JSON (no infinities, no NaN) so that it snapshots and hashes; `update`
 * returns a new state or the same one unchanged.
 */
export interface Detector<State extends Json = Json> {
  readonly id: DetectorId
  /** What is promised: exact error probability, run length, or calibrated on healthy history. */
  readonly promise: 'alpha' | 'arl' | 'calibrated'
  start(setup: DetectorSetup): State
  update(setup: DetectorSetup, state: State, pane: DetectorPane): State
  read(setup: DetectorSetup, state: State): DetectorReading
}

/** Evidence without what only the evaluator knows. Drivers here are the signal's own bins. */
export interface DetectorReading {
  readonly status: Evidence['status']
  readonly logE: Evidence['logE']
  readonly effect: Evidence['effect']
  readonly n: number
  readonly m: number
  readonly events: Evidence['events']
  readonly phi: number
  readonly onset: Evidence['onset']
  /** What was counted since the likeliest onset; for histograms with the rows of each bin, the reference's in its own scale. */
  readonly since?: NonNullable<Evidence['since']> & {
    readonly bins?: { readonly now: readonly number[]; readonly reference: readonly number[] }
  }
  readonly drivers: readonly Driver[]
}
