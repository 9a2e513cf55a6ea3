import {
  type Command,
  type CommandState,
  compareOrders,
  type Desired,
  type Hash,
  type LogTime,
  type Order,
} from '@interlock/contracts'
import type { CommandWord } from './severity.ts'
import { type TransitionTable, transition } from './transition-table.ts'

/** What can happen to a command. The last five come from timers and checks, the others from facts and people. */
export type CommandEvent =
  | 'received'
  | 'progress'
  | 'applied'
  | 'failed'
  | 'outranked'
  | 'observed'
  | 'silent'
  | 'exhausted'
  | 'overdue'
  | 'unseen'
  | 'disagrees'

/**
 * docs/reliability.md §2. Facts may be lost, doubled and reordered: a later fact stands for the earlier ones
 * (`applied` without `received`), an earlier one after a later changes nothing.
 */
export const commandLifecycle = {
  issued: {
    received: 'received',
    progress: 'received',
    applied: 'applied',
    silent: 'issued',
    exhausted: 'escalated',
    failed: 'escalated',
    outranked: 'superseded',
  },
  received: {
    progress: 'received',
    applied: 'applied',
    overdue: 'escalated',
    failed: 'escalated',
    outranked: 'superseded',
  },
  applied: { observed: 'verified', unseen: 'escalated', disagrees: 'escalated', outranked: 'superseded' },
  verified: { disagrees: 'escalated', outranked: 'superseded' },
  escalated: { observed: 'verified', outranked: 'superseded' },
  superseded: {},
  rejected: {},
} as const satisfies TransitionTable<CommandState, CommandEvent>

/** Waits before the command is sent again; the last one ends in escalation: 30 s and 5 sends in all. */
export const resendAfterMs = [2_000, 4_000, 8_000, 8_000, 8_000] as const
/** RECEIVED without APPLIED; each progress fact renews it, up to `applyCapMs` after the issue. */
export const applyWithinMs = 60_000
export const applyCapMs = 300_000
/** APPLIED without an independent observation that agrees; also how long a verified state may disagree. */
export const observeWithinMs = 30_000
/** From the first escalation (page, second path) to the second (severity 1 incident). */
export const escalateAgainAfterMs = 60_000
/** While it is stuck it is sent again so often, by both paths: an agent that comes back at last finds it. */
export const resendStuckAfterMs = 60_000

export type Escalation = 'not-received' | 'not-applied' | 'disagrees' | 'not-observed'

/** The command that a deployment's platform shall follow now, and how far it came. Plain JSON. */
export interface CommandRecord {
  /** Order at the first issue of this desired state, and the highest: renewals of a grant raise it. */
  readonly first: Order
  readonly order: Order
  readonly what: CommandWord
  readonly desired: Desired
  readonly grant: Command['grant']
  readonly decision: Hash
  readonly policy: Hash
  readonly state: CommandState
  /** Times that it was sent. */
  readonly sent: number
  readonly escalation: { readonly reason: Escalation; readonly level: 1 | 2; readonly detail: string } | null
  readonly verifiedBy: 'traffic' | 'weights' | null
  /** Log times: `issued`, `sent`, `progress`, `received`, `applied`, `verified`, `escalated`, `renewed`, `disagrees`. */
  readonly times: Readonly<Record<string, LogTime>>
}

/** A fact is about this command when its order lies between the first issue and the last renewal. */
export function concerns(command: CommandRecord, order: Order): boolean {
  return compareOrders(order, command.first) >= 0 && compareOrders(order, command.order) <= 0
}

/**
 * Moves the command by one event. Times keep the first occurrence, so duplicates change nothing.
 *
 * @returns the same record where the table refuses the event.
 */
export function advance(command: CommandRecord, event: CommandEvent, time: LogTime): CommandRecord {
  const state = transition<CommandState, CommandEvent>(commandLifecycle, command.state, event)
  const times: Record<string, LogTime> = { ...command.times }
  if (event === 'received' || event === 'applied') times[event] ??= time
  if (event === 'progress' && state !== undefined) times.progress = time
  if (state === undefined) return times[event] === command.times[event] ? command : { ...command, times }
  if (state !== command.state) times[state] ??= time
  return { ...command, state, times }
}

/** Escalates, or leaves the command as it is where the table has no such way. */
export function escalate(
  command: CommandRecord,
  event: 'exhausted' | 'overdue' | 'unseen' | 'disagrees' | 'failed',
  detail: string,
  time: LogTime,
): CommandRecord {
  const next = advance(command, event, time)
  if (next.state !== 'escalated' || command.state === 'escalated') return command
  return {
    ...next,
    escalation: { reason: escalationOf[event], level: 1, detail },
    times: { ...next.times, escalated: time },
  }
}

const escalationOf = {
  exhausted: 'not-received',
  overdue: 'not-applied',
  failed: 'not-applied',
  unseen: 'not-observed',
  disagrees: 'disagrees',
} as const satisfies Record<string, Escalation>

/** What the clock of the log asks for now: to send it again, an event for the table, or the second escalation. */
export function due(
  command: CommandRecord,
  time: LogTime,
): 'silent' | 'exhausted' | 'overdue' | 'unseen' | 'again' | 'stuck' | null {
  const since = (name: string): number => time - (command.times[name] ?? command.times.issued ?? time)
  switch (command.state) {
    case 'issued': {
      const wait = resendAfterMs[command.sent - 1] ?? 0
      if (since('sent') < wait) return null
      return command.sent < resendAfterMs.length ? 'silent' : 'exhausted'
    }
    case 'received': {
      const last = Math.max(command.times.received ?? 0, command.times.progress ?? 0, command.times.issued ?? 0)
      return time - last >= applyWithinMs || since('issued') >= applyCapMs ? 'overdue' : null
    }
    case 'applied':
      return since('applied') >= observeWithinMs ? 'unseen' : null
    case 'escalated':
      if (command.escalation?.level === 1) return since('escalated') >= escalateAgainAfterMs ? 'again' : null
      return since('sent') >= resendStuckAfterMs ? 'stuck' : null
    default:
      return null
  }
}
