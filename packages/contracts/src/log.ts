import type { Hash } from './ids.ts'

/** A span of one partition's offsets; `to` is exclusive. */
export interface Range {
  readonly topic: string
  readonly partition: number
  readonly from: bigint
  readonly to: bigint
}

/**
 * What a processor puts out. `kind` names the record (outs.ts), `key` is the deployment (or shard) it belongs to,
 * `value` the encoded record. Outs whose kind is public are copied to their topic by a publisher.
 */
export interface Out {
  readonly kind: string
  readonly key: string
  readonly value: Uint8Array
}

/** One step of one shard: journal, outbox and output at once (docs/reliability.md §1, docs/architecture.md §1). */
export interface Entry {
  readonly v: 1
  /** Offset of the valid entry before this one; −1 at the beginning of the log. */
  readonly prev: bigint
  /** Fresh id of the writing process. */
  readonly owner: string
  readonly build: string
  /** Every input, also those of which nothing was taken, in the order in which they were taken. */
  readonly took: readonly Range[]
  readonly caughtUp: boolean
  readonly outs: readonly Out[]
  readonly chain: Hash
  readonly stateHash: Hash | null
}

/** A record as the log holds it. */
export interface LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Log append time, ms. */
  readonly at: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, string>>
}
