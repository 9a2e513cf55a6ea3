import type { Action, DeploymentId, Policy } from '@interlock/contracts'

/** False actions a year, by what they cost: going back, or standing still. */
export interface FalseActions {
  /** `roll-back`, `ramp-down`, `fall-back`. */
  readonly rollbacks: number
  /** `hold`, `halt`. */
  readonly holds: number
}

/** What one deployment asks of the fleet's budget. */
export interface Claim {
  readonly deployment: DeploymentId
  readonly policy: Policy
  /** Its part of the budget beside the others'. */
  readonly weight: number
  readonly rolloutsPerYear: number
}

export interface Account {
  readonly deployment: DeploymentId
  /** The fleet's budget times its weight over all weights. */
  readonly part: FalseActions
  readonly spent: FalseActions
  readonly fits: boolean
}

/** A rollout puts a candidate beside the stable version, and each is watched against its own past. */
const versionsWatched = 2
/** Parts are quotients: a policy that spends its part exactly fits. */
const rounding = 1 + 1e-9

const costOf: Readonly<Record<Action, keyof FalseActions | null>> = {
  watch: null,
  hold: 'holds',
  halt: 'holds',
  'ramp-down': 'rollbacks',
  'roll-back': 'rollbacks',
  'fall-back': 'rollbacks',
}

/**
 * How often a policy may act by mistake in a year, at most, by its own budgets: expectations add under any dependence.
 *
 *   Σ over pools   α·rollouts a year   or   2·false alarms a year
 *
 * A pool is what `judge` sums: the rules of one action, kind of budget and version. What only watches acts on nothing.
 *
 * @source docs/statistics.md "One budget for the fleet"
 */
export function spentBy(policy: Policy, rolloutsPerYear: number): FalseActions {
  const spent = { rollbacks: 0, holds: 0 }
  for (const { cost, mean } of poolsOf(policy, rolloutsPerYear)) spent[cost] += mean
  return spent
}

/**
 * Deals one budget out to deployments by their weights. While every policy is within its part, all together are within the
 * budget, and a deployment that exceeds its part is told by name.
 */
export function accountOf(budget: FalseActions, claims: readonly Claim[]): readonly Account[] {
  const weights = claims.reduce((sum, { weight }) => sum + weight, 0)
  return claims.map(({ deployment, policy, weight, rolloutsPerYear }) => {
    const part = {
      rollbacks: (budget.rollbacks * weight) / weights,
      holds: (budget.holds * weight) / weights,
    }
    const spent = spentBy(policy, rolloutsPerYear)
    const fits = spent.rollbacks <= part.rollbacks * rounding && spent.holds <= part.holds * rounding
    return { deployment, part, spent, fits }
  })
}

/**
 * By how much a policy's budgets of one cost must shrink to fit a part: all of them times this. 1 where it fits.
 */
export function shrinkToFit({ part, spent }: Account, cost: keyof FalseActions): number {
  return spent[cost] <= part[cost] * rounding ? 1 : part[cost] / spent[cost]
}

function poolsOf(policy: Policy, rolloutsPerYear: number) {
  const pools = new Map<string, { readonly cost: keyof FalseActions; readonly mean: number }>()
  for (const { action, budget } of policy.guardrails) {
    const cost = costOf[action]
    if (cost === null) continue
    // All rules of a pool have the same budget; where a policy of old has two, the larger one counts.
    const mean = 'alpha' in budget ? budget.alpha * rolloutsPerYear : versionsWatched * budget.falsePerYear
    const key = `${action} ${'alpha' in budget ? 'rollouts' : 'watching'}`
    if (mean > (pools.get(key)?.mean ?? 0)) pools.set(key, { cost, mean })
  }
  return pools.values()
}
