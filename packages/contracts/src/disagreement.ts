import type { DeploymentId, Hash } from './ids.ts'
import type { Action } from './policy.ts'
import type { LogTime } from './time.ts'

/**
 * The policy on trial and the policy in force answered the same pane differently. Nobody decided anything: there is no command, no
 * hold, no page and no leaf of the ledger behind it.
 */
export interface DisagreementOut {
  readonly kind: 'disagreement'
  readonly deployment: DeploymentId
  readonly generation: number
  /** When the one that answers gave its answer. */
  readonly at: LogTime
  /** Whose answer it is. */
  readonly by: 'shadow' | 'in-force'
  readonly action: Exclude<Action, 'watch'>
  /** How long after the other one's same answer, ms of event time; null where the other one gave none. */
  readonly afterMs: number | null
  /** Guardrail that leads the breach. */
  readonly rule: string
  /** Facts for `say`, and the sentences that it wrote. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>
  readonly text: string
  /** Evidence of the pane that was answered. */
  readonly evidence: Hash
  readonly inForce: Hash
  readonly shadow: Hash
}
