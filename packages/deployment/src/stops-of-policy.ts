import type { DecisionOut, EventTime, LogTime, VersionId } from '@interlock/contracts'
import { isStop } from './decision-diff.ts'
import { type GenerationVerdict, isOpening } from './verdict-of-record.ts'

/**
 * What a policy's rules did with a generation, held against what it turned out to be. `not-stopped`: rightly; `open`: it was not
 * stopped, and nothing is known of it; `not-begun`: under this policy the generation never began.
 */
export type Mark = 'true-stop' | 'false-stop' | 'missed' | 'unjudged-stop' | 'not-stopped' | 'open' | 'not-begun'

export interface MarkedGeneration {
  readonly generation: number
  readonly mark: Mark
  /** The first decision by which a rule stopped the version. */
  readonly stop: { readonly at: LogTime; readonly rule: string } | null
  /** From the onset that the stop's evidence names to the stop, ms; null without either. */
  readonly delayMs: number | null
  /** Answers of the version in the panes that begin within that time. */
  readonly answers: number | null
}

/** Stops of one policy over a record. */
export interface StopTally {
  readonly trueStops: number
  readonly falseStops: number
  readonly missed: number
  /** Stops of which nobody has said whether they were right. */
  readonly unjudged: number
  readonly notStopped: number
  readonly open: number
  readonly notBegun: number
  /** Over all stops that are not known to be false and name an onset; null where there is none. */
  readonly medianDelayMs: number | null
  readonly answers: number | null
}

/** Answers that a version gave in the panes that begin from one time up to another. */
export type AnswersBetween = (version: VersionId, from: EventTime, to: LogTime) => number

/**
 * Holds a policy's decisions against what each generation turned out to be. Only stops that rest on a rule's evidence are the
 * policy's; halts by hand, lapsed grants and the like are not.
 *
 * @param decisions those of the record, or those that are supposed
 */
export function markStops(
  verdicts: readonly GenerationVerdict[],
  decisions: readonly DecisionOut[],
  answersBetween: AnswersBetween,
): readonly MarkedGeneration[] {
  return verdicts.map((verdict) => {
    const { generation, version, truth, begunAt, saidAt } = verdict
    const own = decisions.filter((one) => one.generation === generation)
    if (begunAt !== null && !own.some(isOpening)) {
      return { generation, mark: 'not-begun', stop: null, delayMs: null, answers: null }
    }
    // A rule that speaks after a person has rolled back by hand has missed it.
    const stop = own.find((one) => isStop(one) && one.guardrail !== null && (saidAt === null || one.at <= saidAt))
    if (stop === undefined) return { generation, mark: left[truth], stop: null, delayMs: null, answers: null }
    const { at, rule } = stop
    const onset = stop.guardrail?.evidence.onset ?? null
    return {
      generation,
      mark: stopped[truth],
      stop: { at, rule },
      delayMs: onset === null ? null : at - onset.from,
      answers: onset === null ? null : answersBetween(version, onset.from, at),
    }
  })
}

const stopped = { harmful: 'true-stop', healthy: 'false-stop', unknown: 'unjudged-stop' } as const
const left = { harmful: 'missed', healthy: 'not-stopped', unknown: 'open' } as const

/** Counts the marks. False stops have no say in delay and answers: nothing had begun. */
export function tallyStops(marked: readonly MarkedGeneration[]): StopTally {
  const count = (mark: Mark): number => marked.filter((one) => one.mark === mark).length
  const timely = marked.filter(({ mark, delayMs }) => mark !== 'false-stop' && delayMs !== null)
  return {
    trueStops: count('true-stop'),
    falseStops: count('false-stop'),
    missed: count('missed'),
    unjudged: count('unjudged-stop'),
    notStopped: count('not-stopped'),
    open: count('open'),
    notBegun: count('not-begun'),
    medianDelayMs: median(timely.map(({ delayMs }) => delayMs ?? 0)),
    answers: timely.length === 0 ? null : timely.reduce((sum, { answers }) => sum + (answers ?? 0), 0),
  }
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return low === undefined || high === undefined ? null : (low + high) / 2
}
