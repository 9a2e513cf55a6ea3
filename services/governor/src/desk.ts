import type { AnyOut, LogTime } from '@interlock/contracts'
import type { GovernorState } from './state.ts'

/** What the governor is told once, before it starts. */
export interface GovernorConfig {
  readonly environment: string
  /** Number of governor shards; fixed when the topics were created. */
  readonly shards: number
  /** Public root key, SPKI DER in base64: whoever holds it writes the keysets. */
  readonly rootKey: string
}

/** The table at which one step works: what it may look up, and where it lays what it puts out. */
export interface Desk {
  readonly config: GovernorConfig
  readonly time: LogTime
  /** State of the shard before the input at hand: documents, keys, brake. */
  readonly shard: GovernorState
  readonly outs: AnyOut[]
  /** Id of the person's request at hand, for the decisions that answer it. */
  readonly request?: string
}

/** Who decided when it was no person. */
export const machine = 'governor'
