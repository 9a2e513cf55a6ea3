import type { AgentId, DeploymentId, Hash } from './ids.ts'
import type { LogTime } from './time.ts'

/** `(generation, restoreEpoch, severity, revision)`, compared in that order; the highest wins. */
export type Order = readonly [generation: number, restoreEpoch: number, severity: number, revision: number]

/** @returns negative, zero or positive as `a` is below, equal to or above `b`. */
export function compareOrders(a: Order, b: Order): number {
  for (let index = 0; index < 4; index++) {
    const difference = (a[index] as number) - (b[index] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/** The whole state that a platform shall have. */
export interface Desired {
  /** Artifact that answers everybody but the candidate's share. */
  readonly target: Hash
  readonly candidate: Hash | null
  readonly shareMax: number
  readonly shadow: boolean
  readonly pace: 'at-once' | 'steps'
  readonly fallback: boolean
}

export const severities = { normal: 0, halt: 1, rampDown: 2, rollBack: 3, fallBack: 4 } as const

export interface Command {
  readonly v: 1
  readonly environment: string
  readonly audience: AgentId
  readonly deployment: DeploymentId
  readonly issuedAt: LogTime
  readonly order: Order
  readonly desired: Desired
  /** The candidate's exposure is granted for `ms`; on a lapse the agent does `onLapse` alone, never more exposure. */
  readonly grant: {
    readonly ms: number
    readonly onLapse: readonly { readonly afterMs: number; readonly desired: Desired }[]
  } | null
  /** Hash of the decision that asks for it. */
  readonly because: Hash
  readonly policy: Hash
}
