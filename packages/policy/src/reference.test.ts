import { readFileSync } from 'node:fs'
import { type RiskClassRules, riskClasses, riskClassOrder } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { check } from './check.ts'
import { readBudget, writeDuration } from './measures.ts'
import { formatProblem } from './problem.ts'
import { signalKinds } from './signal-name.ts'
import { keysAt } from './source.ts'

const page = readFileSync(new URL('../../../docs/policy-reference.md', import.meta.url), 'utf8')
const blocks = [...page.matchAll(/^```(yaml|text)\n([\s\S]*?)^```$/gm)].map(([, kind = '', text = '']) => ({
  kind,
  text,
}))
const whole = blocks[0]!.text

type Parts = Readonly<Record<string, unknown>> & { readonly guardrails?: object }

/** A block that shows some keys, with the others of the page's whole policy. Rules are added to its rules. */
function completed(text: string): string {
  const base = parse(whole) as Parts
  const shown = parse(text) as Parts
  return stringify({ ...base, ...shown, guardrails: { ...base.guardrails, ...shown.guardrails } })
}

test('every block of the policy reference is a policy, or part of one, without a problem', () => {
  const good = blocks.filter(({ kind, text }) => kind === 'yaml' && !/^# (refused|layers)/.test(text))
  expect(good.length).toBeGreaterThanOrEqual(10)
  expect(check(whole, 'whole').problems).toEqual([])
  for (const { text } of good) expect(check(completed(text), 'part').problems, text).toEqual([])
})

test('the tables of the classes on the page are those of the code', () => {
  const told = [...page.slice(page.indexOf('## `policy`'), page.indexOf('## `extends`')).matchAll(/^\| (.*) \|$/gm)]
  const cells = (row: string): readonly string[] =>
    told
      .map(([, line]) => line!.split('|').map((cell) => cell.trim()))
      .find(([head]) => head?.startsWith(row))!
      .slice(1)
  const each = <T>(of: (rules: RiskClassRules) => T): readonly T[] =>
    riskClassOrder.map((name) => of(riskClasses[name]))
  const time = (ms: number | undefined): string => (ms === undefined ? '–' : writeDuration(ms))
  const share = (part: number | undefined): string => (part === undefined ? '–' : `${part * 100}%`)
  const number = (rows: number | undefined): string => (rows === undefined ? '–' : String(rows))
  const yes = (asked: true | undefined): string => (asked ? 'yes' : '–')
  expect(cells('people')).toEqual(each(({ approvals }) => number(approvals)))
  expect(cells('harmful')).toEqual(each(({ safeAlpha }) => `1 in ${1 / safeAlpha}`))
  expect(cells('`rows` of a stage')).toEqual(each(({ defaults }) => number(defaults.rows)))
  expect(cells('`at-least` of a stage')).toEqual(each(({ defaults }) => time(defaults.minimumMs)))
  expect(cells('`at-most`')).toEqual(each(({ defaults }) => `${(defaults.maximumMs / 3_600_000).toFixed(0)}h`))
  const alphas = (alpha: number | undefined) => (alpha === undefined ? null : { alpha })
  const years = (falsePerYear: number | undefined) => (falsePerYear === undefined ? null : { falsePerYear })
  expect(cells('`rollouts`').map(readBudget)).toEqual(each(({ defaults }) => alphas(defaults.alpha)))
  const alarms = (text: string) => readBudget(text.replace(/^1 in/, '1 false alarm in'))
  expect(cells('`watching`').map(alarms)).toEqual(each(({ defaults }) => years(defaults.falsePerYear)))
  expect(cells('first share')).toEqual(each(({ loosest }) => share(loosest.firstShare)))
  expect(cells('`rows` of each')).toEqual(each(({ loosest }) => number(loosest.rows)))
  expect(cells('`at-least` of each')).toEqual(each(({ loosest }) => time(loosest.minimumMs)))
  expect(cells('smallest `rollouts`').map(readBudget)).toEqual(each(({ loosest }) => alphas(loosest.alpha)))
  expect(cells('smallest `watching`').map(alarms)).toEqual(each(({ loosest }) => years(loosest.falsePerYear)))
  expect(cells('`no-data`')).toEqual(each(({ loosest }) => time(loosest.noDataAfterMs)))
  expect(cells('`grant`')).toEqual(each(({ loosest }) => time(loosest.grantMs)))
  expect(cells('stopped')).toEqual(each(({ loosest }) => time(loosest.stoppedAfterMs)))
  expect(cells('a shadow stage')).toEqual(each(({ loosest }) => yes(loosest.shadow)))
  expect(cells('a gate on')).toEqual(each(({ loosest }) => yes(loosest.errorsGate)))
  expect(cells('a rule on')).toEqual(each(({ loosest }) => yes(loosest.silence)))
})

test('a block that is refused is refused with the words that stand below it', () => {
  const refused = blocks.findIndex(({ text }) => text.startsWith('# refused'))
  const rest = whole.replace(/^guardrails:[\s\S]*/m, '')
  const gate =
    '  e: { signal: errors, against: stable, role: gate, tolerate: 1%, safe: 9%, action: halt, protects: all }\n'
  const { problems } = check(`${blocks[refused]!.text}${gate}${rest}`, 'policy.yaml')
  expect(`${problems.map(formatProblem).join('\n')}\n`).toBe(blocks[refused + 1]!.text)
})

test('every key and every signal of a policy stands on the page', () => {
  const told = new Set([...page.matchAll(/`([a-z-]+)(?:\(\w+\))?`/g)].map(([, word]) => word))
  for (const key of Object.values(keysAt).flat()) {
    if (!told.has(key)) expect(page, key).toMatch(new RegExp(`^ *-? ?(?:\\{ )?.*\\b${key}:`, 'm'))
  }
  for (const signal of signalKinds) expect(told, signal).toContain(signal)
})
