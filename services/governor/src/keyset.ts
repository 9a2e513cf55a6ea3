import type { KeysetDocument, LogTime, Request } from '@interlock/contracts'
import { isHeldBy } from '@interlock/deployment'
import { say } from '@interlock/policy'
import type { Desk } from './desk.ts'
import { hold, release } from './holding.ts'
import type { DeploymentRecord } from './record.ts'

/** Owner of the hold while the keyset has run out. */
export const keysetOwner = 'keyset'

/** Whether the keyset has run out. One that names no end does not. */
export function hasExpired(keyset: KeysetDocument | null, time: LogTime): boolean {
  return keyset?.expires !== undefined && time >= keyset.expires
}

/** What an expired keyset still lets through: whatever stops or takes traffic away from a new version. */
export function isAlwaysTaken({ kind }: Request): boolean {
  return kind === 'hold' || kind === 'halt' || kind === 'rollback'
}

/** Holds, and pages, while the keyset has run out; ends the hold once a new one came. */
export function heedExpiry(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  if (!hasExpired(desk.shard.keyset, desk.time)) {
    return release(record, desk, [keysetOwner], keysetOwner, 'A new list of keys has come.')
  }
  if (record.policy === null || isHeldBy(record.holds, keysetOwner)) return record
  const fact = { kind: 'keyset-expired' } as const
  return hold(record, desk, keysetOwner, say(fact).brief, { rule: keysetOwner, fact })
}
