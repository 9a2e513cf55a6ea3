import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isBeyondTolerance, judge, safeLimitOf } from './judgement.ts'
import { entry, evidence, guardrail, policy, v1, v2 } from './sample.ts'

const watched = { stable: v1, candidate: v2 }
const safeLimit = safeLimitOf({ riskClass: 'medium' })
const harm = (value: number) => ({ logE: { harm: value, safe: 0 } })

test('two guardrails below their own limits breach together when their average passes the shared budget', () => {
  const rules = policy([guardrail('a'), guardrail('b')])
  const both = evidence([entry('a', 'candidate', harm(7.5)), entry('b', 'candidate', harm(7.4))])
  const { breaches } = judge(rules, both, watched)
  expect(breaches).toMatchObject([{ action: 'roll-back', version: v2, leading: { guardrail: { id: 'a' } } }])
  expect(judge(rules, evidence([entry('a', 'candidate', harm(7.5))]), watched).breaches).toEqual([])
})

test('budgets of different actions, versions and kinds are never added up', () => {
  const rules = policy([
    guardrail('a'),
    guardrail('b', { action: 'hold' }),
    guardrail('c', { budget: { falsePerYear: 4 } }),
    guardrail('d', { reference: 'baseline', detector: 'dirichlet-baseline' }),
  ])
  const entries = [
    entry('a', 'candidate', harm(7.5)),
    entry('b', 'candidate', harm(7.5)),
    entry('c', 'candidate', harm(7.5)),
    entry('d', 'stable', harm(7.5)),
  ]
  expect(judge(rules, evidence(entries), watched).breaches).toEqual([])
})

test('what one small source alone shows is a breach of its own and adds nothing to the others', () => {
  const rules = policy([guardrail('a'), guardrail('b')])
  const alone = { source: 'edge-2', traffic: 0.04, logE: 12 }
  const entries = [entry('a', 'candidate', { ...harm(2), alone }), entry('b', 'candidate', harm(7.9))]
  const { judged, breaches } = judge(rules, evidence(entries), watched)
  expect(breaches).toMatchObject([{ source: 'edge-2', leading: { guardrail: { id: 'a' } } }])
  expect(judged.map(({ verdict, progress }) => [verdict, progress])).toEqual([
    ['breach', 1.5],
    ['watch', 7.9 / 8],
  ])
})

test('an effect within the tolerance is no breach, however sure the evidence is', () => {
  const rules = policy([guardrail('a')])
  const tiny = { estimate: 1.15, low: 1.1, high: 1.3 }
  const { judged, breaches } = judge(rules, evidence([entry('a', 'candidate', { ...harm(50), effect: tiny })]), watched)
  expect(breaches).toEqual([])
  expect(judged[0]?.verdict).toBe('watch')
})

test('only whole and sufficient evidence passes; a gate must show that it is safe', () => {
  const gate = guardrail('gate', { role: 'gate' })
  const verdictOf = (change: Parameters<typeof entry>[2]) =>
    judge(policy([gate]), evidence([entry('gate', 'candidate', change)]), watched).judged[0]?.verdict
  const safe = { logE: { harm: 0, safe: safeLimit + 1e-9 } }
  expect(verdictOf(safe)).toBe('pass')
  expect(verdictOf({ logE: { harm: 0, safe: safeLimit - 1e-6 } })).toBe('inconclusive')
  expect(verdictOf({ ...safe, status: 'too-few' })).toBe('inconclusive')
  expect(verdictOf({ ...safe, status: 'no-data' })).toBe('no-data')
  expect(verdictOf({ ...safe, status: 'incomplete' })).toBe('no-data')
  expect(verdictOf({ logE: { harm: 4, safe: safeLimit + 1 } })).toBe('watch')
})

test('the same evidence that opens a gate of a medium class leaves that of a critical one shut', () => {
  const safe = evidence([entry('gate', 'candidate', { logE: { harm: 0, safe: safeLimit + 1e-9 } })])
  const rules = policy([guardrail('gate', { role: 'gate' })])
  expect(judge(rules, safe, watched).judged[0]?.verdict).toBe('pass')
  expect(judge({ ...rules, riskClass: 'critical' }, safe, watched).judged[0]?.verdict).toBe('inconclusive')
})

test('a version without traffic is neither silent nor well: its evidence is left out', () => {
  const silence = guardrail('volume', { signal: 'volume', reference: 'history', detector: 'gap', action: 'hold' })
  const silent = evidence([entry('volume', 'stable', harm(20))])
  expect(judge(policy([silence]), silent, watched).breaches).toHaveLength(1)
  expect(judge(policy([silence]), silent, { stable: null, candidate: v2 })).toEqual({ judged: [], breaches: [] })
})

test('a mean or an amount breaches in both directions, and only when its whole interval lies beyond the tolerance', () => {
  const mean = guardrail('mean', {
    signal: 'mean(score)',
    detector: 'binned-betting',
    tolerance: { harm: 0.1, safe: 0 },
  })
  const amount = { ...mean, signal: 'volume', detector: 'poisson-shiryaev-roberts' } as const
  const beyond = (rule: typeof mean, low: number, high: number) =>
    isBeyondTolerance(rule, { effect: { estimate: (low + high) / 2, low, high } })
  expect([beyond(mean, 0.11, 0.2), beyond(mean, -0.2, -0.11)]).toEqual([true, true])
  expect([beyond(mean, 0.05, 0.2), beyond(mean, -0.2, -0.05), beyond(mean, -0.2, 0.2)]).toEqual([false, false, false])
  expect([beyond(amount, 1.2, 2), beyond(amount, 0.2, 0.8)]).toEqual([true, true])
  expect([beyond(amount, 1.05, 2), beyond(amount, 0.2, 0.95)]).toEqual([false, false])
})

test('more evidence of harm never turns a breach into something else, and less than a watch is never a breach', () => {
  const rules = policy([guardrail('a'), guardrail('b')])
  fc.assert(
    fc.property(
      fc.double({ min: -50, max: 50, noNaN: true }),
      fc.double({ min: -50, max: 50, noNaN: true }),
      (a, b) => {
        const count = (extra: number) =>
          judge(rules, evidence([entry('a', 'candidate', harm(a + extra)), entry('b', 'candidate', harm(b))]), watched)
            .breaches.length
        expect(count(1)).toBeGreaterThanOrEqual(count(0))
        if (Math.max(a, b) < 7) expect(count(0)).toBe(0)
      },
    ),
    { seed: 11 },
  )
})
