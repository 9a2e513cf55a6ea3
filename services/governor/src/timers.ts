import { defaultTimes } from '@interlock/contracts'
import {
  due,
  evidenceIsFresh,
  fleetIsFresh,
  isHeldBy,
  noDataLimitMs,
  observeWithinMs,
  renewalDue,
  severityOf,
  withHold,
} from '@interlock/deployment'
import { issuedAt, renew, send } from './command.ts'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import { watchLedger } from './ledger.ts'
import { pageAgain } from './pages.ts'
import type { DeploymentRecord } from './record.ts'
import { escalatedFact, escalateNow, settle, unprovenEvent } from './settle.ts'

/** Inputs that were not taken to their end for so long are no reason to wait longer with the timers. */
export const patienceMs = defaultTimes.stallTimeoutMs

/** Everything that the clock of the log asks for: command timers, grants, silence. Once a step. */
export function tick(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  return pageAgain(watchLedger(silence(grants(commands(settle(record, desk), desk), desk), desk), desk), desk)
}

function commands(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const { command } = record
  if (command === null) return record
  const { disagrees } = command.times
  if (command.state === 'verified' && disagrees !== undefined && desk.time - disagrees >= observeWithinMs) {
    return escalateNow(record, desk, 'disagrees', 'the platform no longer does what was ordered')
  }
  const event = due(command, desk.time)
  switch (event) {
    case null:
      return record
    case 'silent':
    case 'stuck': {
      const again = { ...command, sent: command.sent + 1, times: { ...command.times, sent: desk.time } }
      send(record, again, desk)
      return { ...record, command: again }
    }
    case 'exhausted':
      return escalateNow(record, desk, 'exhausted', 'the agent does not answer')
    case 'overdue':
      return escalateNow(record, desk, 'overdue', 'the platform does not take the order')
    case 'unseen': {
      const why = unprovenEvent(record)
      return escalateNow(record, desk, why, why === 'disagrees' ? 'the traffic says otherwise' : 'nobody else saw it')
    }
    case 'again':
      return escalateAgain(record, desk)
  }
}

/** Nobody came: severity 1, and the command goes out once more for whoever listens by now. */
function escalateAgain(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const { command } = record
  if (command?.escalation == null) return record
  const times = { ...command.times, sent: desk.time }
  const second = { ...command, times, escalation: { ...command.escalation, level: 2 as const } }
  send(record, second, desk)
  const fact = escalatedFact(record, second, command.escalation.reason)
  return decide({ ...record, command: second }, desk, { outcome: 'escalated', rule: 'command:severity-1', fact })
}

/** Renews the candidate's grant while panes keep closing whole and the fleet keeps up; a hold stops promotion, not this. */
function grants(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const { command, policy, evidence } = record
  if (command?.grant == null || policy === null || severityOf(record.order) > 1) return record
  if (command.times.received === undefined && command.times.applied === undefined) return record
  const hasLapsed = (command.times.lapsed ?? 0) > issuedAt(command)
  if (!hasLapsed && !renewalDue(command.grant, issuedAt(command), desk.time)) return record
  const isWatched =
    evidenceIsFresh(policy.policy, evidence, desk.time) && fleetIsFresh(desk.shard.fleetSeenAt, desk.time)
  return isWatched ? renew(record, command, desk) : record
}

/** Without data a deployment is not watched: promotion freezes, and people are told. */
function silence(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const { policy, evidence, dataTo, watchedSince } = record
  if (policy === null || record.lostAt !== null) return record
  const since = Math.max(dataTo ?? 0, watchedSince)
  if (desk.time - since <= noDataLimitMs(policy.policy)) return record
  const isStopped = evidence === null || !evidenceIsFresh({ ...policy.policy }, { ...evidence, coverage: 1 }, desk.time)
  const reason = isStopped ? 'stopped' : evidence.coverage < 1 ? 'incomplete' : 'no-data'
  const fact = { kind: 'not-watched', since: dataTo, reason, stable: record.stable.version } as const
  return decide(record, desk, { outcome: 'not-watched', rule: 'no-data', fact }, (same) => ({
    ...same,
    lostAt: since,
    holds: isHeldBy(same.holds, 'not-watched')
      ? same.holds
      : withHold(same.holds, { owner: 'not-watched', reason: 'no data came' }),
  }))
}
