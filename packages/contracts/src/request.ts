import type { Desired, Order } from './command.ts'
import type { Document } from './document.ts'
import type { AgentId, DeploymentId, Hash, PersonId, VersionId } from './ids.ts'
import type { LogTime } from './time.ts'

/**
 * What a person (or CI) asks for. Travels on `requests` as a DSSE envelope signed by the person's key; the governor
 * verifies the signature in its pure step, so approval and authority are in the log.
 */
export type Request =
  | { readonly kind: 'document'; readonly document: Document }
  | { readonly kind: 'register'; readonly deployment: DeploymentId; readonly document: Hash }
  | { readonly kind: 'approve'; readonly deployment: DeploymentId; readonly object: Hash; readonly comment: string }
  | {
      readonly kind: 'rollout'
      readonly deployment: DeploymentId
      readonly candidate: VersionId
      readonly manifest: Hash
      readonly policy: Hash
      /** A policy on trial: it is evaluated beside the other one, and acts never. */
      readonly shadow?: Hash
    }
  | {
      readonly kind: 'rollback'
      readonly deployment: DeploymentId
      readonly reason: string
      readonly target?: VersionId
    }
  | { readonly kind: 'hold'; readonly deployment: DeploymentId; readonly reason: string }
  | { readonly kind: 'release-hold'; readonly deployment: DeploymentId; readonly reason: string }
  | { readonly kind: 'halt'; readonly deployment: DeploymentId; readonly reason: string }
  | { readonly kind: 'restore'; readonly deployment: DeploymentId; readonly reason: string }

/** A signed request as it lies in the log: who asked, unique id (a retry repeats it), and what. */
export interface RequestRecord {
  readonly v: 1
  readonly id: string
  readonly environment: string
  readonly by: PersonId
  readonly request: Request
  /**
   * When it was signed, ms since 1970 by the signer's clock. Tells a replay from a new request once the id itself is no longer
   * remembered; a request without it counts as older than any other.
   */
  readonly at?: LogTime
}

/** What an agent, or the notifier, saw and did. Travels on `facts`, signed by its key. */
export type Fact =
  | { readonly kind: 'received'; readonly order: Order }
  | { readonly kind: 'progress'; readonly order: Order; readonly observed: Observed }
  | { readonly kind: 'applied'; readonly order: Order; readonly observed: Observed }
  | { readonly kind: 'failed'; readonly order: Order; readonly reason: string }
  | { readonly kind: 'observed'; readonly order: Order | null; readonly observed: Observed }
  | { readonly kind: 'readiness'; readonly target: Hash; readonly ready: Readiness }
  | { readonly kind: 'lapsed'; readonly order: Order; readonly desired: Desired }
  | {
      readonly kind: 'delivered'
      readonly alert: string
      readonly sink: string
      readonly ok: boolean
      readonly detail: string
    }

export interface FactRecord {
  readonly v: 1
  readonly environment: string
  readonly deployment: DeploymentId
  readonly by: AgentId
  readonly fact: Fact
}

/** What the platform itself says it does. `version` is its compare-and-set token. */
export interface Observed {
  readonly version: string
  readonly generation: number
  readonly stable: Hash
  readonly candidate: Hash | null
  readonly share: number
  readonly shadow: boolean
  readonly fallback: boolean
  /** Order of the command that changed it last, where the platform keeps it: no agent may go below it. */
  readonly order?: Order
}

export interface Readiness {
  readonly ok: boolean
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[]
}
