import type { Evidence } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { judge } from './judgement.ts'
import { producerOf, remedies, scopeOf, subjectOf } from './remedy.ts'
import { entry, evidence, guardrail, policy, v1, v2 } from './sample.ts'

const rules = policy([
  guardrail('distance', {
    signal: 'distribution(distance)',
    detector: 'dirichlet-two-sample',
    tolerance: { harm: 0.05, safe: 0 },
  }),
  guardrail('distance-training', {
    signal: 'distribution(distance)',
    reference: 'baseline',
    detector: 'dirichlet-baseline',
    tolerance: { harm: 0.05, safe: 0 },
    action: 'hold',
  }),
  guardrail('origin-training', {
    signal: 'distribution(origin)',
    reference: 'baseline',
    detector: 'dirichlet-baseline',
    tolerance: { harm: 0.05, safe: 0 },
    action: 'halt',
  }),
])

/** Scope of a pane in which the named rules are beyond their limits, about the candidate (c) and the stable version (s). */
function scope(beyond: Readonly<Record<string, Partial<Evidence>>>, candidate: typeof v2 | null = v2) {
  const entries = rules.guardrails.flatMap(({ id, reference }) => {
    const about = reference === 'stable' ? (['candidate'] as const) : (['candidate', 'stable'] as const)
    return about.map((variant) => {
      const change = beyond[`${id}/${variant[0]}`]
      return entry(id, variant, change === undefined ? {} : { logE: { harm: 20, safe: 0 }, ...change })
    })
  })
  const { judged, breaches } = judge(rules, evidence(entries), { stable: v1, candidate })
  return scopeOf(breaches, judged)
}

test('harm of one small source is held for the owner of its data, and never hides the harm of many', () => {
  const alone = { source: 'edge-2', traffic: 0.04, logE: 20 }
  expect(scope({ 'distance/c': { logE: { harm: 1, safe: 0 }, alone } })).toBe('source')
  expect(scope({ 'distance/c': { logE: { harm: 1, safe: 0 }, alone }, 'origin-training/s': {} })).toBe('common')
  const acted = Object.entries(remedies.source).map(([asked, { action }]) => [asked, action])
  expect(acted.filter(([asked, action]) => action !== 'hold' && asked !== 'watch')).toEqual([])
})

const at = (from: number): Partial<Evidence> => ({ onset: { from, to: from + 1_000 } })

test('would rollback help? each row of the table', () => {
  expect(scope({ 'distance/c': {} })).toBe('candidate')
  expect(scope({ 'distance/c': {}, 'distance-training/c': {} })).toBe('candidate')
  expect(scope({ 'distance-training/s': {} })).toBe('common')
  expect(scope({ 'distance-training/s': {}, 'distance-training/c': {} })).toBe('common')
  expect(scope({ 'distance-training/c': {} })).toBe('candidate')
  // Another subject, or another time: two causes.
  expect(scope({ 'distance/c': {}, 'origin-training/s': {} })).toBe('both')
  expect(scope({ 'distance/c': at(50_000), 'distance-training/s': at(10_000) })).toBe('both')
  // One cause, seen in both arms; the candidate clearly further off or not.
  const near = { effect: { estimate: 0.2, low: 0.1, high: 0.3 } }
  expect(
    scope({ 'distance/c': at(10_000), 'distance-training/s': { ...at(10_500), ...near }, 'distance-training/c': near }),
  ).toBe('common')
  const far = { effect: { estimate: 0.6, low: 0.5, high: 0.7 } }
  expect(
    scope({ 'distance/c': at(10_000), 'distance-training/s': { ...at(10_500), ...near }, 'distance-training/c': far }),
  ).toBe('both')
})

test('while the stable version is on its way to the same limit, or unseen, the candidate alone is not blamed', () => {
  expect(scope({ 'distance-training/c': {}, 'distance-training/s': { logE: { harm: 5, safe: 0 } } })).toBe('unclear')
  expect(
    scope({ 'distance-training/c': {}, 'distance-training/s': { logE: { harm: 0, safe: 0 }, status: 'no-data' } }),
  ).toBe('unclear')
})

test('a version alone is a common cause only where one producer carries most of it', () => {
  expect(scope({ 'distance-training/s': {} }, null)).toBe('unclear')
  const drivers = [{ dimension: 'producer', value: 'north', share: 0.9, now: 1, reference: 0 }]
  expect(scope({ 'distance-training/s': { drivers } }, null)).toBe('common')
})

test('nothing that hits both arms alike, or is unclear, is ever rolled back or ramped down', () => {
  for (const scope of ['common', 'unclear'] as const) {
    for (const { action } of Object.values(remedies[scope])) expect(['roll-back', 'ramp-down']).not.toContain(action)
  }
})

test('the producer with the largest share is named, bins and segments are not', () => {
  const driver = (dimension: string, value: string, share: number) => ({
    dimension,
    value,
    share,
    now: 0,
    reference: 0,
  })
  const one = entry('a', 'stable', { drivers: [driver('bin', '1', 0.9), driver('producer', 'south', 0.2)] })
  const other = entry('b', 'stable', {
    drivers: [driver('segment:airport', 'ORD', 0.8), driver('producer', 'north', 0.6)],
  })
  expect(producerOf([one, other])).toBe('north')
  expect(producerOf([entry('a', 'stable')])).toBeNull()
  expect(['distribution(distance)', 'missing(distance)', 'latency-over(p99)', 'errors'].map(subjectOf)).toEqual([
    'distance',
    'distance',
    'latency',
    'errors',
  ])
})
