import type { Guardrail, Policy } from '@interlock/contracts'
import { explain, nameOfRule } from '@interlock/policy'

const told = new WeakMap<Policy, Readonly<Record<string, string>>>()

/** Guardrail id → its rule as `policy explain` says it, without the entry's name. */
export function rulesInWords(policy: Policy): Readonly<Record<string, string>> {
  const before = told.get(policy)
  if (before !== undefined) return before
  const rules = Object.fromEntries(policy.guardrails.map((guardrail) => [guardrail.id, ruleInWords(guardrail, policy)]))
  told.set(policy, rules)
  return rules
}

/** Guardrail id → what it looks at: "flight distance". */
export function rulesByName(policy: Policy): Readonly<Record<string, string>> {
  return Object.fromEntries(policy.guardrails.map((guardrail) => [guardrail.id, nameOfRule(guardrail, policy)]))
}

/** The one rule that `explain` lists for a policy with this guardrail alone: "- <entry>: <sentences>". */
function ruleInWords(guardrail: Guardrail, policy: Policy): string {
  const line = explain({ ...policy, guardrails: [guardrail] })
    .split('\n')
    .find((text) => text.startsWith(`- ${guardrail.id.split('.')[0]}: `))
  return line === undefined ? guardrail.id : line.slice(line.indexOf(': ') + 2)
}
