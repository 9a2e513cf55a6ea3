import { unreachable } from '@interlock/contracts'
import type { JudgedFact } from './fact.ts'
import { type Message, message } from './message.ts'
import { clock, count, duration, evidenceWords, named, quoted, version, type Words, words } from './phrases.ts'

/** Where a rule stands that is not (yet) past its limit. */
export function sayJudged(fact: JudgedFact): Message {
  switch (fact.kind) {
    case 'within-limit':
      return message(fact.kind, words`${version(fact.version)} is within its limit for ${named(fact.rule)}.`)
    case 'towards-limit':
      return message(
        fact.kind,
        words`${version(fact.version)} is moving towards its limit for ${named(fact.rule)}.`,
        words`There is ${evidenceWords(fact.progress)} to act.`,
      )
    case 'early-warning':
      return message(
        fact.kind,
        words`${version(fact.version)} may pass its limit for ${named(fact.rule)} in about ${duration(fact.inMs)} (${spanOfTime(fact.lowMs, fact.highMs)}) if it goes on.`,
      )
    case 'not-enough-data':
      return message(
        fact.kind,
        words`Not enough data yet on ${named(fact.rule)} in ${version(fact.version)}: ${ofAbout(fact)}${ready(fact.readyInMs)}.`,
      )
    case 'gate-not-yet':
      return message(
        fact.kind,
        words`The gate for ${named(fact.rule)} is not open yet: ${ofAbout(fact)}.`,
        words`There is ${evidenceWords(fact.progress)} that ${version(fact.version)} is safe.`,
      )
    case 'gate-safe':
      return message(
        fact.kind,
        words`The gate for ${named(fact.rule)} is open: ${version(fact.version)} has shown that it is safe.`,
      )
    case 'rule-not-watched':
      return message(
        `${fact.kind}.${fact.reason}`,
        words`${version(fact.version)} is not watched for ${named(fact.rule)}${sinceMoment(fact.since)}, because ${silentReasons[fact.reason]}.`,
        words`Promotion is frozen.`,
      )
    case 'cause':
      return cause(fact)
    default:
      return unreachable(fact)
  }
}

/** Why data is not judged, as a clause. */
export const silentReasons = {
  'no-data': 'no data came',
  incomplete: 'part of the data is not there',
  late: 'the data comes too late',
  stopped: 'the watch has stopped',
} as const

/** " since 14:02 UTC", or nothing. */
export function sinceMoment(at: number | null): Words {
  return at === null ? [] : words` since ${clock(at)}`
}

function cause(fact: Extract<JudgedFact, { kind: 'cause' }>): Message {
  if (fact.scope === 'candidate') {
    return message(
      'cause.candidate',
      words`Only ${version(fact.candidate)} got worse${at(fact.since)}; ${version(fact.stable)} did not.`,
      words`A rollback should help.`,
    )
  }
  const head = words`Both versions got worse${at(fact.since)}.`
  if (fact.source === null) return message('cause.both', head, words`A rollback would not help.`)
  return message(
    'cause.both-source',
    head,
    words`A rollback would not help; the source ${quoted(fact.source)} is suspected.`,
  )
}

function at(moment: number | null): Words {
  return moment === null ? [] : words` at ${clock(moment)}`
}

function ofAbout({ n, needed }: { readonly n: number; readonly needed: number | null }): Words {
  return needed === null ? words`${count(n)} so far` : words`${count(n)} of about ${count(needed)}`
}

/** "25 to 70" where the unit is that of the second, else both with their units. */
function spanOfTime(lowMs: number, highMs: number): Words {
  const low = duration(lowMs)
  const high = duration(highMs)
  const [figure, unit] = low.text.split(' ')
  return high.text.endsWith(` ${unit}`)
    ? words`${named(figure ?? low.text)} to ${named(high.text)}`
    : words`${low} to ${high}`
}

function ready(ms: number | null): Words {
  return ms === null ? [] : words`, ready in about ${duration(ms)}`
}
