import { type LogTime, type Observed, severities } from '@interlock/contracts'
import {
  advance,
  type CommandRecord,
  type Expectation,
  escalate,
  provingRows,
  revised,
  severityOf,
  trafficSince,
  verify,
  weightsAgree,
} from '@interlock/deployment'
import type { Fact } from '@interlock/policy'
import { nextRampStep } from './act.ts'
import { issue, send } from './command.ts'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import { type DeploymentRecord, shareOf } from './record.ts'
import { startClock } from './rollout.ts'
import { watch } from './watch.ts'

/** What the standing command expects, in versions: the candidate is the one that is watched, leaving or not. */
function expectationOf(record: DeploymentRecord, command: CommandRecord): Expectation {
  const { watching, stable } = record
  const releases = [stable, watching?.stable ?? null, watching?.candidate ?? null, ...record.previous]
  const target = releases.find((release) => release?.digest === command.desired.target) ?? stable
  const candidate = releases.find((release) => release?.digest === command.desired.candidate) ?? null
  return { desired: command.desired, target: target.version, candidate: candidate?.version ?? null }
}

/**
 * Asks both independent eyes, the platform's weights and the count of who answers, whether the standing command is in
 * effect, and settles what waited for it.
 */
export function settle(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const started = startClock(record)
  const { command, agent } = started
  const appliedAt = command?.times.applied
  if (command === null || appliedAt === undefined) return started
  if (command.state !== 'applied' && command.state !== 'escalated') return started
  const expected = expectationOf(started, command)
  const seen = verify(expected, agent?.observed ?? null, started.served, appliedAt, desk.time)
  if (seen === 'waiting') return started
  const verifiedBy = seen === 'verified' ? 'traffic' : 'weights'
  const verified: CommandRecord = { ...advance(command, 'observed', desk.time), verifiedBy, escalation: null }
  return arrived({ ...started, command: verified }, verified, desk)
}

/** The command is verified: say so, and take the next step that waited for the proof. */
function arrived(record: DeploymentRecord, command: CommandRecord, desk: Desk): DeploymentRecord {
  const told = movesTraffic(record, command)
    ? decide(record, desk, {
        outcome: 'verified',
        rule: 'verification',
        fact: verifiedFact(record, command, desk),
      })
    : record
  switch (told.phase) {
    case 'rolling-back':
      return watch({ ...told, phase: 'rolled-back' }, desk, told.stable, null)
    case 'steady':
    case 'fallen-back':
      return told.watching?.candidate === null ? told : watch(told, desk, told.stable, null)
    case 'ramping-down':
      return nextRamp(told, desk)
    default:
      return told
  }
}

/** A shadow stage, and the announcement of a generation, move nobody: their proof opens the way and is no decision. */
function movesTraffic(record: DeploymentRecord, { what, desired }: CommandRecord): boolean {
  return what !== 'promote' || desired.shareMax > 0 || record.rollout === null
}

function nextRamp(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const { command, candidate } = record
  if (command === null || candidate === null) return record
  if (command.desired.candidate === null) {
    const suspended = { candidate, stageIndex: record.rollout?.clock.index ?? 0 }
    return watch({ ...record, candidate: null, rollout: null, suspended }, desk, record.stable, null)
  }
  const { decision } = command
  return issue(record, desk, {
    order: revised(record.order),
    what: 'ramp-down',
    desired: nextRampStep(record),
    decision,
  })
}

function verifiedFact(record: DeploymentRecord, command: CommandRecord, desk: Desk): Fact {
  const { desired, what } = command
  const expected = expectationOf(record, command)
  const version = what === 'promote' && expected.candidate !== null ? expected.candidate : expected.target
  return {
    kind: 'verified',
    what,
    version,
    at: desk.time,
    afterMs: desk.time - (command.times.issued ?? desk.time),
    affected: desired.candidate === null && what !== 'promote' ? affectedOf(record) : null,
    by: command.verifiedBy ?? 'weights',
  }
}

/** Answers that the version that is gone gave since the fault began: closed panes, then what is open. */
function affectedOf(record: DeploymentRecord): number | null {
  const { faultFrom, answered, watching } = record
  const gone = watching?.candidate?.version
  if (faultFrom === null || gone === undefined) return null
  const closed = answered.filter(({ pane }) => pane >= faultFrom)
  const last = answered.at(-1)?.pane ?? Number.NEGATIVE_INFINITY
  const open = record.served
    .filter(({ pane }) => pane >= faultFrom && pane > last)
    .flatMap(({ counts }) => counts.filter(({ version, variant }) => version === gone && variant !== 'shadow'))
  return [...closed, ...open].reduce((sum, { rows }) => sum + rows, 0)
}

/** Takes what the platform says of itself: a verified state that is no longer there does not stay "verified". */
export function observe(
  record: DeploymentRecord,
  observed: Observed,
  isCurrent: boolean,
  at: LogTime,
): DeploymentRecord {
  const seen: DeploymentRecord = { ...record, agent: { seenAt: record.agent?.seenAt ?? at, observed } }
  const { command } = seen
  if (command === null || !isCurrent) return seen
  const { disagrees, ...times } = command.times
  if (weightsAgree(command.desired, observed)) {
    const calm = disagrees === undefined ? command : { ...command, times }
    // The platform shows the ordered state under this order: that is an apply fact, whether or not one came.
    return { ...seen, command: advance(calm, 'applied', at) }
  }
  if (command.state !== 'verified' || disagrees !== undefined) return seen
  return { ...seen, command: { ...command, times: { ...times, disagrees: at } } }
}

/** Escalates the standing command: a page now, a severity 1 incident if nobody comes. */
export function escalateNow(
  record: DeploymentRecord,
  desk: Desk,
  event: 'exhausted' | 'overdue' | 'unseen' | 'disagrees' | 'failed',
  detail: string,
): DeploymentRecord {
  const { command } = record
  if (command === null) return record
  const escalated = escalate(command, event, detail, desk.time)
  if (escalated === command || escalated.escalation === null) return record
  const { reason } = escalated.escalation
  send(record, escalated, desk)
  const fact = escalatedFact(record, escalated, reason)
  return decide({ ...record, command: escalated }, desk, { outcome: 'escalated', rule: `command:${reason}`, fact })
}

export function escalatedFact(
  record: DeploymentRecord,
  command: CommandRecord,
  reason: NonNullable<CommandRecord['escalation']>['reason'],
): Fact {
  const gone = record.watching?.candidate?.version ?? record.stable.version
  const traffic = trafficSince(expectationOf(record, command), record.served, command.times.applied ?? 0)
  const isWithdrawal = severityOf(command.order) > severities.normal && shareOf(record) === 0
  const share = reason === 'disagrees' && isWithdrawal && traffic.rows > 0 ? traffic.share : null
  return { kind: 'escalated', what: command.what, reason, share, version: gone, sent: command.sent }
}

/** Why an applied command is not verified when its time is over: it disagrees, or nobody saw it. */
export function unprovenEvent(record: DeploymentRecord): 'disagrees' | 'unseen' {
  const { command, agent } = record
  if (command === null) return 'unseen'
  const traffic = trafficSince(expectationOf(record, command), record.served, command.times.applied ?? 0)
  const weights = agent?.observed
  const contradicted = traffic.rows >= provingRows && !traffic.agrees
  return contradicted || (weights != null && !weightsAgree(command.desired, weights)) ? 'disagrees' : 'unseen'
}
