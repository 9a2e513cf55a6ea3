import { readFileSync } from 'node:fs'
import type { Policy } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { check } from './check.ts'
import { explain } from './explain.ts'
import { readingGrade } from './reading-grade.ts'

const source = readFileSync(new URL('../../../examples/flights/policy.yaml', import.meta.url), 'utf8')
const policy = check(source, 'policy.yaml').policy as Policy

test('every line of an explained policy is at grade 8 or below', () => {
  for (const line of explain(policy).split('\n')) expect(readingGrade(line), line).toBeLessThanOrEqual(8)
})

test('no statistical term stands in it', () => {
  expect(explain(policy)).not.toMatch(
    /diverg|nats|alpha|sigma|e-?value|dirichlet|beta|binomial|detector|significan|drift/i,
  )
})

test('equal policies are explained alike, also after a journey through JSON', () => {
  expect(explain(JSON.parse(JSON.stringify(policy)) as Policy)).toBe(explain(policy))
})

test('rules stand under what they protect, and those of one entry are told together', () => {
  const lines = explain(policy).split('\n')
  expect(lines.filter((line) => line.startsWith('For '))).toEqual([
    'For travellers who get no answer:',
    'For travellers who wait for an answer:',
    'For travellers who get a guess:',
    'For travellers who get a wrong forecast:',
    'For everybody who relies on the watch:',
  ])
  expect(lines).toContain(
    '- lost: If the new version misses flight distance or origin delay rate over 20 % more often than the old one, the old version takes all traffic back at once. It needs 200 flights to speak.',
  )
  expect(lines).toContain('- Rules that roll back: all of them together, at most 1 in 1,000 healthy rollouts.')
})

test('each thing that an approver would want to know changes the text', () => {
  const base = explain(policy)
  const [first, ...others] = policy.guardrails
  const changed: readonly Policy[] = [
    { ...policy, name: 'other' },
    { ...policy, riskClass: 'critical' },
    { ...policy, stages: policy.stages.slice(1) },
    { ...policy, stages: policy.stages.map((stage) => ({ ...stage, minimumSample: stage.minimumSample + 1 })) },
    { ...policy, stages: policy.stages.map((stage) => ({ ...stage, minimumMs: stage.minimumMs + 1_000 })) },
    { ...policy, stages: policy.stages.map((stage) => ({ ...stage, maximumMs: stage.maximumMs * 2 })) },
    { ...policy, noDataAfterMs: 9_000 },
    { ...policy, grantMs: 31_000 },
    { ...policy, onGuardrailLoss: [{ afterMs: 30_000, action: 'roll-back' }] },
    { ...policy, brakes: { ...policy.brakes, rollbacksPerHour: 3 } },
    { ...policy, brakes: { ...policy.brakes, fleetShare: 0.3 } },
    { ...policy, brakes: { ...policy.brakes, fleetWindowMs: 60_000 } },
    ...(
      [
        { signal: 'volume', detector: 'gap' },
        { signal: 'volume', detector: 'poisson-shiryaev-roberts' },
        { signal: 'mean(score)', detector: 'binned-betting' },
        { signal: 'mean(latency)', detector: 'binned-betting' },
        { tolerance: { ...first!.tolerance, harm: 0.6 } },
        { tolerance: { ...first!.tolerance, safe: 3 } },
        { tolerance: { ...first!.tolerance, absolute: 0.02 } },
        { action: 'hold' },
        { role: 'guard' },
        { protects: 'others' },
        { slices: [] },
        { minimumSample: 300 },
      ] as const
    ).map((change): Policy => ({ ...policy, guardrails: [{ ...first!, ...change }, ...others] })),
    {
      ...policy,
      guardrails: policy.guardrails.map((rule) =>
        'alpha' in rule.budget ? { ...rule, budget: { alpha: 0.01 } } : rule,
      ),
    },
  ]
  const texts = changed.map(explain)
  for (const [index, text] of texts.entries()) expect(text, `change ${index}`).not.toBe(base)
  expect(new Set(texts).size).toBe(texts.length)
})

test('an amount and a mean are told in short sentences too', () => {
  const [first] = policy.guardrails
  const rules = [
    { signal: 'volume', detector: 'poisson-shiryaev-roberts', reference: 'history' },
    { signal: 'mean(score)', detector: 'binned-betting', reference: 'baseline' },
  ] as const
  const guardrails = rules.map((rule, i) => ({
    ...first!,
    ...rule,
    id: `rule-${i}`,
    role: 'guard' as const,
    action: 'hold' as const,
    tolerance: { harm: 0.5, safe: 0 },
  }))
  const text = explain({ ...policy, guardrails })
  expect(text).toContain('If all versions together get over 50 % more or fewer flights than is usual, no version')
  expect(text).toContain('If the mean of the scores is off its training by over 50 % of its range, no version')
  for (const line of text.split('\n')) expect(readingGrade(line), line).toBeLessThanOrEqual(8)
})
