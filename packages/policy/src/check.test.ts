import { readFileSync } from 'node:fs'
import { canonicalJson } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { check } from './check.ts'
import { schemaFile, schemaText } from './generate-schema.ts'
import type { Known } from './known.ts'
import { formatProblem } from './problem.ts'

const known: Known = {
  features: ['distance', 'originDelayRate', 'routeDelayRate', 'origin', 'destination'],
  segments: ['airport'],
}

const good = `policy: flight-delay
class: medium
words:
  rows: flights
  features:
    distance: { name: flight distance, unit: miles }
times: { pane: 1s, lateness: 1s }
stages:
  - { share: shadow, rows: 500, at-least: 5s, at-most: 2m }
  - { share: 5%, rows: 500, at-least: 5s, at-most: 2m }
  - { share: 100% }
budgets:
  rollouts: 1 in 1000 rollouts
  watching: 1 false alarm in 90 days
guardrails:
  errors:
    signal: errors
    against: stable
    role: gate
    tolerate: 20%
    safe: 50%
    absolute: 1%
    by: [segment:airport]
    action: roll back
    protects: travellers who get no answer
  inputs:
    signal: distribution(distance, origin)
    against: baseline
    tolerate: 0.05
    by: [producer]
    action: hold
    protects: travellers
  silence: { signal: volume, against: history, action: hold, protects: travellers }
no-data: 8s
loss-of-guardrail:
  - { after: 30s, action: hold }
  - { after: 5m, action: roll back }
`

test('a policy is compiled with every default filled in and every detector derived', () => {
  const { policy, problems } = check(good, 'policy.yaml', known)
  expect(problems).toEqual([])
  const alpha = { alpha: 0.001 }
  const yearly = { falsePerYear: 365 / 90 }
  const inputs = {
    reference: 'baseline',
    detector: 'dirichlet-baseline',
    tolerance: { harm: 0.05, safe: 0 },
    budget: yearly,
    role: 'guard',
    action: 'hold',
    protects: 'travellers',
    slices: ['producer'],
    minimumSample: 200,
  }
  expect(policy).toEqual({
    v: 1,
    name: 'flight-delay',
    riskClass: 'medium',
    stages: [
      { name: 'shadow', share: 0, shadow: true, minimumSample: 500, minimumMs: 5_000, maximumMs: 120_000 },
      { name: '5%', share: 0.05, shadow: false, minimumSample: 500, minimumMs: 5_000, maximumMs: 120_000 },
      { name: '100%', share: 1, shadow: false, minimumSample: 0, minimumMs: 0, maximumMs: 86_400_000 },
    ],
    guardrails: [
      {
        id: 'errors',
        signal: 'errors',
        reference: 'stable',
        detector: 'conditional-beta-binomial',
        tolerance: { harm: 0.2, safe: 0.5, absolute: 0.01 },
        budget: alpha,
        role: 'gate',
        action: 'roll-back',
        protects: 'travellers who get no answer',
        slices: ['segment:airport'],
        minimumSample: 200,
      },
      { id: 'inputs.distance', signal: 'distribution(distance)', ...inputs },
      { id: 'inputs.origin', signal: 'distribution(origin)', ...inputs },
      {
        id: 'silence',
        signal: 'volume',
        reference: 'history',
        detector: 'gap',
        tolerance: { harm: 0, safe: 0 },
        budget: yearly,
        role: 'guard',
        action: 'hold',
        protects: 'travellers',
        slices: [],
        minimumSample: 0,
      },
    ],
    noDataAfterMs: 8_000,
    onGuardrailLoss: [
      { afterMs: 30_000, action: 'hold' },
      { afterMs: 300_000, action: 'roll-back' },
    ],
    grantMs: 30_000,
    times: { paneMs: 1_000, latenessMs: 1_000, stallTimeoutMs: 15_000 },
    brakes: { rollbacksPerHour: 2, fleetShare: 0.2, fleetWindowMs: 300_000 },
    words: { rows: 'flights', features: { distance: { name: 'flight distance', unit: 'miles' } } },
  })
})

test('the layout of the source does not change the policy', () => {
  const spread = good.replace(
    'times: { pane: 1s, lateness: 1s }',
    '# a comment\ntimes:\n    pane: "1s"\n    lateness: 1000ms',
  )
  expect(canonicalJson(check(spread, 'a').policy)).toBe(canonicalJson(check(good, 'b').policy))
})

test("the example's policy has no problem", () => {
  const source = readFileSync(new URL('../../../examples/flights/policy.yaml', import.meta.url), 'utf8')
  expect(check(source, 'policy.yaml', known).problems).toEqual([])
})

/** [what is written, by what it is replaced, where the problem is, its code, what to do instead]. */
const mistakes: readonly (readonly [string, string, string, string, RegExp])[] = [
  ['policy: flight-delay', 'policy: Flight Delay', '1:9', 'wrong-value', /lower-case/],
  ['policy: flight-delay\n', '', '1:1', 'missing-key', /policy: flight-delay/],
  ['class: medium', 'class: medum', '2:8', 'wrong-value', /Did you mean "medium"/],
  ['class: medium', 'class: 3', '2:8', 'wrong-value', /class: low/],
  ['class: medium', 'classs: medium', '2:1', 'unknown-key', /Did you mean "class"/],
  ['rows: flights', 'rows: "flights. Stop!"', '4:9', 'wording', /without a full stop/],
  ['distance: { name', 'distnace: { name', '6:5', 'unknown-feature', /Did you mean "distance"/],
  ['unit: miles', 'units: miles', '6:40', 'unknown-key', /Did you mean "unit"/],
  ['pane: 1s', 'pane: 1', '7:16', 'wrong-type', /10s/],
  ['pane: 1s', 'pane: 1 second', '7:16', 'wrong-value', /10s/],
  ['pane: 1s', 'pane: 1ms', '7:16', 'times', /100ms/],
  ['share: shadow', 'share: shade', '9:14', 'wrong-value', /share: shadow/],
  ['share: 5%', 'share: 5', '10:14', 'wrong-value', /5%/],
  ['share: 5%', 'share: 0%', '10:14', 'stages', /shadow/],
  ['share: 5%', 'share: 101%', '10:14', 'stages', /100%/],
  ['share: 5%', 'share: 100%', '11:14', 'stages', /Order/],
  ['share: 100%', 'share: 90%', '11:14', 'stages', /100%/],
  ['at-least: 5s, at-most: 2m }\n  - { share: 100%', 'at-most: 2m }\n  - { share: 100%', '10:38', 'stages', /at-least/],
  ['share: 5%, rows: 500', 'share: 5%, rows: many', '10:24', 'wrong-type', /rows: 2000/],
  ['share: 5%, rows: 500', 'share: 5%, rows: -1', '10:24', 'wrong-value', /rows: 2000/],
  ['share: 5%, rows: 500, at-least: 5s', 'share: 5%, rows: 500, at-least: 3m', '10:52', 'stages', /at-most/],
  ['share: 5%, rows: 500, at-least: 5s', 'share: 5%, rows: 500, atleast: 5s', '10:29', 'unknown-key', /"at-least"/],
  ['rollouts: 1 in 1000 rollouts', 'rollouts: 1 in 1000 flights', '13:13', 'wrong-value', /1 in 1000 rollouts/],
  ['rollouts: 1 in 1000 rollouts', 'rollouts: 1 a year', '13:13', 'budget', /1 in 1000 rollouts/],
  ['rollouts: 1 in 1000 rollouts', 'rollouts: 1 in 1 rollouts', '13:13', 'budget', /1 in 1000 rollouts/],
  ['watching: 1 false alarm in 90 days', 'watching: 0 a year', '14:13', 'budget', /90 days/],
  ['watching: 1 false alarm in 90 days', 'wacthing: 1 a year', '14:3', 'unknown-key', /"watching"/],
  ['  errors:', '  Errors!:', '16:3', 'bad-key', /lower-case/],
  ['signal: errors', 'signal: erors', '17:13', 'signal', /"errors"/],
  ['signal: errors', 'signal: errors(distance)', '17:13', 'signal', /signal: errors/],
  ['signal: errors', 'signal: unseen', '17:13', 'signal', /unseen\(/],
  ['signal: errors', 'signal: unseen(orign)', '17:13', 'unknown-feature', /"origin"/],
  ['signal: errors', 'signal: latency-over(p95)', '17:13', 'signal', /p90/],
  ['    signal: errors\n', '', '16:3', 'missing-key', /signal: errors/],
  ['against: stable', 'against: stabel', '18:14', 'wrong-value', /"stable"/],
  ['against: stable', 'against: history', '18:14', 'against', /against: stable/],
  ['role: gate', 'role: gaet', '19:11', 'wrong-value', /"gate"/],
  ['role: gate', 'role: guard', '21:11', 'role', /role: gate/],
  ['tolerate: 20%', 'tolerate: -20%', '20:15', 'wrong-value', /20%/],
  ['tolerate: 20%', 'tolerate: 60%', '21:11', 'tolerance', /Raise "safe"/],
  ['    tolerate: 20%\n', '', '16:3', 'tolerance', /tolerate: 20%/],
  ['    safe: 50%\n', '', '19:11', 'tolerance', /safe: 50%/],
  ['absolute: 1%', 'absolute: 100%', '22:15', 'tolerance', /absolute: 1%/],
  ['by: [segment:airport]', 'by: [segment:aiport]', '23:9', 'unknown-segment', /"airport"/],
  ['by: [segment:airport]', 'by: [airport]', '23:9', 'slices', /segment:airport/],
  ['by: [segment:airport]', 'by: segment:airport', '23:9', 'wrong-type', /by: \[producer\]/],
  ['action: roll back', 'action: rollback', '24:13', 'wrong-value', /"roll back"/],
  ['protects: travellers who get no answer', 'protects: ""', '25:15', 'wrong-value', /whom it protects/],
  ['distribution(distance, origin)', 'distribution(distnace, origin)', '27:13', 'unknown-feature', /"distance"/],
  ['distribution(distance, origin)', 'distribution(origin, origin)', '27:13', 'signal', /Remove one/],
  ['distribution(distance, origin)', 'predictions\n    role: gate', '28:11', 'role', /guard/],
  ['tolerate: 0.05', 'tolerate: 5%', '29:15', 'tolerance', /0\.05/],
  [
    'action: hold\n    protects: travellers\n',
    'action: roll back\n    protects: travellers\n',
    '31:13',
    'action',
    /hold/,
  ],
  [
    'action: hold\n    protects: travellers\n',
    'action: hold\n    budget: 1 a year\n    protects: travellers\n',
    '32:13',
    'budget',
    /budgets/,
  ],
  ['against: history', 'against: stable', '33:39', 'against', /history/],
  [
    'signal: volume, against: history',
    'signal: volume, against: history, tolerate: 100%',
    '33:58',
    'tolerance',
    /silence/,
  ],
  ['distribution(distance, origin)', 'mean', '27:13', 'signal', /mean\(score\)/],
  ['distribution(distance, origin)', 'mean(distnace)', '27:13', 'unknown-feature', /"distance"/],
  [
    'distribution(distance, origin)\n    against: baseline',
    'mean(score)\n    against: stable',
    '28:14',
    'against',
    /against: baseline/,
  ],
  ['no-data: 8s', 'no-data: 1s', '34:10', 'times', /no-data: 6s/],
  ['{ after: 5m, action: roll back }', '{ after: 5s, action: roll back }', '37:14', 'loss-of-guardrail', /Order/],
  ['{ after: 5m, action: roll back }', '{ after: 5m, action: promote }', '37:26', 'wrong-value', /hold/],
]

test('each of at least 50 seeded mistakes is located to its line and column, and says what to write instead', () => {
  expect(mistakes.length).toBeGreaterThanOrEqual(50)
  for (const [written, replaced, place, code, instead] of mistakes) {
    expect(good.includes(written), written).toBe(true)
    const { policy, problems } = check(good.replace(written, replaced), 'p.yaml', known)
    const what = `${written} → ${replaced}\n${problems.map(formatProblem).join('\n')}`
    expect(policy, what).toBeNull()
    const found = problems.find((problem) => problem.code === code && `${problem.line}:${problem.column}` === place)
    expect(found, what).toBeDefined()
    expect(found?.instead, what).toMatch(instead)
    expect(problems.length, what).toBeLessThanOrEqual(3)
  }
})

test('a policy without a gate would be promoted by time alone, and is refused', () => {
  const open = good.replace(/ {4}(role: gate|safe: 50%|absolute: 1%)\n/g, '')
  expect(check(open, 'p.yaml').problems).toMatchObject([{ line: 15, column: 1, code: 'gates' }])
})

test('rules of one action share one budget, whichever of them asks for another', () => {
  const two = good.replace(
    '  inputs:',
    '  slow: { signal: latency-over(p99), against: stable, tolerate: 20%, budget: 1 in 100 rollouts, action: roll back, protects: travellers }\n  inputs:',
  )
  expect(check(two, 'p.yaml').problems).toMatchObject([{ line: 26, code: 'budget' }])
})

test('a problem is told as where, what, why and what to do', () => {
  const [problem] = check(good.replace('(distance, origin)', '(distnace, origin)'), 'p.yaml', known).problems
  expect(formatProblem(problem!)).toBe(
    [
      'p.yaml:27:13  guardrail "inputs": unknown feature "distnace"',
      '  The model has no such feature.',
      '  Did you mean "distance"?',
    ].join('\n'),
  )
})

test('the published JSON Schema is current: node packages/policy/src/generate-schema.ts', () => {
  expect(JSON.parse(readFileSync(schemaFile, 'utf8'))).toEqual(JSON.parse(schemaText()))
})

test('volume with a tolerance is judged by its amount, without one by silence; a mean by bets', () => {
  const source = good
    .replace('signal: volume, against: history', 'signal: volume, against: history, tolerate: 50%')
    .replace('distribution(distance, origin)', 'mean(distance, latency, score)')
    .replace('tolerate: 0.05', 'tolerate: 5%')
  const { policy, problems } = check(source, 'p.yaml', known)
  expect(problems).toEqual([])
  expect(
    policy?.guardrails.slice(1).map(({ signal, detector, tolerance }) => [signal, detector, tolerance.harm]),
  ).toEqual([
    ['mean(distance)', 'binned-betting', 0.05],
    ['mean(latency)', 'binned-betting', 0.05],
    ['mean(score)', 'binned-betting', 0.05],
    ['volume', 'poisson-shiryaev-roberts', 0.5],
  ])
})
