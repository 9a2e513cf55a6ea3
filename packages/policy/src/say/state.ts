import { unreachable } from '@interlock/contracts'
import type { CommandFact, HelpFact, WatchFact } from './fact.ts'
import { silentReasons, sinceMoment } from './judged.ts'
import { type Message, message } from './message.ts'
import { count, duration, named, percent, quoted, version, words } from './phrases.ts'

/** Whether it is watched, and by which engines. */
export function sayWatch(fact: WatchFact): Message {
  switch (fact.kind) {
    case 'not-watched':
      return message(
        `${fact.kind}.${fact.reason}`,
        fact.stable === null
          ? words`Not watched${sinceMoment(fact.since)}, because ${silentReasons[fact.reason]}.`
          : words`${version(fact.stable)} is not watched${sinceMoment(fact.since)}, because ${silentReasons[fact.reason]}.`,
        words`Promotion is frozen.`,
      )
    case 'watched-again':
      return message(fact.kind, words`It is watched again, after ${duration(fact.gapMs)} without data.`)
    case 'engine':
      return message(
        `${fact.kind}.${fact.engine}.${fact.state}`,
        fact.detail === ''
          ? words`${engineNames[fact.engine]} ${engineStates[fact.state]}.`
          : words`${engineNames[fact.engine]} ${engineStates[fact.state]}: ${named(fact.detail.replace(/\.\s*$/, ''))}.`,
      )
    case 'brake':
      return message(
        fact.source === null ? fact.kind : 'brake.source',
        words`${count(fact.deployments)} deployments want to roll back at once, so shared data is suspected.`,
        fact.source === null
          ? words`Promotions are frozen.`
          : words`Promotions are frozen; look at the source ${quoted(fact.source)}.`,
      )
    case 'ledger-behind':
      return message(
        fact.kind,
        words`Decisions have not been written to the ledger${sinceMoment(fact.since)}.`,
        words`They hold all the same, but no restore is carried out until it moves again.`,
      )
    case 'ledger-caught-up':
      return message(fact.kind, words`The ledger takes decisions again.`)
    case 'keyset-expired':
      return message(
        fact.kind,
        words`The list of keys has run out.`,
        words`Only a hold, a halt and a rollback are taken until there is a new one.`,
      )
    default:
      return unreachable(fact)
  }
}

const engineNames = {
  technical: 'The check of the way back',
  approvals: 'The check of approvals',
  observability: 'The watch on the data',
} as const

const engineStates = {
  ok: 'is in order',
  missing: 'has not reported',
  stale: 'is out of date',
  failed: 'has failed',
} as const

const acts = {
  promote: 'move more traffic',
  hold: 'hold',
  halt: 'stop',
  'ramp-down': 'lead back',
  'roll-back': 'roll back',
  'fall-back': 'fall back',
  restore: 'restore',
} as const

/** How far a command came, and why nothing moves. */
export function sayCommand(fact: CommandFact): Message {
  switch (fact.kind) {
    case 'command':
      return message(
        `${fact.kind}.${fact.state}`,
        words`The order to ${acts[fact.what]} ${commandStates[fact.state]}${resent(fact)}.`,
      )
    case 'escalated':
      return message(
        `${fact.kind}.${fact.reason}`,
        words`The order to ${acts[fact.what]} ${escalations[fact.reason]}${fact.reason === 'not-received' ? words` after ${count(fact.sent)} ${fact.sent === 1 ? 'try' : 'tries'}` : ''}.`,
        fact.share === null ? [] : words`${percent(fact.share)} of the traffic still reaches ${version(fact.version)}.`,
        words`A person is needed now.`,
      )
    case 'waits-for-rows':
      return message(
        fact.kind,
        words`The stage needs more ${fact.rows}: ${count(fact.n)} of ${count(fact.needed)} so far.`,
      )
    case 'waits-for-time':
      return message(fact.kind, words`The stage lasts ${duration(fact.leftMs)} more at least.`)
    case 'waits-for-counting':
      return message(fact.kind, words`The counting of the new version is not ready everywhere yet.`)
    case 'waits-for-hold':
      return message(fact.kind, words`${named(fact.owner)} holds it: ${named(fact.reason.replace(/\.\s*$/, ''))}.`)
    case 'waits-for-approval':
      return message(fact.kind, words`A second person has to approve ${fact.what}.`)
    case 'waits-for-readiness':
      return message(
        fact.kind,
        fact.check === null
          ? words`The way back to ${version(fact.version)} is not proven yet.`
          : words`The way back to ${version(fact.version)} is not ready: ${named(fact.check)}.`,
      )
    case 'waits-for-command':
      return message(fact.kind, words`The last order ${commandStates[fact.state]}; the next one waits for its proof.`)
    case 'waits-for-guard':
      return message(fact.kind, words`The limit for ${named(fact.rule)} is passed.`)
    default:
      return unreachable(fact)
  }
}

const commandStates = {
  issued: 'is sent',
  received: 'is received',
  applied: 'is carried out, not verified yet',
  verified: 'is carried out and verified',
  escalated: 'is stuck and needs a person',
  superseded: 'was replaced by a newer one',
  rejected: 'was rejected',
} as const

const escalations = {
  'not-received': 'was not received',
  'not-applied': 'was received but is not carried out',
  disagrees: 'was reported done, but the traffic says no',
  'not-observed': 'was reported done, but nobody else saw it',
} as const

function resent(fact: Extract<CommandFact, { kind: 'command' }>): string {
  return fact.state === 'issued' && fact.sent > 1 ? ` again, try ${fact.sent}` : ''
}

/** What is asked of the reader. */
export function sayHelp(fact: HelpFact): Message {
  switch (fact.kind) {
    case 'asked-nothing':
      return message(fact.kind, words`Nothing is asked of you.`)
    case 'asked-review':
      return message(fact.kind, words`Find out why ${version(fact.version)} failed before it is tried again.`)
    case 'asked-data':
      return message(
        fact.kind,
        fact.source === null
          ? words`Ask the owners of the shared data what changed.`
          : words`Ask the owner of ${quoted(fact.source)} what changed.`,
      )
    case 'asked-router':
      return message(fact.kind, words`Check the router and take ${version(fact.version)} out by hand if you must.`)
    case 'asked-data-flow':
      return message(fact.kind, words`Find out why no data arrives.`)
    case 'asked-ledger':
      return message(fact.kind, words`Find out why the fleet process does not move.`)
    case 'asked-keys':
      return message(fact.kind, words`Ask whoever holds the root key for a new list of keys.`)
    case 'asked-decision':
      return message(fact.kind, words`Decide whether ${version(fact.candidate)} goes on or goes back.`)
    default:
      return unreachable(fact)
  }
}
