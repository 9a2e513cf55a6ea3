import type { DeploymentId, LogTime, Policy } from '@interlock/contracts'

/** A deployment that wanted to roll back: it did, or its harm was common to both arms, or a brake kept it from it. */
export interface Want {
  readonly deployment: DeploymentId
  readonly at: LogTime
  readonly producer: string | null
}

/** Below so many deployments a share says nothing: one of two is half a fleet, and no sign of a shared cause. */
export const fewestForBrake = 3

/** Share and window of the brake: the strictest of the policies that are in force. */
export function brakeRule(brakes: readonly Policy['brakes'][]): { readonly share: number; readonly windowMs: number } {
  return {
    share: Math.min(defaultBrakeRule.share, ...brakes.map(({ fleetShare }) => fleetShare)),
    windowMs: Math.max(defaultBrakeRule.windowMs, ...brakes.map(({ fleetWindowMs }) => fleetWindowMs)),
  }
}
export const defaultBrakeRule = { share: 0.2, windowMs: 300_000 } as const

export interface FleetView {
  readonly on: boolean
  /** Deployments that wanted to roll back within the window, sorted. */
  readonly deployments: readonly DeploymentId[]
  /** Producer that all of those that name one have in common; null where they differ or none is named. */
  readonly sharedProducer: string | null
}

/**
 * Suspects our own data, or a shared source, when too many deployments want to roll back at once
 * (docs/reliability.md §2 "Brakes").
 *
 * @param registered  number of deployments under guard
 */
export function fleetView(
  wants: readonly Want[],
  registered: number,
  rule: { readonly share: number; readonly windowMs: number },
  time: LogTime,
): FleetView {
  const recent = wants.filter(({ at }) => time - at < rule.windowMs)
  const deployments = [...new Set(recent.map(({ deployment }) => deployment))].sort()
  const producers = new Set(recent.flatMap(({ producer }) => (producer === null ? [] : [producer])))
  return {
    on: deployments.length >= fewestForBrake && deployments.length > rule.share * registered,
    deployments,
    sharedProducer: producers.size === 1 ? ([...producers][0] ?? null) : null,
  }
}
