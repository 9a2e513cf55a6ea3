import { contentHash, type Guardrail, type Policy } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { guardrail, policy as sample } from './sample.ts'
import { failedShadowPolicyCheck, shadowBounds } from './shadow-checks.ts'

const spec = {
  v: 1,
  features: [{ kind: 'numeric', name: 'distance', edges: [0, 1], scale: 1 }],
  latencyEdgesMs: [0, 1],
  scoreEdges: [0, 1],
  classes: ['a', 'b'],
  segments: [],
  producers: [],
} as const
const day = 86_400_000

const hashed = (policy: Policy) => ({ hash: contentHash(policy), policy })
const inForce = hashed(sample([guardrail('errors')]))

function checked(guardrails: readonly Guardrail[], change: Partial<Policy> = {}): string | null {
  const tried = { ...inForce.policy, guardrails, ...change }
  return failedShadowPolicyCheck(hashed(tried), inForce, spec, 10 * day)?.check ?? null
}

const rules = (many: number): readonly Guardrail[] =>
  Array.from({ length: many }, (_, index) => guardrail(`rule-${index}`))

test('a policy on trial may have so many rules and bytes, and not one more', () => {
  expect(checked(rules(shadowBounds.guardrails))).toBeNull()
  expect(checked(rules(shadowBounds.guardrails + 1))).toMatch(/has 33 rules, and 32 are possible/)
  expect(checked([guardrail('errors', { protects: 'p'.repeat(shadowBounds.bytes) })])).toMatch(
    /bytes, and 65536 are possible/,
  )
})

test('what it would ask to be counted differently is refused: panes, ids of rows, names that are not counted', () => {
  expect(checked([guardrail('a')], { times: { ...inForce.policy.times, paneMs: 7 } })).toMatch(/has other times/)
  expect(checked([guardrail('a', { signal: 'duplicates' })])).toMatch(/watches duplicates/)
  expect(checked([guardrail('a', { signal: 'missing(distance)' })])).toBeNull()
  expect(checked([guardrail('a', { signal: 'missing(weight)' })])).toMatch(/names missing\(weight\)/)
})

test('an exception that ends within the trial is refused, one that has ended is not', () => {
  const exception = (until: number) => ({ exceptions: [{ until, reason: 'r', looser: guardrail('a') }] })
  expect(checked([guardrail('a')], exception(11 * day))).toMatch(/exceptions that end/)
  expect(checked([guardrail('a')], exception(9 * day))).toBeNull()
})

test('the policy in force itself, or one that nobody sent, is no policy on trial', () => {
  expect(failedShadowPolicyCheck(inForce, inForce, spec, 0)?.check).toMatch(/is the one in force/)
  expect(failedShadowPolicyCheck(null, inForce, spec, 0)?.check).toMatch(/is not known/)
})
