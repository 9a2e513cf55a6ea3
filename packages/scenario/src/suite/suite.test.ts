import { check, formatProblem } from '@interlock/policy'
import { expect, test } from 'vitest'
import { sampleBaseline, samplePolicy } from '../sample-baseline.ts'
import { MeasurementProblem, measure } from './measure.ts'
import { readSuite } from './read-suite.ts'

const { policy } = check(samplePolicy, 'policy.yaml')
if (policy === null) throw new Error('the policy of this test is not sound')
const said = (source: string) => readSuite(source, 't.yaml').problems.map(formatProblem)

test('a mistake in a file of tests is named with line, column and what was meant', () => {
  const source = [
    'policy: policy.yaml',
    'trafic: {}',
    'scenarios:',
    '  - name: kilometres',
    '    fault: unti',
    '    after: 3 parsecs',
    '    expect: { stoped-within: 10s }',
  ].join('\n')
  const shape = said(source)
  expect(shape).toEqual([
    expect.stringMatching(/^t\.yaml:2:1 {2}unknown key "trafic"[\s\S]*Did you mean "traffic"\?$/),
    expect.stringMatching(/^t\.yaml:7:15 {2}unknown key "stoped-within"[\s\S]*Did you mean "stopped-within"\?$/),
  ])
  const values = said(source.replace('trafic: {}', 'seed: 1').replace('stoped', 'stopped'))
  expect(values).toEqual([
    expect.stringMatching(/^t\.yaml:5:12 {2}there is no fault "unti"[\s\S]*Did you mean "unit"\?$/),
    expect.stringMatching(/^t\.yaml:6:12 {2}"3 parsecs" is no time/),
  ])
})

test('a test that could not fail is a mistake', () => {
  expect(said('policy: p.yaml')).toEqual([expect.stringContaining('there is no test in this file')])
  const scenario = (rest: string) => said(`policy: p.yaml\nscenarios:\n  - { name: some, ${rest} }`)
  expect(scenario('fault: unit, expect: {}')).toEqual([expect.stringContaining('nothing is expected')])
  expect(scenario('expect: { caught-within: 10s }')).toEqual([expect.stringContaining('nothing goes wrong here')])
  expect(scenario('fault: unit')).toEqual([expect.stringContaining('"expect" is missing')])
})

test('a sound file is read as it was written', () => {
  const { suite, problems } = readSuite(
    'policy: p.yaml\nseed: 7\ntraffic: { rows-an-hour: 3600, errors: 0.5% }\nscenarios:\n  - { name: some, fault: unit, part: 5%, for: 1h, expect: { not-stopped: true } }',
    't.yaml',
  )
  expect(problems).toEqual([])
  expect(suite).toMatchObject({
    policy: 'p.yaml',
    seed: 7,
    traffic: { rowsPerHour: 3_600, errorRate: 0.005, from: null },
  })
  expect(suite?.scenarios[0]).toMatchObject({ part: 0.05, lengthMs: 3_600_000, place: { line: 5, column: 5 } })
})

const rates = (now: number, panes = 30) =>
  measure(
    policy,
    {
      ...{ name: 'm', rule: 'errors', panes, verdict: 'pass' },
      now: { rows: 200, events: now },
      stable: { rows: 800, events: 8 },
    },
    null,
  )

test('the verdict on given rates is that of the real detector, and says from which pane on it is a breach', () => {
  expect(rates(2).verdict).toBe('pass')
  const breach = rates(10)
  expect([breach.verdict, breach.logE > breach.limit]).toEqual(['breach', true])
  expect(breach.breachAfter).toBeGreaterThan(1)
  expect(rates(10, (breach.breachAfter ?? 0) - 1).verdict).not.toBe('breach')
  expect(rates(2, 1).verdict).toBe('inconclusive')
})

test('shapes are given by the names of bins, and held against training where the rule says so', () => {
  const shape = (bins: Record<string, number>) =>
    measure(
      policy,
      { ...{ name: 'm', rule: 'inputs-since-training', panes: 30, verdict: 'pass' }, now: { bins } },
      sampleBaseline(),
    )
  expect(shape({ '0 to 200': 50, '200 to 400': 50, '400 to 800': 50, '800 to 1,600': 50 }).verdict).toBe('pass')
  expect(shape({ '0 to 200': 5, '800 to 1,600': 195 }).verdict).toBe('breach')
  expect(() => shape({ '0 to 20': 5 })).toThrow('there is no bin "0 to 20"')
})

test('counts that do not fit a rule are refused with what to write', () => {
  const wrong = (change: object) => () =>
    measure(
      policy,
      { ...{ name: 'm', rule: 'errors', panes: 3, verdict: 'pass' }, now: { rows: 5, events: 1 }, ...change },
      null,
    )
  expect(wrong({})).toThrow(MeasurementProblem)
  expect(wrong({ rule: 'error' })).toThrow('no rule "error"')
  expect(wrong({ stable: { rows: 5, events: 6 } })).toThrow('more than the rows')
  expect(wrong({ rule: 'inputs-since-training' })).toThrow('no baseline is named')
})
