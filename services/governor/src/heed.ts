import { type BrakeOut, isProbe } from '@interlock/contracts'
import { isHeldBy, withHold } from '@interlock/deployment'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import { release } from './holding.ts'
import type { DeploymentRecord } from './record.ts'
import type { GovernorState } from './state.ts'

/**
 * Heeds the fleet's brake: promotions stop everywhere, candidates in canary are still rolled back. The last word holds;
 * the fleet is never waited for.
 */
export function heed(state: GovernorState, brake: BrakeOut, desk: Desk): GovernorState {
  const deployments: Record<string, DeploymentRecord> = {}
  for (const deployment of Object.keys(state.deployments).sort()) {
    const record = state.deployments[deployment]
    if (record !== undefined) deployments[deployment] = braked(record, brake, desk)
  }
  return { ...state, brake, deployments }
}

/** Applies the brake to one deployment; also to one that was registered while the brake is on. */
export function braked(record: DeploymentRecord, brake: BrakeOut, desk: Desk): DeploymentRecord {
  if (!brake.on) return release(record, desk, ['fleet'], 'fleet', null)
  if (record.policy === null || isProbe(record.deployment) || isHeldBy(record.holds, 'fleet')) return record
  const fact = { kind: 'brake', deployments: brake.deployments.length, source: brake.sharedProducer } as const
  return decide(record, desk, { outcome: 'held', rule: 'fleet', fact }, (same) => ({
    ...same,
    holds: withHold(same.holds, { owner: 'fleet', reason: brake.reason }),
  }))
}
