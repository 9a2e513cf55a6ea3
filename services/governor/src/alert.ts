import type { AlertOut, Attention, DecisionKind, DecisionOut, LogTime } from '@interlock/contracts'
import { isProbe, severities } from '@interlock/contracts'
import { severityOf } from '@interlock/deployment'
import { type Fact, say } from '@interlock/policy'
import { machine } from './desk.ts'
import { type DeploymentRecord, provisionalOwner, shareOf } from './record.ts'

/** What an alert is about; a later alert about the same thing resolves or replaces the earlier one. */
type Topic = 'command' | 'hold' | 'watch' | 'ledger'

type AlertRule = { readonly topic: Topic; readonly attention: Attention; readonly ends: boolean }

/** Decisions that people are told of. Absent: on the page and in the timeline only. */
const alertRules: Readonly<Partial<Record<DecisionKind, AlertRule>>> = {
  held: { topic: 'hold', attention: 'watch', ends: false },
  'data-incident': { topic: 'hold', attention: 'act-now', ends: false },
  released: { topic: 'hold', attention: 'healthy', ends: true },
  halted: { topic: 'command', attention: 'act-now', ends: false },
  'ramped-down': { topic: 'command', attention: 'act-now', ends: false },
  'rolled-back': { topic: 'command', attention: 'act-now', ends: false },
  'fell-back': { topic: 'command', attention: 'act-now', ends: false },
  escalated: { topic: 'command', attention: 'act-now', ends: false },
  verified: { topic: 'command', attention: 'handled', ends: true },
  restored: { topic: 'command', attention: 'watch', ends: true },
  'not-watched': { topic: 'watch', attention: 'not-watched', ends: false },
  'ledger-behind': { topic: 'ledger', attention: 'act-now', ends: false },
  'watched-again': { topic: 'watch', attention: 'watch', ends: true },
}

/** The alert of a decision and the alerts that are open after it; null where nobody is told. */
export function alertFor(
  record: DeploymentRecord,
  decision: DecisionOut,
  time: LogTime,
): { readonly out: AlertOut; readonly open: DeploymentRecord['openAlerts'] } | null {
  const rule = alertRules[decision.outcome]
  if (rule === undefined || decision.rule === 'fleet') return null
  // It breaches by design; of its silence the watchers tell people.
  if (isProbe(record.deployment)) return null
  // Within a pane or two it is a breach, of which people are told, or it was nothing.
  if (decision.outcome === 'held' && decision.rule.startsWith(`${provisionalOwner}:`)) return null
  const resolves = record.openAlerts[rule.topic] ?? null
  // The end of something that nobody was told of is no news: a verified promotion, a person's own hold.
  if (rule.ends && resolves === null) return null
  const id = `${record.deployment}/${decision.sequence}`
  const { [rule.topic]: _, ...others } = record.openAlerts
  const isOver = rule.ends && (rule.topic !== 'hold' || record.holds.length === 0)
  const kept = resolves === null || isOver ? others : { ...others, [rule.topic]: resolves }
  const waitsForPerson =
    decision.rule.startsWith('brake') || decision.rule === 'no-target' || decision.rule === 'keyset'
  return {
    out: {
      kind: 'alert',
      id,
      deployment: record.deployment,
      at: time,
      attention: waitsForPerson ? 'act-now' : rule.attention,
      sentence: decision.text,
      done: say(doneBy(record, decision)).text,
      asked: say(askedBy(record, decision)).text,
      decision: decision.id,
      resolves: isOver ? resolves : null,
    },
    open: rule.ends ? kept : { ...others, [rule.topic]: id },
  }
}

function doneBy(record: DeploymentRecord, decision: DecisionOut): Fact {
  const command = record.command
  const isCommand = alertRules[decision.outcome]?.topic === 'command'
  if (isCommand && command !== null) {
    return { kind: 'command', what: command.what, state: command.state, sent: command.sent }
  }
  if (decision.outcome === 'released' || decision.outcome === 'watched-again') {
    const left = record.holds.length
    return { kind: 'released', by: decision.by === machine ? null : decision.by, because: null, left }
  }
  return { kind: 'held', candidate: record.candidate?.version ?? null, share: shareOf(record), by: null, because: null }
}

function askedBy(record: DeploymentRecord, decision: DecisionOut): Fact {
  const candidate = record.candidate?.version ?? null
  const gone = decision.before.candidate ?? decision.before.stable ?? record.stable.version
  switch (decision.outcome) {
    case 'rolled-back':
    case 'ramped-down':
    case 'fell-back':
      return { kind: 'asked-review', version: gone }
    case 'verified': {
      const left = record.watching?.candidate?.version ?? record.rolledBack.at(-1)
      const reviewed = severityOf(record.order) > severities.halt && left !== undefined
      return reviewed ? { kind: 'asked-review', version: left } : { kind: 'asked-nothing' }
    }
    case 'escalated':
      return { kind: 'asked-router', version: record.watching?.candidate?.version ?? gone }
    case 'data-incident':
      return { kind: 'asked-data', source: record.incident?.source ?? null }
    case 'not-watched':
      return { kind: 'asked-data-flow' }
    case 'ledger-behind':
      return { kind: 'asked-ledger' }
    case 'held':
    case 'halted':
      if (decision.rule === 'keyset') return { kind: 'asked-keys' }
      return candidate === null ? { kind: 'asked-nothing' } : { kind: 'asked-decision', candidate }
    default:
      return { kind: 'asked-nothing' }
  }
}
