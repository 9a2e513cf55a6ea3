import type { EventTime, Policy } from '@interlock/contracts'

/**
 * The policy as it holds for a pane: exceptions that have not ended take the place of their rules. The pane decides and no
 * clock, so that a replay and another batching judge alike.
 *
 * @param pane  start of the pane
 */
export function policyAt(policy: Policy, pane: EventTime): Policy {
  const standing = (policy.exceptions ?? []).filter(({ until }) => pane < until)
  if (standing.length === 0) return policy
  const guardrails = policy.guardrails.map(
    (guardrail) => standing.find(({ looser }) => looser.id === guardrail.id)?.looser ?? guardrail,
  )
  return { ...policy, guardrails }
}

/** Ends of exceptions after a moment, in order: where what must be watched changes. */
export function endsOfExceptions({ exceptions = [] }: Policy, after: EventTime): readonly EventTime[] {
  return [...new Set(exceptions.map(({ until }) => until))].filter((until) => until > after).sort((a, b) => a - b)
}
