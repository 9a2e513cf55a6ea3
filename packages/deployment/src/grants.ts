import { type Command, type Desired, type LogTime, type Policy, unreachable } from '@interlock/contracts'

/**
 * Grant of a candidate's exposure: what the agent does alone once the governor no longer renews it. Null where nobody
 * is exposed. Never more share than `desired`, mostly less.
 */
export function grantFor(policy: Policy, desired: Desired): Command['grant'] {
  if (desired.candidate === null || desired.shareMax === 0) return null
  return {
    ms: policy.grantMs,
    onLapse: policy.onGuardrailLoss.map(({ afterMs, action }) => ({ afterMs, desired: lapsed(desired, action) })),
  }
}

function lapsed(desired: Desired, action: Policy['onGuardrailLoss'][number]['action']): Desired {
  const withdrawn: Desired = { ...desired, candidate: null, shareMax: 0, shadow: false, pace: 'at-once' }
  switch (action) {
    case 'hold':
      return desired
    case 'roll-back':
      return withdrawn
    case 'halt':
      // Loss of the guardrail where harm cannot be undone: no model answers, the declared rule does.
      return { ...withdrawn, fallback: true }
    default:
      return unreachable(action)
  }
}

/** A grant is renewed every third of its length, so that two renewals may be lost before it lapses. */
export function renewalDue(grant: NonNullable<Command['grant']>, lastRenewedAt: LogTime, time: LogTime): boolean {
  return time - lastRenewedAt >= grant.ms / 3
}

/** The fleet speaks each 5 s while it keeps up; after so long it does not, and nobody holds a brake or a ledger. */
export const fleetStaleAfterMs = 20_000

/** Whether the fleet makes progress: what a grant is renewed for, beside evidence. */
export function fleetIsFresh(seenAt: LogTime | null, time: LogTime): boolean {
  return seenAt !== null && time - seenAt <= fleetStaleAfterMs
}
