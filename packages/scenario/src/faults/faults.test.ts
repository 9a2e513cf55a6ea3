import { check } from '@interlock/policy'
import { expect, test } from 'vitest'
import { draw } from '../draw.ts'
import type { Row } from '../row.ts'
import { sampleBaseline, samplePolicy } from '../sample-baseline.ts'
import { syntheticTraffic } from '../traffic/synthetic.ts'
import { catalogue, faultOf } from './catalogue.ts'
import type { Fault } from './fault.ts'
import { inject, injectionOf } from './inject.ts'
import { sayFault, subjectOf, whyNotHere } from './subject.ts'

const baseline = sampleBaseline()
const { policy } = check(samplePolicy, 'policy.yaml')
if (policy === null) throw new Error('the policy of this test is not sound')
const subject = subjectOf(baseline, policy, 0.02)
const rows = syntheticTraffic(baseline, { rowsPerHour: 3_600_000, errorRate: 0.02, seed: 1 }).between(0, 2_000)
const candidate = rows.map((row): Row => ({ ...row, version: 'delay@2', variant: 'candidate' }))

function after(fault: Fault, given: readonly Row[], seed = 1, sinceMs = 1_000_000): readonly Row[] {
  const injection = injectionOf(fault, { paneMs: 1_000, onset: { stage: null, afterMs: 0 } })
  return given.flatMap((row, number) => inject(injection, subject, row, { seed, number, sinceMs }))
}
const named = (id: string): Fault => {
  const fault = faultOf(id)
  if (fault === undefined) throw new Error(`no fault ${id}`)
  return fault
}

test('there are thirty faults and more, each with a name of its own and in words without gaps', () => {
  expect(catalogue.length).toBeGreaterThanOrEqual(30)
  expect(new Set(catalogue.map(({ id }) => id)).size).toBe(catalogue.length)
  for (const fault of catalogue) {
    expect([fault.id, whyNotHere(fault, subject, baseline)]).toEqual([fault.id, null])
    expect(sayFault(fault, subject)).not.toMatch(/[{}]|null|undefined|^ | {2}/)
  }
})

test.each(catalogue.map((fault) => [fault.id, fault] as const))(
  '%s changes rows, and only as it says',
  (_id, fault) => {
    const given = structuredClone(candidate)
    const broken = after(fault, given)
    expect(given).toEqual(candidate)
    expect(after(fault, given)).toEqual(broken)
    expect(broken).not.toEqual(given)
    const untouched = given.filter((row) => broken.includes(row)).length
    // A part of the rows is hit: within five standard errors of it, of those that can be hit.
    const hits = Math.max(given.length - untouched, broken.length - given.length)
    if (fault.part !== undefined && fault.within === undefined)
      expect(Math.abs(hits - fault.part * given.length)).toBeLessThan(5 * Math.sqrt(fault.part * given.length))
    const stable = rows.slice(0, 500)
    if (fault.where === 'candidate') expect(after(fault, stable)).toEqual(stable)
    if (fault.where === 'producer') {
      const others = given.filter(({ producer }) => producer !== subject.producer)
      expect(after(fault, others)).toEqual(others)
    }
  },
)

test('rules choose what is broken: the distance that they look at, and the weight that they do not', () => {
  expect([subject.numeric?.name, subject.other, subject.unguarded]).toEqual(['distance', 'weight', 'weight'])
  expect([subject.category?.name, subject.producer]).toEqual(['origin', 'east'])
  expect(subject.segment).toEqual({ name: 'airport', frequent: 'ATL', rare: 'JFK' })
  expect(subjectOf(baseline, policy, 0, { feature: 'weight' }).numeric?.name).toBe('weight')
  expect(() => subjectOf(baseline, policy, 0, { feature: 'height' })).toThrow(
    'no number "height"; it has distance, weight',
  )
  expect(whyNotHere(named('errors-twice'), subjectOf(baseline, policy, 0), baseline)).toBe(
    'no answer ever fails in this traffic',
  )
})

test('a creeping fault hits nobody when it begins and its whole part at its end', () => {
  const fault = { ...named('missing-creeping'), part: 0.5 }
  const lost = (sinceMs: number) =>
    after(fault, candidate, 1, sinceMs).filter(({ features }) => features.distance === null)
  expect(lost(0)).toHaveLength(0)
  expect(lost(15_000).length / candidate.length).toBeCloseTo(0.25, 1)
  expect(lost(30_000).length / candidate.length).toBeCloseTo(0.5, 1)
})

test('errors five times as often are five times as many', () => {
  const failed = (given: readonly Row[]) => given.filter(({ status }) => status === 'error').length
  const many = Array.from({ length: 50_000 }, (_, index): Row => {
    const fails = draw(9, index) < 0.02
    return { ...(candidate[0] as Row), status: fails ? 'error' : 'ok' }
  })
  expect(failed(after(named('errors-five'), many)) / failed(many)).toBeCloseTo(5, 0)
})
