import { type AlertOut, compareOrders, type LeafOut, type LogTime } from '@interlock/contracts'
import { severityOf } from '@interlock/deployment'
import { ledgerPatienceMs } from '@interlock/ledger'
import { say } from '@interlock/policy'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import type { DeploymentRecord } from './record.ts'
import { refuse } from './refuse.ts'
import { carryOutRestore } from './restore.ts'

/** The ledger holds a decision of this deployment: what waited for that goes on. */
export function takeLeaf(record: DeploymentRecord, { sequence, decision }: LeafOut, desk: Desk): DeploymentRecord {
  const { ledger, agreedRestore } = record
  const newest = Math.max(ledger.sequence, sequence)
  const waitingSince = newest >= record.sequence ? null : desk.time
  if (ledger.alert !== null) desk.outs.push(caughtUp(record, ledger.alert, decision, desk.time))
  const known: DeploymentRecord = { ...record, ledger: { sequence: newest, waitingSince, alert: null } }
  if (agreedRestore?.decision !== decision) return known
  const free: DeploymentRecord = { ...known, agreedRestore: null }
  // Raising never waits, so something stronger may have come while the restore did. The order decides; both are kept.
  const isOutranked =
    severityOf(record.order) > severityOf(agreedRestore.order) ||
    compareOrders([record.order[0], record.order[1], 0, 0], [agreedRestore.order[0], agreedRestore.order[1], 0, 0]) > 0
  if (!isOutranked) return carryOutRestore(free, agreedRestore, desk)
  const check = 'a stronger order came after the second signature'
  return refuse(free, desk, agreedRestore.second, 'restore', check, 'look at it, then ask two people again')
}

/** Decisions that wait for the ledger for too long are an alarm: once, until it moves again. */
export function watchLedger(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const { waitingSince, alert } = record.ledger
  if (waitingSince === null || alert !== null || desk.time - waitingSince <= ledgerPatienceMs) return record
  const fact = { kind: 'ledger-behind', since: waitingSince } as const
  const told = decide(record, desk, { outcome: 'ledger-behind', rule: 'ledger', fact })
  return { ...told, ledger: { ...told.ledger, alert: told.openAlerts.ledger ?? '' } }
}

function caughtUp(record: DeploymentRecord, resolves: string, decision: LeafOut['decision'], at: LogTime): AlertOut {
  return {
    kind: 'alert',
    id: `${resolves}/over`,
    deployment: record.deployment,
    at,
    attention: 'watch',
    sentence: say({ kind: 'ledger-caught-up' }).text,
    done: say({ kind: 'released', by: null, because: null, left: record.holds.length }).text,
    asked: say({ kind: 'asked-nothing' }).text,
    decision,
    resolves,
  }
}
