/** Scenarios through the real processors: what a policy does about a fault, on virtual time and without a log. */
import { check } from '@interlock/policy'
import {
  faultOf,
  injectionOf,
  mutate,
  play,
  type Scene,
  scoreOf,
  subjectOf,
  syntheticTraffic,
} from '@interlock/scenario'
import { expect, test } from 'vitest'
import { realProcessors } from '../../packages/cli/src/scenario/processors.ts'
import { sampleBaseline, samplePolicy } from '../../packages/scenario/src/sample-baseline.ts'

const { policy } = check(samplePolicy, 'policy.yaml')
if (policy === null) throw new Error('the policy of this test is not sound')
const baseline = sampleBaseline()
const seed = 1
const errorRate = 0.01
const rowsPerHour = 300 * 3_600
const traffic = (of: number) => syntheticTraffic(baseline, { rowsPerHour, errorRate, seed: of })
const subject = subjectOf(baseline, policy, errorRate)
const paneMs = policy.times.paneMs

function scene(fault: string | null, change: Partial<Scene> = {}, stage: string | null = null): Scene {
  const found = fault === null ? undefined : faultOf(fault)
  return {
    ...{
      policy: policy!,
      written: { source: samplePolicy },
      baseline,
      processors: realProcessors,
      traffic: traffic(seed),
      subject,
      seed,
    },
    injections: found === undefined ? [] : [injectionOf(found, { paneMs, onset: { stage, afterMs: 2_000 } })],
    ...{ lengthMs: 60_000, untilCaught: true },
    ...change,
  }
}

test(`a healthy version takes over, every row is counted, and nothing is decided against it (seed ${seed})`, () => {
  const played = play(scene(null))
  expect([played.completed, played.caught, played.dead]).toEqual([true, null, {}])
  expect(played.exposure.harmed).toBe(0)
})

test('the same scene gives the same decisions, ids and hashes included; another seed gives others', () => {
  const once = play(scene('unit'))
  expect(play(scene('unit'))).toEqual(once)
  expect(once.decisions.length).toBeGreaterThan(3)
  expect(play(scene('unit', { seed: 2, traffic: traffic(2) })).decisions).not.toEqual(once.decisions)
})

test(`kilometres in the new version are rolled back, and only its share was exposed (seed ${seed})`, () => {
  const { stopped, exposure, onset, stage } = play(scene('unit'))
  expect([stopped?.outcome, stopped?.guardrail, stage]).toEqual(['rolled-back', 'inputs.distance', '20%'])
  const seconds = (stopped?.afterMs ?? 0) / 1_000
  expect([onset === null, seconds > 1, seconds < 20]).toEqual([false, true, true])
  // 60 of 300 rows a second; five standard errors.
  expect(Math.abs(exposure.answers - 60 * seconds)).toBeLessThan(5 * Math.sqrt(60 * seconds) + 60)
  expect(exposure.harmed).toBe(exposure.answers)
  expect(exposure.units).toBeLessThanOrEqual(exposure.answers)
})

test(`a fault that shows in the shadow reaches nobody (seed ${seed})`, () => {
  const { stopped, exposure } = play(scene('unit-thousand', {}, 'shadow'))
  expect([stopped?.outcome, exposure.answers, exposure.units]).toEqual(['rolled-back', 0, 0])
})

test(`kilometres in both versions are held and never rolled back (seed ${seed})`, () => {
  const { caught, stopped } = play(scene('unit-both'))
  expect(['held', 'data-incident']).toContain(caught?.outcome)
  expect([caught?.guardrail, stopped]).toEqual(['inputs-since-training', null])
})

test('what no rule looks at is not seen, and rows that cannot be counted are told', () => {
  const blind = play(scene('unguarded', { lengthMs: 30_000 }))
  expect([blind.caught, blind.exposure.harmed > 1_000]).toEqual([null, true])
})

test('people may act in a scenario: a hold keeps the version where it is', () => {
  const hold = { kind: 'hold', deployment: 'scenario', reason: 'a look first' } as const
  const people = [{ atMs: 3_000, by: 'author', request: hold as NonNullable<Scene['people']>[number]['request'] }]
  const played = play(scene(null, { people, lengthMs: 40_000 }))
  expect([played.completed, played.stage, played.caught]).toEqual([false, 'shadow', null])
})

test('a fault in a stage that does not exist is refused by its name', () => {
  expect(() => play(scene('unit', {}, '30%'))).toThrow('there is no stage "30%"; stages are shadow, 20%, 100%')
})

test('a trial scores what is caught, what is let pass rightly, and what cannot happen here', () => {
  const faults = ['unit-thousand', 'unguarded', 'volume-more'].map((id) => faultOf(id)!)
  const trial = {
    ...scene(null),
    faults,
    chosen: {},
    seeds: [seed],
    onset: { stage: null, afterMs: 2_000 },
    lengthMs: 20_000,
    traffic,
  }
  const mutants = [...mutate(trial)]
  expect(mutants.map(({ fault, right }) => `${fault} ${right}`)).toEqual([
    'healthy 1',
    'unit-thousand 1',
    'unguarded 0',
    'volume-more 1',
  ])
  expect(scoreOf(mutants)).toEqual({ score: 0.75, caught: 3, played: 4 })
  const noErrors = (of: number) => syntheticTraffic(baseline, { rowsPerHour, errorRate: 0, seed: of })
  const [, skipped] = [...mutate({ ...trial, faults: [faultOf('errors-five')!], traffic: noErrors, lengthMs: 2_000 })]
  expect([skipped?.skipped, skipped?.tried]).toEqual(['no answer ever fails in this traffic', []])
})
