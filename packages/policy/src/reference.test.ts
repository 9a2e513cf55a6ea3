import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { check } from './check.ts'
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
  const good = blocks.filter(({ kind, text }) => kind === 'yaml' && !text.startsWith('# refused'))
  expect(good.length).toBeGreaterThanOrEqual(10)
  expect(check(whole, 'whole').problems).toEqual([])
  for (const { text } of good) expect(check(completed(text), 'part').problems, text).toEqual([])
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
