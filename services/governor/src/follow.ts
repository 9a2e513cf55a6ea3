import { compareOrders, type Fact, type LogTime, type Order, unreachable } from '@interlock/contracts'
import { advance, concerns, type ReadinessRecord, unknownOrderRule } from '@interlock/deployment'
import { fallBack, rollBack } from './act.ts'
import type { Desk } from './desk.ts'
import { hold, release } from './holding.ts'
import { delivered } from './pages.ts'
import { type DeploymentRecord, recordBounds } from './record.ts'
import { notActivated } from './retarget.ts'
import { observe, settle } from './settle.ts'
import { watch } from './watch.ts'

/**
 * Follows what an agent saw and did. Facts may be lost, doubled and out of order.
 *
 * @param at  log append time of the fact: how old it is, also when it waited in a backlog
 */
export function follow(record: DeploymentRecord, fact: Fact, at: LogTime, desk: Desk): DeploymentRecord {
  const seenAt = Math.max(at, record.agent?.seenAt ?? 0)
  const seen: DeploymentRecord = { ...record, agent: { seenAt, observed: record.agent?.observed ?? null } }
  // Panes that prove a change lie wholly after it: never before the fact was written, nor before it was taken.
  const appliedAt = Math.max(at, desk.time)
  switch (fact.kind) {
    case 'received':
      return adopt(seen, fact.order, desk, (same) => step(same, fact.order, 'received', desk.time))
    case 'progress':
      return adopt(seen, fact.order, desk, (same) => {
        const moved = step(same, fact.order, 'progress', desk.time)
        return settle(observe(moved, fact.observed, isAbout(moved, fact.order), appliedAt), desk)
      })
    case 'applied':
      return adopt(seen, fact.order, desk, (same) => {
        const moved = observe(
          step(same, fact.order, 'applied', appliedAt),
          fact.observed,
          isAbout(same, fact.order),
          appliedAt,
        )
        return settle(isRenewed(moved, fact.order) ? release(moved, desk, ['grant'], 'grant', null) : moved, desk)
      })
    case 'observed':
      if (fact.order === null) return settle(observe(seen, fact.observed, false, appliedAt), desk)
      return adopt(seen, fact.order, desk, (same) =>
        settle(observe(same, fact.observed, isAbout(same, fact.order as Order), appliedAt), desk),
      )
    case 'failed':
      return adopt(seen, fact.order, desk, (same) =>
        isAbout(same, fact.order) ? notActivated(same, desk, fact.reason) : same,
      )
    case 'lapsed':
      return adopt(seen, fact.order, desk, (same) => lapse(same, fact, desk))
    case 'readiness':
      return withReadiness(seen, fact, at)
    case 'delivered':
      // The notifier's word about an alert. It is not the agent, so the agent was not seen.
      return delivered(record, fact)
    default:
      return unreachable(fact)
  }
}

function isAbout(record: DeploymentRecord, order: Order): boolean {
  return record.command !== null && concerns(record.command, order)
}

function step(
  record: DeploymentRecord,
  order: Order,
  event: 'received' | 'progress' | 'applied',
  time: LogTime,
): DeploymentRecord {
  const { command } = record
  return command === null || !concerns(command, order) ? record : { ...record, command: advance(command, event, time) }
}

/**
 * A fact about a higher order than any that this record issued: the record was lost and built anew. Continue above that
 * order, and hold until a person has looked: what the platform does was decided by a past that is not known here.
 */
function adopt(
  record: DeploymentRecord,
  order: Order,
  desk: Desk,
  known: (record: DeploymentRecord) => DeploymentRecord,
): DeploymentRecord {
  if (compareOrders(order, record.order) <= 0) return known(record)
  const reason = 'the platform follows an order that this record does not know'
  const held = hold(record, desk, 'agent', reason, { rule: unknownOrderRule })
  // An order that leaves no room above it is no order of ours.
  if (order.some((part) => part > highestPart)) return held
  const adopted: DeploymentRecord = {
    ...held,
    order,
    command: held.command === null ? null : { ...held.command, state: 'superseded' },
  }
  const { watching } = adopted
  return watching === null ? adopted : watch(adopted, desk, watching.stable, watching.candidate)
}

const highestPart = 2 ** 40

function isRenewed(record: DeploymentRecord, order: Order): boolean {
  const { command } = record
  return command !== null && compareOrders(order, command.order) === 0
}

/** The agent acted alone because nobody renewed its grant. The record follows it: never less severe than the platform. */
function lapse(record: DeploymentRecord, fact: Extract<Fact, { kind: 'lapsed' }>, desk: Desk): DeploymentRecord {
  const { command } = record
  if (command === null || !concerns(command, fact.order)) return record
  const cause = { rule: 'grant-lapsed', because: 'The watch was lost, so the agent took traffic away by itself.' }
  if (fact.desired.fallback && !command.desired.fallback) return fallBack(record, desk, cause)
  // An agent that starts after the command was sent begins nothing without a live grant: it took nothing away from anybody.
  const hasBegun = command.times.applied !== undefined || record.agent?.observed?.candidate !== null
  if (fact.desired.candidate === null && command.desired.candidate !== null && hasBegun)
    return rollBack(record, desk, cause)
  const taken = advance(command, 'received', desk.time)
  const lapsed = { ...taken, times: { ...taken.times, lapsed: desk.time } }
  const reason = 'the agent has not heard from the watch for too long'
  return hold({ ...record, command: lapsed }, desk, 'grant', reason, { rule: 'grant-lapsed' })
}

function withReadiness(
  record: DeploymentRecord,
  { target, ready }: Extract<Fact, { kind: 'readiness' }>,
  at: LogTime,
): DeploymentRecord {
  const failed = ready.checks.find(({ ok }) => !ok)
  const detail = ready.ok ? '' : failed === undefined ? 'the agent says so' : `${failed.name}: ${failed.detail}`
  const entry: ReadinessRecord = { ok: ready.ok, at, detail }
  const all = Object.entries({ ...record.readiness, [target]: entry })
  all.sort(([a, x], [b, y]) => y.at - x.at || (a < b ? -1 : 1))
  return { ...record, readiness: Object.fromEntries(all.slice(0, recordBounds.readiness)) }
}
