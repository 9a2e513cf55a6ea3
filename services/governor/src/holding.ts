import { isHeldBy, withHold, withoutHold } from '@interlock/deployment'
import type { Fact } from '@interlock/policy'
import { decide, type Ruling } from './decide.ts'
import { type Desk, machine } from './desk.ts'
import { type DeploymentRecord, shareOf } from './record.ts'

/** Adds a hold, with a decision; nothing where its owner holds already. */
export function hold(
  record: DeploymentRecord,
  desk: Desk,
  owner: string,
  reason: string,
  ruling: Omit<Ruling, 'fact' | 'outcome'> & { readonly fact?: Fact },
): DeploymentRecord {
  if (isHeldBy(record.holds, owner)) return record
  const fact = ruling.fact ?? heldFact(record, reason, ruling.by ?? null)
  return decide(record, desk, { ...ruling, fact, outcome: 'held' }, (same) => ({
    ...same,
    holds: withHold(same.holds, { owner, reason }),
  }))
}

export function heldFact(record: DeploymentRecord, because: string, by: string | null): Fact {
  return { kind: 'held', candidate: record.candidate?.version ?? null, share: shareOf(record), by, because }
}

/** Ends holds, with one decision; nothing where none of the owners holds. */
export function release(
  record: DeploymentRecord,
  desk: Desk,
  owners: readonly string[],
  rule: string,
  because: string | null,
  by?: string,
): DeploymentRecord {
  const ending = owners.filter((owner) => isHeldBy(record.holds, owner))
  if (ending.length === 0) return record
  const holds = ending.reduce(withoutHold, record.holds)
  const fact: Fact = { kind: 'released', by: by ?? null, because, left: holds.length }
  return decide(record, desk, { outcome: 'released', rule, fact, by: by ?? machine }, (same) => ({
    ...same,
    holds,
    calm: Object.fromEntries(Object.entries(same.calm).filter(([owner]) => !ending.includes(owner))),
    incident: isHeldBy(holds, 'data') ? same.incident : null,
  }))
}

const lasting = new Set(['data', 'fleet', 'keyset', 'not-watched'])

/** Holds that speak of a rollout end with it; a standing fault of the stable version holds again by its evidence. */
export function withoutRolloutHolds(record: DeploymentRecord): DeploymentRecord['holds'] {
  const stays = (owner: string): boolean => owner.startsWith('person:') || lasting.has(owner)
  return record.holds.filter(({ owner }) => stays(owner))
}
