import type {
  AnyOut,
  DecisionOut,
  DeploymentId,
  EventTime,
  LogTime,
  Policy,
  PolicyDocument,
  Processor,
  VersionId,
} from '@interlock/contracts'
import {
  type AnswersBetween,
  diffDecisions,
  type GenerationDiff,
  type GenerationVerdict,
  type MarkedGeneration,
  markStops,
  type StopTally,
  tallyStops,
  verdictsOf,
} from '@interlock/deployment'
import { type GovernorState, type SupposedState, supposePolicies } from '@interlock/governor'
import { type EventLog, type SupposedShard, supposableSpan, suppose } from '@interlock/runtime'

export interface CompareOptions {
  readonly log: EventLog
  /** Evaluator, governor and fleet. */
  readonly shards: readonly SupposedShard[]
  readonly deployment: DeploymentId
  /** Recorded policies, and what is supposed in place of each; with none, what this code would have decided. */
  readonly replaced: readonly { readonly document: PolicyDocument; readonly supposed: Policy }[]
  /** How far back from the newest entry, ms. */
  readonly backMs: number
}

/** What a policy's rules did, generation by generation, against what each turned out to be. */
export interface Judged {
  readonly marks: readonly MarkedGeneration[]
  readonly tally: StopTally
}

export interface Backtested {
  readonly deployment: DeploymentId
  /** From when to when decisions are supposed; `from` is null where that is the log's beginning. */
  readonly from: LogTime | null
  readonly to: LogTime
  readonly entries: number
  /** Entries of which one byte or more differs. */
  readonly differing: number
  readonly generations: readonly GenerationDiff[]
  readonly verdicts: readonly GenerationVerdict[]
  readonly recorded: Judged
  readonly supposed: Judged
}

/** Makes a record again under other policies, and holds both courses against what the record knows by its end. */
export async function compareCourses({
  log,
  shards,
  deployment,
  replaced,
  backMs,
}: CompareOptions): Promise<{ readonly found: Backtested; readonly answersBetween: AnswersBetween }> {
  const span = await supposableSpan({ log, shards })
  const since = Math.max(span.from, span.to - backMs)
  const others = replaced.length === 0 ? shards : shards.map((one) => underOther(one, replaced, since))
  const recorded: DecisionOut[] = []
  const supposed: DecisionOut[] = []
  /** Answers of each version by pane, as the evaluator counted them. */
  const answers = new Map<VersionId, Map<EventTime, number>>()
  const decisions = (outs: readonly AnyOut[]): readonly DecisionOut[] =>
    outs.filter((one): one is DecisionOut => one.kind === 'decision' && one.deployment === deployment)
  let entries = 0
  let differing = 0
  let isWhole = span.from === 0
  for await (const one of suppose({ log, shards: others, ...(since === 0 ? {} : { since }) })) {
    if (one.at < since) isWhole = false
    else {
      entries += 1
      if (!one.isSame) differing += 1
    }
    recorded.push(...decisions(one.recorded))
    supposed.push(...decisions(one.supposed))
    for (const each of one.recorded) {
      if (each.kind !== 'evidence' || each.deployment !== deployment) continue
      for (const { version, variant, rows } of each.summaries) {
        if (variant === 'shadow') continue
        const panes = answers.get(version) ?? new Map<EventTime, number>()
        answers.set(version, panes.set(each.pane, rows))
      }
    }
  }
  const answersBetween: AnswersBetween = (version, from, to) =>
    [...(answers.get(version) ?? [])].reduce((sum, [pane, rows]) => (pane >= from && pane < to ? sum + rows : sum), 0)
  const isWithin = ({ at }: DecisionOut): boolean => at >= since
  const verdicts = verdictsOf(recorded).filter(({ endedAt }) => endedAt === null || endedAt >= since)
  const judge = (made: readonly DecisionOut[]): Judged => {
    const marks = markStops(verdicts, made, answersBetween)
    return { marks, tally: tallyStops(marks) }
  }
  const generations = diffDecisions(recorded.filter(isWithin), supposed.filter(isWithin))
  return {
    found: {
      deployment,
      from: isWhole ? null : since,
      to: span.to,
      entries,
      differing,
      generations,
      verdicts,
      recorded: judge(recorded),
      supposed: judge(supposed),
    },
    answersBetween,
  }
}

/** The shard as it would have been under the other policy; only a governor holds policies. */
function underOther(
  recorded: SupposedShard,
  replaced: readonly { readonly document: PolicyDocument; readonly supposed: Policy }[],
  since: LogTime,
): SupposedShard {
  if (recorded.processor.name !== 'governor') return recorded
  const { processor, rejoin } = supposePolicies(recorded.processor as Processor<GovernorState>, replaced, since)
  return {
    shard: recorded.shard,
    processor: processor as Processor<unknown>,
    record: {
      processor: recorded.processor,
      rejoin: (state, before, after) => rejoin(state as SupposedState, before as GovernorState, after as GovernorState),
    },
  }
}
