import type { BrakeOut, Document, KeysetDocument, LogTime, PersonId } from '@interlock/contracts'
import type { DeploymentRecord } from './record.ts'
import { noRequests, type TakenRequests } from './replay.ts'

/** A document and everybody who sent it: none of them may approve it. */
export interface StoredDocument {
  readonly document: Document
  readonly by: readonly PersonId[]
  readonly at: LogTime
}

/** State of one shard of the governor. Plain JSON. */
export interface GovernorState {
  readonly shard: number
  readonly time: LogTime
  /** How long inputs were not taken to their end. Timers wait for that, but not for ever. */
  readonly behindMs: number
  readonly keyset: KeysetDocument | null
  /** By content hash. */
  readonly documents: Readonly<Record<string, StoredDocument>>
  /** By id. */
  readonly deployments: Readonly<Record<string, DeploymentRecord>>
  /** The fleet's last word. */
  readonly brake: BrakeOut | null
  /** When the fleet last said that it is through with its inputs; null before it ever did. */
  readonly fleetSeenAt: LogTime | null
  readonly requests: TakenRequests
}

export function emptyState(shard: number): GovernorState {
  return {
    shard,
    time: 0,
    behindMs: 0,
    keyset: null,
    documents: {},
    deployments: {},
    brake: null,
    fleetSeenAt: null,
    requests: noRequests,
  }
}
