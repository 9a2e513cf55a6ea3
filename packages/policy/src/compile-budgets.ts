import { type Guardrail, riskClasses } from '@interlock/contracts'
import { readBudget } from './measures.ts'
import { shown } from './problem.ts'
import type { Report, ReportAt } from './shape-problems.ts'
import type { GuardrailSource, PolicySource } from './source.ts'

export type Budgets = { readonly rollouts: Guardrail['budget']; readonly watching: Guardrail['budget'] }
export type Compiled = { readonly id: string; readonly ownBudget: boolean; readonly guardrail: Guardrail }

/** The budgets of the whole policy. */
export function policyBudgets(source: PolicySource, report: Report): Budgets {
  return { rollouts: policyBudget(source, 'rollouts', report), watching: policyBudget(source, 'watching', report) }
}

export function ruleBudget(rule: GuardrailSource, budgets: Budgets, report: ReportAt): Guardrail['budget'] | null {
  const counts = rule.against === 'stable' ? 'rollouts' : 'watching'
  if (rule.budget === undefined) return budgets[counts]
  const budget = readBudget(rule.budget)
  if (budget === null) {
    report(
      'budget',
      'budget',
      `the budget ${shown(rule.budget)} is none`,
      'It must leave room for at least one.',
      budgetHelp(counts),
    )
  } else if ((counts === 'rollouts') !== 'alpha' in budget) {
    report(
      'budget',
      'budget',
      `the budget ${shown(rule.budget)} does not fit "against: ${rule.against}"`,
      budgetWhy(counts),
      budgetHelp(counts),
    )
  } else if ('alpha' in budget && budget.alpha > 0.5) {
    report(
      'budget',
      'budget',
      `the budget ${shown(rule.budget)} allows every rollout to be stopped`,
      'A rule that is always wrong is none.',
      budgetHelp(counts),
    )
  }
  return budget
}

function policyBudget(source: PolicySource, counts: 'rollouts' | 'watching', report: Report): Guardrail['budget'] {
  const written = source.budgets?.[counts]
  // Budgets that hold where a policy says nothing: those of its class.
  const { alpha, falsePerYear } = riskClasses[source.class].defaults
  const byClass = counts === 'rollouts' ? { alpha } : { falsePerYear }
  if (written === undefined) return byClass
  const budget = readBudget(written)
  const fits =
    budget !== null && (counts === 'rollouts') === 'alpha' in budget && !('alpha' in budget && budget.alpha > 0.5)
  if (fits) return budget
  report({
    path: ['budgets', counts],
    code: 'budget',
    happened: `the budget ${shown(written)} does not fit "${counts}"`,
    why: budgetWhy(counts),
    instead: budgetHelp(counts),
  })
  return byClass
}

/** Rules of one action are averaged into one verdict, so they have one budget: the deployment's. */
export function oneBudgetAnAction(all: readonly Compiled[], report: Report): void {
  const firsts = new Map<string, Compiled>()
  const told = new Set<string>()
  for (const compiled of all) {
    const { action, budget } = compiled.guardrail
    const group = `${action} ${Object.keys(budget)[0]}`
    const first = firsts.get(group) ?? compiled
    firsts.set(group, first)
    if (amount(first.guardrail) === amount(compiled.guardrail)) continue
    // The one that asks for its own budget is told; where both do, the later one.
    const [odd, other] = compiled.ownBudget ? [compiled, first] : [first, compiled]
    if (told.has(odd.id)) continue
    told.add(odd.id)
    report({
      path: ['guardrails', odd.id, 'budget'],
      code: 'budget',
      happened: `guardrail ${shown(odd.id)}: its budget differs from that of ${shown(other.id)}, which has the same action`,
      why: `All rules that ${action.replace('-', ' ')} share one budget for the deployment: together they may be wrong so often.`,
      instead: 'Set it once under "budgets" and leave "budget" out.',
    })
  }
}

function amount({ budget }: Guardrail): number {
  return 'alpha' in budget ? budget.alpha : budget.falsePerYear
}

function budgetWhy(counts: 'rollouts' | 'watching'): string {
  return counts === 'rollouts'
    ? 'A rollout has an end, so its budget counts rollouts.'
    : 'This watch has no end, so its budget counts false alarms in a time.'
}

function budgetHelp(counts: 'rollouts' | 'watching'): string {
  return counts === 'rollouts' ? 'Write such as "1 in 1000 rollouts".' : 'Write such as "1 false alarm in 90 days".'
}
