import type { EventTime, Hash, LogTime, VersionId } from '@interlock/contracts'
import { type Act, acts, rankOf } from './answer.ts'

/** One policy's first answer of an act: about whom, when, by which rule, and why, in at most two sentences. */
export interface Given {
  readonly act: Act
  readonly version: VersionId
  readonly at: LogTime
  /** End of the pane that is answered. */
  readonly dataTo: EventTime
  readonly rule: string
  readonly because: string | null
  readonly evidence: Hash
}

export type Side = 'shadow' | 'in-force'

/** What a policy on trial and the policy in force answered in one generation. Plain JSON, at most one entry an act and side. */
export interface ShadowAnswers {
  readonly given: Readonly<Record<Side, readonly Given[]>>
  /** Acts of the policy in force that are told as its alone. */
  readonly told: readonly Act[]
}

/** Where the two part. */
export interface Parting {
  readonly by: Side
  readonly given: Given
  /** How long after the other side's same act, ms of event time; null where the other gave no answer as strong. */
  readonly afterMs: number | null
  /** The strongest that the other side asked for, where that was less. */
  readonly instead: Act | null
}

export const noAnswers: ShadowAnswers = { given: { shadow: [], 'in-force': [] }, told: [] }

/**
 * Takes the answers of both policies to one pane. A stronger act covers the milder ones: whoever rolled back needs no halt.
 *
 * Told is: an act that only the policy on trial asks for so far, at once; and the same act later than the other side's, with
 * the delay. An act of the policy in force alone is told by `inForceAlone`, since the other one may still follow.
 */
export function compareAnswers(
  before: ShadowAnswers,
  answers: Readonly<Record<Side, Given | null>>,
): { readonly after: ShadowAnswers; readonly partings: readonly Parting[] } {
  const news = {
    shadow: newsOf(before.given.shadow, answers.shadow),
    'in-force': newsOf(before.given['in-force'], answers['in-force']),
  }
  const given = {
    shadow: [...before.given.shadow, ...news.shadow],
    'in-force': [...before.given['in-force'], ...news['in-force']],
  }
  const partings = [
    ...news.shadow.flatMap((one) => partingOf('shadow', one, given['in-force'])),
    ...news['in-force'].flatMap((one) => partingOf('in-force', one, given.shadow)),
  ]
  return { after: { ...before, given }, partings }
}

/** The answer, where this side asked for nothing as strong before. */
function newsOf(given: readonly Given[], answer: Given | null): readonly Given[] {
  return answer === null || isCovered(given, answer.act) ? [] : [answer]
}

function partingOf(by: Side, given: Given, others: readonly Given[]): readonly Parting[] {
  const same = others.find(({ act }) => act === given.act)
  if (same !== undefined) {
    const afterMs = given.dataTo - same.dataTo
    return afterMs > 0 ? [{ by, given, afterMs, instead: null }] : []
  }
  if (by === 'in-force' || isCovered(others, given.act)) return []
  return [{ by, given, afterMs: null, instead: strongest(others) }]
}

/** The policy on trial can say no more: what the policy in force alone asked for, each act once. */
export function inForceAlone(before: ShadowAnswers): {
  readonly after: ShadowAnswers
  readonly partings: readonly Parting[]
} {
  const { shadow, 'in-force': inForce } = before.given
  const alone = inForce.filter(({ act }) => !before.told.includes(act) && !isCovered(shadow, act))
  const partings = alone.map((given): Parting => ({ by: 'in-force', given, afterMs: null, instead: strongest(shadow) }))
  return { after: { ...before, told: [...before.told, ...alone.map(({ act }) => act)] }, partings }
}

/** Whether something at least as strong was asked for. */
function isCovered(given: readonly Given[], act: Act): boolean {
  return given.some((one) => rankOf(one.act) >= rankOf(act))
}

function strongest(given: readonly Given[]): Act | null {
  return acts.findLast((act) => given.some((one) => one.act === act)) ?? null
}
