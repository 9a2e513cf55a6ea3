import type { Hash } from './ids.ts'
import type { LogRecord, Range } from './log.ts'
import type { AnyOut } from './outs.ts'
import type { LogTime } from './time.ts'

/**
 * One input of a step, in the order in which it was taken. Records of plain topics arrive raw; shard logs arrive as
 * the outs of their valid entries (void entries are skipped by the shell, alike for every reader).
 */
export type Input =
  | { readonly kind: 'record'; readonly record: LogRecord }
  | {
      readonly kind: 'out'
      readonly processor: string
      readonly shard: number
      readonly offset: bigint
      readonly at: LogTime
      readonly out: AnyOut
    }

/** A pure state machine (docs/architecture.md §1). Same state, batch, time and flag: same bytes. */
export interface Processor<State> {
  readonly name: string
  readonly version: number
  empty(shard: number): State
  step(state: State, batch: readonly Input[], time: LogTime, caughtUp: boolean): Step<State>
  /** Canonical bytes. */
  save(state: State): Uint8Array
  /** Reads what `save` of that version wrote, or throws with a sentence that says what to do. */
  load(bytes: Uint8Array, version: number): State
}

export type Step<State> = readonly [state: State, outs: readonly AnyOut[]]

/** Which inputs a shard of a processor reads. `log` inputs are shard logs of another processor. */
export interface InputSource {
  readonly kind: 'topic' | 'log'
  readonly topic: string
  readonly partition: number
}

export type { Hash, Range }
