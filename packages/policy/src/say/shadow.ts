import type { ShadowAct, ShadowFact } from './fact.ts'
import { because, type Message, message } from './message.ts'
import { clock, duration, version, type Words, words } from './phrases.ts'

/** What one of two policies asks for and the other does not. The one on trial only ever "would have". */
export function sayShadow(fact: ShadowFact): Message {
  const { by, act, at, afterMs, instead } = fact
  const kind = `${fact.kind}.${by}`
  const it = version(fact.version)
  const cause = because(fact.because)
  if (by === 'shadow') {
    const would = words`The policy on trial would have ${done[act]} ${it}`
    if (afterMs !== null) {
      return message(`${kind}.later`, cause, words`${would} too, ${duration(afterMs)} after the policy in force.`)
    }
    const other = instead === null ? words`did not` : words`only asked to ${todo[instead]} it`
    return message(`${kind}.alone`, cause, words`${would} at ${clock(at)}; the policy in force ${other}.`)
  }
  const asked = words`The policy in force asked to ${todo[act]} ${it}`
  if (afterMs !== null) {
    const later: Words = words`${asked}, ${duration(afterMs)} after the policy on trial would have.`
    return message(`${kind}.later`, cause, later)
  }
  const other = instead === null ? words`had no reason to` : words`would only have ${done[instead]} it`
  return message(`${kind}.alone`, cause, words`${asked} at ${clock(at)}; the policy on trial ${other}.`)
}

const done = {
  hold: 'held',
  halt: 'stopped',
  'ramp-down': 'led back',
  'roll-back': 'rolled back',
  'fall-back': 'fallen back from',
} as const satisfies Record<ShadowAct, string>

const todo = {
  hold: 'hold',
  halt: 'stop',
  'ramp-down': 'lead back',
  'roll-back': 'roll back',
  'fall-back': 'fall back from',
} as const satisfies Record<ShadowAct, string>
