import { type RiskClass, riskClasses, riskClassOrder } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { check } from './check.ts'
import { formatProblem } from './problem.ts'

/** As strict as a critical class asks for. */
const strict = `policy: loans
class: critical
no-data: 60s
grant: 30s
stages:
  - { share: shadow }
  - { share: 5%, rows: 5000, at-least: 2h, at-most: 24h }
  - { share: 100% }
budgets:
  rollouts: 1 in 200 rollouts
  watching: 1 false alarm in 30 days
guardrails:
  errors: { signal: errors, against: stable, role: gate, tolerate: 20%, safe: 50%, action: roll back, protects: people who ask for a loan }
  silence: { signal: volume, against: history, action: hold, protects: people who ask for a loan }
loss-of-guardrail:
  - { after: 30s, action: hold }
  - { after: 5m, action: roll back }
`

test('a class gives what a policy leaves out, and a higher class gives no less', () => {
  const plain = strict
    .replace(/budgets:[\s\S]*guardrails:/, 'guardrails:')
    .replace(', rows: 5000, at-least: 2h, at-most: 24h', '')
  const of = (riskClass: RiskClass) => {
    const { policy, problems } = check(plain.replace('class: critical', `class: ${riskClass}`), 'p.yaml')
    expect(problems).toEqual([])
    return policy!
  }
  for (const riskClass of riskClassOrder) {
    const { rows, minimumMs, maximumMs, alpha, falsePerYear } = riskClasses[riskClass].defaults
    const { stages, guardrails } = of(riskClass)
    expect(stages[1]).toMatchObject({ minimumSample: rows, minimumMs, maximumMs })
    expect(guardrails.map(({ budget }) => budget)).toEqual([{ alpha }, { falsePerYear }])
  }
  for (const [index, riskClass] of riskClassOrder.slice(1).entries()) {
    const [below, above] = [riskClasses[riskClassOrder[index]!], riskClasses[riskClass]]
    expect(above.defaults.rows).toBeGreaterThanOrEqual(below.defaults.rows)
    expect(above.defaults.alpha).toBeGreaterThanOrEqual(below.defaults.alpha)
    expect(above.safeAlpha).toBeLessThanOrEqual(below.safeAlpha)
    expect(above.approvals).toBeGreaterThanOrEqual(below.approvals)
  }
})

/** [what is written, what is looser than a critical class, where, what to write]. */
const looser: readonly (readonly [string, string, string, RegExp])[] = [
  ['no-data: 60s', 'no-data: 3m', '3:10', /no-data: 2m/],
  ['grant: 30s', 'grant: 31s', '4:8', /grant: 30s/],
  ['share: shadow', 'share: 1%', '6:14', /share: shadow/],
  ['share: 5%', 'share: 6%', '7:14', /5%/],
  ['rows: 5000', 'rows: 1999', '7:24', /rows: 2000/],
  ['at-least: 2h', 'at-least: 29m', '7:40', /at-least: 30m/],
  ['1 in 200 rollouts', '1 in 501 rollouts', '10:13', /1 in 500 rollouts/],
  ['1 false alarm in 30 days', '1 false alarm in 61 days', '11:13', /60 days/],
  ['action: roll back, protects', 'action: hold, protects', '12:1', /signal: errors/],
  [/ {2}silence:.*\n/.exec(strict)![0], '', '12:1', /signal: volume/],
  ['after: 5m', 'after: 6m', '16:3', /after: 5m/],
]

test('a policy looser than its class is refused at its line, with what to write; the same policy of a low class is not', () => {
  expect(check(strict, 'p.yaml').problems).toEqual([])
  for (const [written, replaced, place, instead] of looser) {
    const source = strict.replace(written, replaced)
    const { policy, problems } = check(source, 'p.yaml')
    const what = `${replaced}\n${problems.map(formatProblem).join('\n')}`
    expect(policy, what).toBeNull()
    expect(problems, what).toHaveLength(1)
    const [problem] = problems
    expect(`${problem!.line}:${problem!.column}`, what).toBe(place)
    expect(problem!.code).toBe('class')
    expect(problem!.instead, what).toMatch(instead)
    expect(check(source.replace('class: critical', 'class: low'), 'p.yaml').problems, what).toEqual([])
  }
})

test('a critical class must choose what happens when the guardrail is lost', () => {
  const [problem, ...rest] = check(strict.slice(0, strict.indexOf('loss-of-guardrail')), 'p.yaml').problems
  expect(rest).toEqual([])
  expect(problem).toMatchObject({ line: 2, column: 8, code: 'loss-of-guardrail' })
})
