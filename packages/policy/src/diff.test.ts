import { readFileSync } from 'node:fs'
import type { Guardrail, Policy } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { check } from './check.ts'
import { type Direction, diff } from './diff.ts'
import { readingGrade } from './reading-grade.ts'

const source = readFileSync(new URL('../../../examples/flights/policy.yaml', import.meta.url), 'utf8')
const policy = check(source, 'policy.yaml').policy as Policy
const gate = policy.guardrails.find(({ role }) => role === 'gate') as Guardrail
const [stage] = policy.stages as [Policy['stages'][number]]

const rule = (change: Partial<Guardrail>): Policy => ({
  ...policy,
  guardrails: policy.guardrails.map((one) => (one.id === gate.id ? { ...one, ...change } : one)),
})
const first = (change: Partial<Policy['stages'][number]>): Policy => ({
  ...policy,
  stages: [{ ...stage, ...change }, ...policy.stages.slice(1)],
})

test('a policy does not differ from itself, nor by names and words', () => {
  expect(diff(policy, policy)).toEqual([])
  expect(diff(policy, { ...policy, name: 'other', words: { rows: 'orders', features: {} } })).toEqual([])
})

const changes: readonly (readonly [what: string, to: Policy, direction: Direction, path: string])[] = [
  ['a tolerance is raised', rule({ tolerance: { ...gate.tolerance, harm: 0.9 } }), 'looser', '.tolerance.harm'],
  ['a tolerance is lowered', rule({ tolerance: { ...gate.tolerance, harm: 0.01 } }), 'stricter', '.tolerance.harm'],
  ['a gate asks for less proof', rule({ tolerance: { ...gate.tolerance, safe: 9 } }), 'looser', '.tolerance.safe'],
  ['a gate opens at a higher rate', rule({ tolerance: { ...gate.tolerance, absolute: 0.5 } }), 'looser', '.absolute'],
  ['a gate becomes a guard', rule({ role: 'guard' }), 'looser', '.role'],
  ['a rule acts more mildly', rule({ action: 'watch' }), 'looser', '.action'],
  ['a rule acts more severely', rule({ action: 'fall-back' }), 'stricter', '.action'],
  ['a budget allows fewer false alarms', rule({ budget: { alpha: 0.0001 } }), 'looser', '.budget'],
  ['a budget counts otherwise', rule({ budget: { falsePerYear: 1 } }), 'other', '.budget'],
  ['a slice is added', rule({ slices: [...gate.slices, 'segment:carrier'] }), 'stricter', '.slices.carrier'],
  ['a rule needs more rows', rule({ minimumSample: gate.minimumSample + 1 }), 'looser', '.minimumSample'],
  ['a rule looks at something else', rule({ signal: 'missing(distance)' }), 'other', '.signal'],
  [
    'a rule is gone',
    { ...policy, guardrails: policy.guardrails.filter(({ id }) => id !== gate.id) },
    'looser',
    gate.id,
  ],
  ['a stage is gone', { ...policy, stages: policy.stages.slice(1) }, 'looser', `stages.${stage.name}`],
  ['a stage needs fewer rows', first({ minimumSample: 0 }), 'looser', '.minimumSample'],
  ['a stage is shorter', first({ minimumMs: 0 }), 'looser', '.minimumMs'],
  ['a stage may take longer', first({ maximumMs: stage.maximumMs * 2 }), 'looser', '.maximumMs'],
  ['no data is taken for longer', { ...policy, noDataAfterMs: 86_400_000 }, 'looser', 'noDataAfterMs'],
  [
    'a rule is looser for a time',
    { ...policy, exceptions: [{ until: 0, reason: 'why', looser: gate }] },
    'looser',
    gate.id,
  ],
  ['a rule may be blind', { ...policy, blind: [{ guardrail: gate.id, reason: 'why' }] }, 'looser', `blind.${gate.id}`],
  ['a grant is shorter', { ...policy, grantMs: 1_000 }, 'stricter', 'grantMs'],
  ['nothing happens on a loss', { ...policy, onGuardrailLoss: [] }, 'looser', 'onGuardrailLoss.hold'],
  ['the class is lowered', { ...policy, riskClass: 'low' }, 'looser', 'riskClass'],
  ['the brakes change', { ...policy, brakes: { ...policy.brakes, fleetShare: 0.9 } }, 'other', 'brakes.fleetShare'],
]

describe.each(changes)('when %s', (what, to, direction, path) => {
  test(`it is told as ${direction}, and the way back as the opposite`, () => {
    const found = diff(policy, to).find((change) => change.path.includes(path))
    expect(found?.direction, what).toBe(direction)
    const back = { looser: 'stricter', stricter: 'looser', other: 'other' } as const
    expect(diff(to, policy).find((change) => change.path.includes(path))?.direction, what).toBe(back[direction])
  })

  test('it is told in plain words', () => {
    for (const { sentence } of diff(policy, to)) {
      expect(sentence).toMatch(/^[A-Z].*\.$/)
      expect(readingGrade(sentence), sentence).toBeLessThanOrEqual(10)
      expect(sentence).not.toMatch(/alpha|nats|undefined|NaN|Infinity/)
    }
  })
})

/** Every place in a policy that holds a number or a word, and the policy with another value there. */
function changedLeaves(
  value: unknown,
  path: readonly (string | number)[] = [],
): readonly (readonly [string, Policy])[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, part]) => changedLeaves(part, [...path, key]))
  }
  const to = structuredClone(policy) as unknown as Record<string, unknown>
  let at = to
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>
  at[path.at(-1) as string] =
    typeof value === 'number' ? value / 3 + 1.1 : typeof value === 'boolean' ? !value : 'other'
  return [[path.join('.'), to as unknown as Policy]]
}

test('every number and word of a policy that is changed shows, but for its name, version and words', () => {
  const leaves = changedLeaves(policy).filter(([path]) => !/^(v|name|words\..*)$/.test(path))
  expect(leaves.length).toBeGreaterThan(150)
  // `safe` is of no use to a guard, and says nothing there.
  const silent = leaves.filter(([path, to]) => !path.endsWith('.safe') && diff(policy, to).length === 0)
  expect(silent.map(([path]) => path)).toEqual([])
})
