import type { PersonId } from '@interlock/contracts'
import { rolesOf } from '@interlock/deployment'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import type { DeploymentRecord } from './record.ts'

/** What a person may ask for and be refused. */
export type Refusable = 'rollout' | 'approval' | 'registration' | 'rollback' | 'hold' | 'release' | 'halt' | 'restore'

export function has(desk: Desk, by: PersonId, roles: readonly string[]): boolean {
  const own = rolesOf(desk.shard.keyset, by)
  return roles.some((role) => own.has(role))
}

/** Refuses with the check that failed and what to do: a decision like any other, so that the loser is told why. */
export function refuse(
  record: DeploymentRecord,
  desk: Desk,
  by: PersonId,
  what: Refusable,
  check: string,
  fix: string,
): DeploymentRecord {
  return decide(record, desk, { outcome: 'refused', rule: what, by, fact: { kind: 'refused', what, check, fix } })
}

export function refuseRole(
  record: DeploymentRecord,
  desk: Desk,
  by: PersonId,
  what: Refusable,
  roles: readonly string[],
): DeploymentRecord {
  return refuse(record, desk, by, what, `${by} has none of the roles ${roles.join(', ')}`, 'ask somebody who has')
}
