import { expect, test } from 'vitest'
import { check, extendsOf } from './check.ts'
import { explain } from './explain.ts'
import { formatProblem } from './problem.ts'
import { readingGrade } from './reading-grade.ts'

const organisation = {
  file: '../organisation.policy.yaml',
  source: `policy: acme
class: medium
no-data: 60s
budgets: { rollouts: 1 in 1000 rollouts }
guardrails:
  errors:
    signal: errors
    against: stable
    role: gate
    tolerate: 20%
    safe: 50%
    by: [producer]
    action: roll back
    protects: people who get no answer
`,
}
const team = {
  file: '../team.policy.yaml',
  source: `policy: pricing
stages:
  - { share: 5%, rows: 2000, at-least: 30m, at-most: 24h }
  - { share: 100% }
guardrails:
  errors: { tolerate: 15% }
  inputs: { signal: "distribution(x, y)", against: stable, tolerate: 0.05, action: roll back, protects: people who get a wrong price }
`,
}
const own = `policy: prices-de
extends: [../organisation.policy.yaml, ../team.policy.yaml]
guardrails:
  errors:
    tolerate: 10%
  silence: { signal: volume, against: history, action: hold, protects: people }
`
const layers = [organisation, team]
const checked = (source: string, all = layers) => check(source, 'policy.yaml', undefined, { layers: all })

test('what the layers say holds, and what is stricter below counts', () => {
  const { policy, problems } = checked(own)
  expect(problems).toEqual([])
  expect(policy).toMatchObject({
    name: 'prices-de',
    riskClass: 'medium',
    noDataAfterMs: 60_000,
    layers: [
      { name: 'acme', guardrails: ['errors'] },
      { name: 'pricing', guardrails: ['inputs.x', 'inputs.y'] },
    ],
  })
  expect(policy!.guardrails.map(({ id, tolerance }) => [id, tolerance.harm])).toEqual([
    ['errors', 0.1],
    ['inputs.x', 0.05],
    ['inputs.y', 0.05],
    ['silence', 0],
  ])
})

/** [what is written below the layers, place of the problem, what it says]. */
const looser: readonly (readonly [string, string, string, RegExp])[] = [
  ['    tolerate: 10%', '    tolerate: 16%', 'policy.yaml:5:15', /tolerated: 16 % instead of 15 %/],
  ['    tolerate: 10%', '    tolerate: 10%\n    safe: 60%', 'policy.yaml:6:11', /opens the gate/],
  ['    tolerate: 10%', '    tolerate: 10%\n    absolute: 1%', 'policy.yaml:6:15', /in any case/],
  ['    tolerate: 10%', '    tolerate: 10%\n    action: hold', 'policy.yaml:6:13', /hold instead of roll back/],
  ['    tolerate: 10%', '    tolerate: 10%\n    rows: 5000', 'policy.yaml:6:11', /rule "errors", requests/i],
  ['    tolerate: 10%', '    tolerate: 10%\n    by: [segment:a]', 'policy.yaml:6:9', /each producer/],
  ['    tolerate: 10%', '    tolerate: 10%\n    signal: invalid(x)', 'policy.yaml:6:13', /looks at/],
  ['guardrails:', 'class: low\nguardrails:', 'policy.yaml:3:8', /low instead of medium/],
  ['guardrails:', 'no-data: 2m\nguardrails:', 'policy.yaml:3:10', /Time without data/],
  ['guardrails:', 'budgets: { rollouts: 1 in 5000 rollouts }\nguardrails:', 'policy.yaml:3:22', /budget/],
  [
    'guardrails:',
    'stages:\n  - { share: 5%, rows: 2000, at-least: 10m, at-most: 24h }\n  - { share: 100% }\nguardrails:',
    'policy.yaml:4:40',
    /time that it stays/,
  ],
  [
    'guardrails:',
    'stages:\n  - { share: 10%, rows: 2000, at-least: 30m, at-most: 24h }\n  - { share: 100% }\nguardrails:',
    'policy.yaml:4:3',
    /"5%" is gone/,
  ],
  ['  silence:', '  inputs: { signal: distribution(x) }\n  silence:', 'policy.yaml:6:21', /"inputs.x" is gone/],
]

test('a policy that is looser than a layer is refused at its own line, and the layer is named', () => {
  for (const [written, replaced, place, happened] of looser) {
    const { policy, problems } = checked(own.replace(written, replaced))
    const what = `${replaced}\n${problems.map(formatProblem).join('\n')}`
    expect(policy, what).toBeNull()
    const found = problems.find(({ happened: text }) => happened.test(text))
    expect(found, what).toBeDefined()
    expect(`${found!.file}:${found!.line}:${found!.column}`, what).toBe(place)
    expect(found!.why, what).toMatch(/"acme"|"pricing"/)
  }
})

test('a team that is looser than the organisation is refused in the file of the team', () => {
  const soft = { ...team, source: team.source.replace('tolerate: 15%', 'tolerate: 25%') }
  const { problems } = checked(own.replace('    tolerate: 10%', '    rows: 100'), [organisation, soft])
  expect(problems).toMatchObject([{ file: '../team.policy.yaml', line: 6, code: 'layers' }])
})

test('a mistake in a layer, a missing layer and another one are told with file and place', () => {
  const odd = { ...team, source: team.source.replace('signal:', 'singal:') }
  expect(checked(own, [organisation, odd]).problems[0]).toMatchObject({ file: odd.file, line: 7, code: 'unknown-key' })
  expect(checked(own, [organisation]).problems).toMatchObject([{ file: 'policy.yaml', line: 2, column: 40 }])
  expect(checked(own, []).problems).toMatchObject([{ code: 'layers' }])
  expect(checked(own, [...layers, { file: 'x', source: '' }]).problems).toMatchObject([{ code: 'layers' }])
  expect(extendsOf(own)).toEqual(layers.map(({ file }) => file))
  expect(extendsOf('extends: 5')).toEqual([])
})

test('explain says which policy a rule comes from', () => {
  const text = explain(checked(own).policy!)
  expect(text).toContain('It must be as strict as "acme" and "pricing". Their rules hold here too.')
  expect(text).toMatch(/- errors: .*This rule is from "acme"\./)
  expect(text).toMatch(/- inputs: .*This rule is from "pricing"\./)
  expect(text).not.toMatch(/- silence: .*This rule is from/)
})

const exception = (change = ''): string =>
  `${own}exceptions:\n  - { guardrail: errors, until: 2026-12-01, reason: the new supplier starts on Monday, loosen: { ${change || 'tolerate: 80%, safe: 200%'} } }\n`

test('an exception loosens a rule of a layer for a time, and the strict rule stays in the policy', () => {
  const { policy, problems } = checked(exception())
  expect(problems).toEqual([])
  expect(policy!.guardrails[0]!.tolerance).toEqual({ harm: 0.1, safe: 0.5 })
  expect(policy!.exceptions).toMatchObject([
    { until: Date.UTC(2026, 11, 1), looser: { id: 'errors', tolerance: { harm: 0.8, safe: 2 } } },
  ])
  const text = explain(policy!)
  expect(text).toMatch(/- Until 1 December 2026, errors: .*over 80 %.*The reason: the new supplier starts on Monday\./)
  for (const line of text.split('\n')) expect(readingGrade(line), line).toBeLessThanOrEqual(8)
})

test('an exception without an end that is near, a reason, or anything looser is refused', () => {
  const at = (source: string, now = Date.UTC(2026, 10, 1)) =>
    check(source, 'policy.yaml', undefined, { layers, now }).problems.map(({ line, code }) => `${line} ${code}`)
  expect(at(exception())).toEqual([])
  expect(at(exception(), Date.UTC(2026, 8, 1))).toEqual(['8 exceptions'])
  expect(at(exception(), Date.UTC(2026, 8, 2))).toEqual([])
  expect(at(exception().replace('2026-12-01', '2026-02-30'))).toEqual(['8 exceptions'])
  expect(at(exception().replace('reason: the new supplier starts on Monday, ', ''))).toEqual(['8 missing-key'])
  expect(at(exception().replace('guardrail: errors', 'guardrail: erors'))).toEqual(['8 exceptions'])
  expect(at(exception('tolerate: 5%'))).toEqual(['8 exceptions'])
  expect(at(exception('tolerate: 10%'))).toEqual(['8 exceptions'])
  expect(at(exception('tolerate: 60%'))).toEqual(['8 exceptions'])
})

test('what may be blind is accepted by the name of a rule that is there', () => {
  const accept = (name: string) => `${own}blind:\n  ${name}: too few answers in the first stage\n`
  expect(checked(accept('inputs')).policy?.blind).toEqual(
    ['inputs.x', 'inputs.y'].map((guardrail) => ({ guardrail, reason: 'too few answers in the first stage' })),
  )
  expect(checked(accept('input')).problems).toMatchObject([{ line: 8, column: 3, code: 'blind' }])
})
