import type { DecisionOut, LogTime, VersionId } from '@interlock/contracts'
import { isStop } from './decision-diff.ts'

/**
 * What the record knows of a generation's version once it is over:
 *
 * - `rolled-back-by-person`: a person rolled it back by hand;
 * - `left-stopped`: a rule rolled it back, and people went on with another version instead of restoring it;
 * - `restored`: two people took up again what was stopped;
 * - `serves-on`: it answers everybody, and nothing stopped it up to the end of the record, or until another version came;
 * - `not-judged`: it was stopped, and the record ends before anybody said whether rightly;
 * - `not-through`: neither stopped nor promoted to everybody.
 */
export type VerdictReason =
  | 'rolled-back-by-person'
  | 'left-stopped'
  | 'restored'
  | 'serves-on'
  | 'not-judged'
  | 'not-through'

export interface GenerationVerdict {
  readonly generation: number
  readonly version: VersionId
  readonly truth: 'harmful' | 'healthy' | 'unknown'
  readonly because: VerdictReason
  /** When it began; null where that lies before the record. */
  readonly begunAt: LogTime | null
  /** When it was first stopped, by whomever, or the next one began; null where neither is recorded. */
  readonly endedAt: LogTime | null
  /** When people said so by what they did; null where nobody did. A stop after it tells nothing new. */
  readonly saidAt: LogTime | null
}

/** What people said of a version by what they did, and where in the record. */
interface Word {
  readonly because: 'rolled-back-by-person' | 'left-stopped' | 'restored'
  readonly place: number
  readonly at: LogTime
}

/** One version from its rollout on, through the generations in which it was restored. */
interface Course {
  readonly version: VersionId
  /** A rule rolled it back, and nobody has said a word about it since. */
  isRolledBack: boolean
  word: Word | null
}

interface Generation {
  readonly generation: number
  readonly course: Course
  readonly opening: number
  readonly begunAt: LogTime | null
  stop: number | null
  endedAt: LogTime | null
  isSteady: boolean
}

/**
 * What each generation of one deployment turned out to be, by the newest thing that people did about its version. Evidence has
 * no say here: whether a rule was right cannot be told by the rule.
 *
 * People may restore what they have repaired, and roll back for reasons of their own: it is their word all the same.
 *
 * @param recorded every decision of the deployment, in the order of the record
 * @returns by generation, those of which no version is known left out
 */
export function verdictsOf(recorded: readonly DecisionOut[]): readonly GenerationVerdict[] {
  const generations = new Map<number, Generation>()
  const courses = new Map<VersionId, Course>()
  for (const [place, decision] of recorded.entries()) {
    const { outcome, generation, guardrail, at } = decision
    const about = wordAbout(decision)
    const spoken = about === null ? undefined : courses.get(about.version)
    if (about !== null && spoken !== undefined) {
      spoken.word = { because: about.because, place, at }
      spoken.isRolledBack = false
    }
    const version = versionIn(decision)
    if (!generations.has(generation) && version !== null) {
      if (outcome === 'rollout-started') leaveStopped(courses, place, at)
      for (const earlier of generations.values()) earlier.endedAt ??= at
      const known = outcome === 'restored' ? courses.get(version) : undefined
      const course = known ?? { version, isRolledBack: false, word: null }
      courses.set(version, course)
      const begunAt = isOpening(decision) ? at : null
      const begun = { generation, course, opening: place, begunAt }
      generations.set(generation, { ...begun, stop: null, endedAt: null, isSteady: false })
    }
    const one = generations.get(generation)
    if (one === undefined) continue
    one.isSteady = decision.after.phase === 'steady'
    if (!isStop(decision)) continue
    one.stop ??= place
    one.endedAt ??= at
    if (outcome === 'rolled-back' && guardrail !== null) one.course.isRolledBack = true
  }
  return [...generations.values()].sort((a, b) => a.generation - b.generation).map(verdictOf)
}

/** The decision that begins a generation. */
export function isOpening({ outcome }: DecisionOut): boolean {
  return outcome === 'rollout-started' || outcome === 'restored'
}

/** Whose generation it is. Once a version is rolled back the views name it no more. */
function versionIn({ generation, before, after }: DecisionOut): VersionId | null {
  const candidate = after.candidate ?? (before.generation === generation ? before.candidate : null)
  const isGone = after.phase === 'rolling-back' || after.phase === 'rolled-back'
  return candidate ?? (isGone ? null : after.stable)
}

function wordAbout({
  outcome,
  rule,
  guardrail,
  facts,
}: DecisionOut): { readonly version: VersionId; readonly because: Word['because'] } | null {
  if (outcome === 'restored') return { version: facts.version as VersionId, because: 'restored' }
  if (outcome !== 'rolled-back' || rule !== 'request' || guardrail !== null) return null
  return { version: facts.from as VersionId, because: 'rolled-back-by-person' }
}

/** Whoever rolls out another version had the choice to restore. */
function leaveStopped(courses: ReadonlyMap<VersionId, Course>, place: number, at: LogTime): void {
  for (const course of courses.values()) {
    if (!course.isRolledBack) continue
    course.word = { because: 'left-stopped', place, at }
    course.isRolledBack = false
  }
}

function verdictOf({ generation, course, opening, begunAt, endedAt, stop, isSteady }: Generation): GenerationVerdict {
  const { version, word } = course
  const known = { generation, version, begunAt, endedAt }
  // What was said before it began, or before it was stopped, is not said of it.
  if (word !== null && word.place > opening && word.place >= (stop ?? opening)) {
    const truth = word.because === 'restored' ? 'healthy' : 'harmful'
    return { ...known, truth, because: word.because, saidAt: word.at }
  }
  if (stop !== null) return { ...known, truth: 'unknown', because: 'not-judged', saidAt: null }
  return isSteady
    ? { ...known, truth: 'healthy', because: 'serves-on', saidAt: null }
    : { ...known, truth: 'unknown', because: 'not-through', saidAt: null }
}
