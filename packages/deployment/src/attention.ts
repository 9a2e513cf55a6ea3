import { type Attention, type CommandState, type Order, severities, type Verdict } from '@interlock/contracts'
import { severityOf } from './severity.ts'

export interface AttentionQuestion {
  readonly order: Order
  readonly command: CommandState | null
  /** A data incident is open, or a machine stopped acting and waits for a person. */
  readonly waitsForPerson: boolean
  readonly watched: boolean
  readonly holds: number
  readonly verdicts: readonly Verdict[]
}

/**
 * A deployment's one word, the first that applies: act now, not watched, watch, handled, healthy. Healthy needs a pass
 * of every guardrail; too little or no data is never healthy.
 */
export function attentionOf(question: AttentionQuestion): Attention {
  const { order, command, waitsForPerson, watched, holds, verdicts } = question
  const raised = severityOf(order) > severities.normal
  if (command === 'escalated' || waitsForPerson || (raised && command !== 'verified')) return 'act-now'
  if (!watched) return 'not-watched'
  if (raised) return 'handled'
  const allPass = verdicts.length > 0 && verdicts.every((verdict) => verdict === 'pass')
  return holds > 0 || !allPass ? 'watch' : 'healthy'
}
