import type { DecisionOut, LogTime, VersionId } from '@interlock/contracts'

/** What happened in one generation of a deployment, as recorded and as supposed, up to where the two part. */
export interface GenerationDiff {
  readonly generation: number
  readonly candidate: VersionId | null
  /** Decisions that both made, before the first that differs. */
  readonly alike: number
  /** The first decisions that differ; null on one side when it decided nothing more. Null when all are alike. */
  readonly parting: { readonly recorded: DecisionOut | null; readonly supposed: DecisionOut | null } | null
  /** The decision that stopped the version, if any. What is supposed counts only up to where the two part. */
  readonly stop: { readonly recorded: DecisionOut | null; readonly supposed: DecisionOut | null }
}

/**
 * Compares decisions by what they decided, by which rule and when, generation by generation. Behind the first that differs the
 * world would have gone another way, so the generation is not compared further; the first stop that is supposed is
 * named all the same, since it rests on evidence that was there.
 */
export function diffDecisions(
  recorded: readonly DecisionOut[],
  supposed: readonly DecisionOut[],
): readonly GenerationDiff[] {
  const generations = [...new Set([...recorded, ...supposed].map(({ generation }) => generation))].sort((a, b) => a - b)
  return generations.map((generation) => {
    const was = recorded.filter((one) => one.generation === generation)
    // Facts are recorded: behind the parting they follow orders that were never given in the supposed course.
    const isEcho = ({ rule }: DecisionOut): boolean =>
      rule === unknownOrderRule && !was.some((one) => one.rule === unknownOrderRule)
    const would = supposed.filter((one) => one.generation === generation && !isEcho(one))
    let alike = 0
    while (alike < was.length && alike < would.length && isAlike(was[alike]!, would[alike]!)) alike++
    const parts = alike < was.length || alike < would.length
    return {
      generation,
      candidate: [...was, ...would].find(({ after }) => after.candidate !== null)?.after.candidate ?? null,
      alike,
      parting: parts ? { recorded: was[alike] ?? null, supposed: would[alike] ?? null } : null,
      stop: { recorded: firstStop(was), supposed: firstStop(would) },
    }
  })
}

function isAlike(a: DecisionOut, b: DecisionOut): boolean {
  return a.outcome === b.outcome && a.rule === b.rule && a.at === b.at && a.by === b.by && a.text === b.text
}

/** Rule of the hold on a platform that follows an order which the record does not know. */
export const unknownOrderRule = 'unknown-order'

const stops: readonly DecisionOut['outcome'][] = ['halted', 'ramped-down', 'rolled-back', 'fell-back']

/** Traffic is moved against the version, or its rollout ended, whoever decided so. */
export function isStop({ outcome }: DecisionOut): boolean {
  return stops.includes(outcome)
}

function firstStop(decisions: readonly DecisionOut[]): DecisionOut | null {
  return decisions.find((one) => isStop(one) || one.outcome === 'data-incident') ?? null
}

/** How much later (negative: earlier) a version would have been stopped, ms; null unless both stopped it. */
export function stopDelay({ stop }: GenerationDiff): LogTime | null {
  return stop.recorded === null || stop.supposed === null ? null : stop.supposed.at - stop.recorded.at
}
