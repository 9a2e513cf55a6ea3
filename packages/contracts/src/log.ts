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

/**
 * Fields that a log may make when they are read. Accessors of a class, so that the compiler refuses to spread a record:
 * the copy would be without them.
 */
declare abstract class MadeWhenRead {
  abstract get topic(): string
  abstract get partition(): number
  abstract get offset(): bigint
  /** Log append time, ms. */
  abstract get at(): number
  abstract get key(): Uint8Array | null
  abstract get value(): Uint8Array | null
  abstract get headers(): Readonly<Record<string, string>>
}

/** A record as the log holds it. */
export interface LogRecord extends MadeWhenRead {
  /**
   * Present where the log holds records here that cannot be given out, so that no partition ends on them. One record, at
   * the last of their offsets, stands for all; it has no key, value and headers.
   */
  readonly unreadable?: Unreadable
}

export interface Unreadable {
  readonly reason: 'oversized' | 'malformed'
  readonly detail: string
  /** First of the offsets that it stands for, and how many records lie there. */
  readonly from: bigint
  readonly records: number
}
