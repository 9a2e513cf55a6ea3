import type { Hash } from './ids.ts'

/** A record that could not be taken. Published on `dlq`. */
export interface DeadLetterOut {
  readonly kind: 'dead-letter'
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Row within a batch message, 0 otherwise. */
  readonly row: number
  readonly reason: DeadReason
  readonly detail: string
  /** First bytes of the payload's SHA-256, never the payload. */
  readonly payload: Hash
  /** How many rows died alike. Absent: 1, or a letter of an older build. */
  readonly count?: number
  /** Which rows of the message: a bit each, the lowest of the first byte first. Absent: the record as a whole. */
  readonly rows?: Uint8Array
}
export const deadReasons = [
  'malformed',
  'oversized',
  'unknown-schema',
  'wrong-type',
  'unregistered',
  'unknown-version',
  'wrong-generation',
  'wrong-environment',
  'future',
  'bad-time',
  'wrong-partition',
  'bad-signature',
  'replayed',
  'replay-forgotten',
] as const
export type DeadReason = (typeof deadReasons)[number]

/**
 * Dead rows that were submitted again and are counted now, by where the dead record lies. Published on `dlq`, so that a
 * reader of letters knows which are still open.
 */
export interface ReplayedOut {
  readonly kind: 'replayed'
  readonly topic: string
  readonly partition: number
  /** Offset of the dead record, and of the copy whose rows were counted. */
  readonly offset: bigint
  readonly copy: bigint
  /** Which rows, as in a dead letter. */
  readonly rows: Uint8Array
}
