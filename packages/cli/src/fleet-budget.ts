import type { DeploymentId, Policy } from '@interlock/contracts'
import { type Account, accountOf, type FalseActions, shrinkToFit } from '@interlock/deployment'
import { soundPolicy } from './commands/policy.ts'
import type { Config } from './config.ts'
import { readDeployments } from './deployments.ts'
import { Refused } from './errors.ts'

export interface FleetAccount {
  readonly stated: FalseActions
  readonly spent: FalseActions
  readonly accounts: readonly Account[]
}

/**
 * The fleet's budget of false actions and what each deployment's policy may spend of it; null where none is stated.
 *
 * @param instead  policies that are about to replace those of the files
 * @throws Refused where a policy is not in order
 */
export function fleetAccount(
  config: Config,
  instead: ReadonlyMap<DeploymentId, Policy> = new Map(),
): FleetAccount | null {
  const { fleet } = config
  if (fleet === undefined) return null
  const files = readDeployments(config)
  const stated = { rollbacks: fleet.falseRollbacksPerYear, holds: fleet.falseHoldsPerYear }
  const accounts = accountOf(
    stated,
    files.map(({ document: { deployment }, policy, claim }) => ({
      deployment,
      policy: instead.get(deployment) ?? soundPolicy(policy),
      weight: claim.weight,
      rolloutsPerYear: claim.rolloutsPerYear ?? fleet.rolloutsPerYear,
    })),
  )
  const sum = (cost: keyof FalseActions): number => accounts.reduce((total, { spent }) => total + spent[cost], 0)
  return { stated, spent: { rollbacks: sum('rollbacks'), holds: sum('holds') }, accounts }
}

/**
 * Keeps a deployment out whose policy may act by mistake more often than its part of the fleet's budget allows.
 *
 * @param only  of these deployments; absent: of all
 * @throws Refused with the sum, the part, and the budgets that would fit
 */
export function refuseOverspent(account: FleetAccount | null, only?: DeploymentId): void {
  if (account === null) return
  if (only !== undefined && !account.accounts.some(({ deployment }) => deployment === only)) {
    throw new Refused(
      `${only}: interlock.yaml states a budget of false actions for the fleet, and this deployment has no file beside it that takes part in it. Add deployments/${only}.yaml.`,
    )
  }
  const over = account.accounts.filter(({ deployment, fits }) => !fits && (only ?? deployment) === deployment)
  if (over.length > 0) throw new Refused(over.map(overspent).join('\n'))
}

const words = { rollbacks: ['roll back', 'falseRollbacksPerYear'], holds: ['hold', 'falseHoldsPerYear'] } as const

/** Why an account does not fit, as a sentence with its remedy. */
export function overspent(account: Account): string {
  const parts = (['rollbacks', 'holds'] as const).filter((cost) => shrinkToFit(account, cost) < 1)
  return parts
    .map((cost) => {
      const [verb, key] = words[cost]
      const { deployment, part, spent } = account
      return `${deployment}: its policy may ${verb} ${amount(spent[cost])} times a year by mistake, and its part of the fleet's budget is ${amount(part[cost])}. Make the policy's budgets ${amount(1 / shrinkToFit(account, cost), Math.ceil)} times stricter, or raise its weight or fleet.${key}.`
    })
    .join('\n')
}

/** "rollbacks 1 a year stated, 0.4 given out, 0.6 left; holds …" */
export function accountLine({ stated, spent }: FleetAccount): string {
  return (['rollbacks', 'holds'] as const)
    .map(
      (cost) =>
        `false ${cost} ${amount(stated[cost])} a year stated, ${amount(spent[cost])} given out, ${amount(stated[cost] - spent[cost])} left`,
    )
    .join('; ')
}

/** Two significant digits; whole from ten on. `round` up where less would not do. */
function amount(value: number, round: (value: number) => number = Math.round): string {
  if (Math.abs(value) >= 10) return String(round(value))
  const places = Math.abs(value) >= 1 ? 10 : 100
  return String(round(value * places) / places)
}
