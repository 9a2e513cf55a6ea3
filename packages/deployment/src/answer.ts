import type { Action } from '@interlock/contracts'
import type { Breach, Judged } from './judgement.ts'
import { remedies, type Scope, scopeOf } from './remedy.ts'

/** What a policy asks for beyond watching. */
export type Act = Exclude<Action, 'watch'>

/** Acts, the mildest first. */
export const acts = ['hold', 'halt', 'ramp-down', 'roll-back', 'fall-back'] as const satisfies readonly Act[]

/** A policy's answer to one closed pane. */
export interface Answer {
  readonly scope: Scope
  readonly act: Act
  /** Whether the owner of the data is called. */
  readonly incident: boolean
  /** The breach that is answered; it names the rule and the evidence. */
  readonly about: Breach
  /** All breaches that ask for an act, those of one small source included. */
  readonly breaches: readonly Breach[]
}

/** Would rollback help? Looks at all breaches of the pane together; null where none asks for an act. Knows nothing of brakes, holds and orders that stand. */
export function answerTo(breaches: readonly Breach[], judged: readonly Judged[]): Answer | null {
  const acting = breaches.filter(({ action }) => action !== 'watch')
  if (acting.length === 0) return null
  const scope = scopeOf(acting, judged)
  const about = scope === 'source' ? furthest(acting) : worst(acting, scope)
  const { action, incident } = remedies[scope][about.action as Act]
  return { scope, act: action, incident, about, breaches: acting }
}

function furthest(breaches: readonly Breach[]): Breach {
  return breaches.reduce((most, one) => (one.leading.progress > most.leading.progress ? one : most))
}

/** The breach with the strongest action, of the candidate's own where it has any. */
function worst(breaches: readonly Breach[], scope: Scope): Breach {
  const ofMany = breaches.filter(({ source }) => source === null)
  const ofCandidate = ofMany.filter(({ leading }) => leading.evidence.variant !== 'stable')
  const about = scope === 'common' || ofCandidate.length === 0 ? ofMany : ofCandidate
  return about.reduce((most, one) => (rankOf(one.action as Act) > rankOf(most.action as Act) ? one : most))
}

export function rankOf(act: Act): number {
  return acts.indexOf(act)
}
