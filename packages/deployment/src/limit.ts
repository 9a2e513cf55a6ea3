import type { Guardrail, Policy } from '@interlock/contracts'
import { ln } from '@interlock/statistics'

const msPerYear = 365 * 86_400_000

/**
 * ln(1 / (α·w)), where `sharing` guardrails spend one budget in equal parts w = 1/sharing. A budget of false alarms a year
 * is a mean run length of A = panes a year / false alarms a year, and takes the place of 1/α.
 */
export function budgetLog(budget: Guardrail['budget'], paneMs: number, sharing: number): number {
  const run = 'alpha' in budget ? 1 / budget.alpha : msPerYear / paneMs / budget.falsePerYear
  return ln(Math.max(1, run) * sharing)
}

/**
 * Logarithm of the evidence at which the guardrail's part of the budget is spent. The guardrails that share an action and a
 * kind of budget share it in equal parts: averaged e-values keep the promise under any dependence.
 *
 * @source docs/statistics.md "One number per deployment"
 */
export function limitOf(policy: Policy, guardrail: Guardrail): number {
  const kind = (each: Guardrail): string => ('alpha' in each.budget ? 'alpha' : 'run length')
  const sharing = policy.guardrails.filter(
    (each) => each.action === guardrail.action && kind(each) === kind(guardrail),
  ).length
  return budgetLog(guardrail.budget, policy.times.paneMs, sharing)
}
