import type { DeploymentId, Hash } from './ids.ts'
import type { LogTime } from './time.ts'

export interface BrakeOut {
  readonly kind: 'brake'
  readonly on: boolean
  readonly reason: string
  /** Deployments that wanted to roll back within the window. */
  readonly deployments: readonly DeploymentId[]
  readonly sharedProducer: string | null
}

/**
 * One leaf of the ledger: a decision of a governor, in the order in which the fleet took it. Published on `audit`, and read by
 * the governors: what lowers severity waits for it.
 */
export interface LeafOut {
  readonly kind: 'leaf'
  /** Place in the ledger, from 0. */
  readonly index: number
  readonly deployment: DeploymentId
  /** Sequence and id of the decision. */
  readonly sequence: number
  readonly decision: Hash
  /** Canonical JSON (`packages/ledger`); its UTF-8 bytes are what is hashed. */
  readonly leaf: string
}

/** The ledger after a step that added leaves; published on `audit` as a signed C2SP checkpoint. */
export interface CheckpointOut {
  readonly kind: 'checkpoint'
  readonly size: number
  /** RFC 6962 root, hex. */
  readonly root: Hash
  readonly at: LogTime
}

/** The fleet has taken every governor's log to its end: grants are renewed only while this keeps coming. */
export interface PulseOut {
  readonly kind: 'pulse'
  readonly at: LogTime
  /** Leaves in the ledger by then. */
  readonly size: number
}
