import { type CountSpec, canonicalJson, type Hash, type Policy } from '@interlock/contracts'
import { endsOfExceptions } from './policy-at.ts'
import { type FailedCheck, unknownNames } from './rollout-checks.ts'

/** What a policy on trial may cost at most: rules, and bytes in each watch that carries it. */
export const shadowBounds = { guardrails: 32, bytes: 65_536 } as const

/** A policy and its hash. */
export interface HashedPolicy {
  readonly hash: Hash
  readonly policy: Policy
}

/**
 * The first check that a policy on trial fails, or null. It sees the panes and counts of the policy in force, so it must ask for
 * no others; and it must not cost what the watch needs.
 */
export function failedShadowPolicyCheck(
  shadow: HashedPolicy | null,
  inForce: HashedPolicy,
  spec: CountSpec,
  at: number,
): FailedCheck | null {
  if (shadow === null) return fail('the policy on trial is not known', 'send its document first')
  const { policy, hash } = shadow
  if (hash === inForce.hash) return fail('the policy on trial is the one in force', 'leave it out')
  const { guardrails, times } = policy
  if (guardrails.length > shadowBounds.guardrails) {
    return fail(
      `the policy on trial has ${guardrails.length} rules, and ${shadowBounds.guardrails} are possible`,
      'try the rules that changed',
    )
  }
  const bytes = canonicalJson(policy).length
  if (bytes > shadowBounds.bytes) {
    return fail(`the policy on trial has ${bytes} bytes, and ${shadowBounds.bytes} are possible`, 'try fewer rules')
  }
  if (canonicalJson(times) !== canonicalJson(inForce.policy.times)) {
    return fail('the policy on trial has other times', 'give it the times of the policy in force')
  }
  if (endsOfExceptions(policy, at).length > 0) {
    return fail('the policy on trial has exceptions that end', 'try it without them')
  }
  const asksForIds = (of: Policy): boolean => of.guardrails.some(({ signal }) => signal === 'duplicates')
  if (asksForIds(policy) && !asksForIds(inForce.policy)) {
    return fail('the policy on trial watches duplicates, which are not counted now', 'try it without that rule')
  }
  const [unknown] = unknownNames(policy, spec)
  return unknown === undefined
    ? null
    : fail(`the policy on trial names ${unknown}, which the baseline does not count`, 'correct the policy')
}

function fail(check: string, fix: string): FailedCheck {
  return { check, fix }
}
