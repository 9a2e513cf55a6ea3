import { unreachable } from '@interlock/contracts'
import type { ActionFact, RolloutFact } from './fact.ts'
import { because, type Message, message } from './message.ts'
import {
  capital,
  clock,
  count,
  duration,
  named,
  percent,
  person,
  quoted,
  version,
  type Words,
  words,
} from './phrases.ts'

/** The course of a rollout: who asked, what moved, what was refused. */
export function sayRollout(fact: RolloutFact): Message {
  switch (fact.kind) {
    case 'registered':
      return message(
        fact.kind,
        words`${quoted(fact.deployment)} is watched from now on; ${version(fact.version)} answers.`,
      )
    case 'approved':
      return message(fact.kind, words`${capital(fact.what)} was approved by ${person(fact.by)}.`)
    case 'refused':
      return message(
        `${fact.kind}.${fact.what}`,
        words`The ${fact.what} was refused: ${withoutStop(fact.check)}.`,
        because(fact.fix === '' ? null : capital(fact.fix)),
      )
    case 'rollout-started': {
      const started = words`The rollout of ${version(fact.candidate)} has started, in ${count(fact.stages)} stages.`
      const meanwhile = words`${version(fact.stable)} goes on answering meanwhile.`
      if (fact.asleepUntil === undefined) return message(fact.kind, started, meanwhile)
      const asleep = words`Its traffic is not known yet, and so not what its rules see: they sleep until it has ${count(fact.asleepUntil)} ${fact.rows ?? 'requests'}.`
      return message(`${fact.kind}.asleep`, started, meanwhile, asleep)
    }
    case 'shadow-started':
      return message(
        fact.kind,
        words`${version(fact.candidate)} sees a copy of the traffic; ${version(fact.stable)} still gives every answer.`,
      )
    case 'promoted':
      return message(
        fact.kind,
        words`${version(fact.candidate)} moves from ${percent(fact.from)} to ${percent(fact.to)} of the traffic: every gate is open and no limit is passed.`,
      )
    case 'completed':
      return message(
        fact.kind,
        words`${version(fact.candidate)} now answers everybody.`,
        words`${version(fact.stable)} stays ready in case it is needed.`,
      )
    case 'aborted':
      return message(
        fact.kind,
        words`The rollout of ${version(fact.candidate)} ended early: ${withoutStop(fact.reason)}.`,
      )
    case 'stage':
      return fact.shadow
        ? message(
            'stage.shadow',
            words`${version(fact.candidate)} runs in the shadow, stage ${count(fact.stage)} of ${count(fact.stages)}.`,
          )
        : message(
            'stage.share',
            words`${version(fact.candidate)} answers ${percent(fact.share)} of the traffic, stage ${count(fact.stage)} of ${count(fact.stages)}.`,
          )
    case 'steady':
      return fact.checked
        ? message('steady.checked', words`${version(fact.version)} gives all answers and has passed no limit.`)
        : message(
            'steady.unchecked',
            words`${version(fact.version)} gives all answers; there is not enough data yet to judge it.`,
          )
    default:
      return unreachable(fact)
  }
}

/** What was done about it: cause first, then the act. Only a verified act is told as done. */
export function sayAction(fact: ActionFact): Message {
  switch (fact.kind) {
    case 'held':
      return message(
        fact.candidate === null ? 'held.nothing' : 'held',
        because(fact.because),
        fact.candidate === null
          ? words`No new version is let in until this is clear${by(fact.by)}.`
          : words`${version(fact.candidate)} stays at ${percent(fact.share)} until this is clear${by(fact.by)}.`,
      )
    case 'held-early':
      return message(
        fact.candidate === null ? 'held-early.nothing' : 'held-early',
        because(fact.because),
        fact.candidate === null
          ? words`Not all is counted yet; no new version is let in until it is.`
          : words`Not all is counted yet; ${version(fact.candidate)} stays at ${percent(fact.share)} until it is.`,
      )
    case 'released':
      return message(
        fact.left === 0 ? 'released' : 'released.others',
        because(fact.because),
        fact.left === 0
          ? words`The hold is over${by(fact.by)}.`
          : words`One hold is over${by(fact.by)}; ${count(fact.left)} more ${fact.left === 1 ? 'stands' : 'stand'}.`,
      )
    case 'halted':
      return message(
        'halted',
        because(fact.because),
        fact.candidate === null
          ? words`Changes are stopped${by(fact.by)}; two people can start them again.`
          : words`The rollout is stopped at ${percent(fact.share)}${by(fact.by)}; two people can start it again.`,
      )
    case 'ramped-down':
      return message(
        'ramped-down',
        because(fact.because),
        words`${version(fact.candidate)} is led back to ${version(fact.stable)} step by step${by(fact.by)}; not verified yet.`,
      )
    case 'rolled-back':
      return message(
        'rolled-back',
        because(fact.because),
        words`${version(fact.from)} is being rolled back to ${version(fact.to)}${by(fact.by)}; not verified yet.`,
      )
    case 'fell-back':
      return message(
        'fell-back',
        because(fact.because),
        words`No model answers for now${by(fact.by)}: the fallback rule replaces ${version(fact.version)}.`,
      )
    case 'restored':
      return message(
        'restored',
        words`${person(fact.by)} and ${person(fact.second)} let ${version(fact.version)} answer again.`,
      )
    case 'verified':
      return verified(fact)
    case 'data-incident':
      return dataIncident(fact)
    case 'source-incident':
      return message(
        fact.candidate === null ? 'source-incident.nothing' : 'source-incident',
        because(fact.because),
        words`It all comes from source ${quoted(fact.source)} with ${percent(fact.traffic)} of the traffic, and no single source decides.`,
        fact.candidate === null
          ? words`Nothing new is let in until that is put right.`
          : words`${version(fact.candidate)} stays where it is until that is put right.`,
      )
    case 'expired':
      return message(
        'expired',
        words`${version(fact.candidate)} has not shown in ${duration(fact.maximumMs)} that it is safe.`,
        words`It stays at stage ${count(fact.stage)} until a person decides.`,
      )
    default:
      return unreachable(fact)
  }
}

const verifiedWords = {
  'roll-back': 'Rolled back to',
  promote: 'Moved traffic to',
  halt: 'Stopped at',
  'ramp-down': 'Led back to',
  'fall-back': 'Fell back from',
  restore: 'Restored',
} as const

function verified(fact: Extract<ActionFact, { kind: 'verified' }>): Message {
  const done = words`${verifiedWords[fact.what]} ${version(fact.version)} at ${clock(fact.at)}, ${duration(fact.afterMs)} after the decision.`
  const proof =
    fact.by === 'traffic'
      ? words`The router and its traffic confirm it.`
      : words`Only the router confirms it, for no traffic came.`
  const cost = fact.affected === null ? [] : words`${count(fact.affected)} answers were affected.`
  return message(`verified.${fact.what}.${fact.by}`, done, proof, cost)
}

function dataIncident(fact: Extract<ActionFact, { kind: 'data-incident' }>): Message {
  const held =
    fact.candidate === null ? words`nothing new is let in` : words`${version(fact.candidate)} stays where it is`
  const right = fact.source === null ? words`the data` : words`source ${quoted(fact.source)}`
  return message(
    fact.source === null ? 'data-incident' : 'data-incident.source',
    because(fact.because),
    words`All versions are hit, so a rollback would not help; ${held} until ${right} is put right.`,
  )
}

/** " (asked by anna)", or nothing where the machine did it. */
function by(who: string | null): Words {
  return who === null ? [] : words` (asked by ${person(who)})`
}

function withoutStop(text: string): Words {
  return words`${named(text.replace(/\.\s*$/, ''))}`
}
