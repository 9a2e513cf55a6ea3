import type {
  AnyOut,
  DecisionOut,
  DeploymentId,
  EventTime,
  PolicyDocument,
  Processor,
  VersionId,
} from '@interlock/contracts'
import { contentHash, topics, verifyRequest } from '@interlock/contracts'
import { diffDecisions, type GenerationDiff, stopDelay } from '@interlock/deployment'
import { type GovernorState, supposePolicies } from '@interlock/governor'
import { type EventLog, type SupposedShard, suppose } from '@interlock/runtime'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { publicKeys } from '../parts/keys.ts'
import { openLog } from '../parts/log.ts'
import { processors } from '../parts/processors.ts'
import { clock, count, shortVersion } from '../words.ts'
import { soundPolicy } from './policy.ts'

export interface BacktestOptions {
  readonly deployment: DeploymentId
  /** Without a file the policies stay as they were: shows what other code would have decided. */
  readonly policy?: string
}

/** Answers of each version by pane, as the evaluator counted them. */
type Answers = ReadonlyMap<VersionId, ReadonlyMap<EventTime, number>>

/**
 * `interlock policy backtest`: every recorded decision of a deployment beside what would have been decided on the very
 * same counts, requests and facts. Reads the log, starts nothing. Exit 1 when something differs.
 */
export async function backtest(config: Config, { deployment, policy }: BacktestOptions, out: Output): Promise<number> {
  const { log, shards: numbers } = await openLog(config, 'backtest')
  try {
    const keys = await publicKeys(config)
    const supposed = policy === undefined ? null : soundPolicy(policy)
    const recordedPolicies = supposed === null ? [] : await policiesOf(log, deployment, keys.keyset.keys)
    if (supposed !== null && recordedPolicies.length === 0) {
      throw new UsageError(`no policy of "${deployment}" lies in this log: nobody sent one.`)
    }
    const plan = { config, deployments: readDeployments(config), shards: numbers, eventPartitions: new Map() }
    const shards = processors(plan, keys.rootKey)
      .filter(({ name }) => name !== 'profiler')
      .flatMap(({ name, run, shards: count }) =>
        Array.from({ length: count }, (_, shard): SupposedShard => {
          const processor = run((one) => one as Processor<unknown>)
          if (name !== 'governor' || supposed === null) return { shard, processor }
          const replaced = recordedPolicies.map((document) => ({ document, supposed }))
          const other = supposePolicies(processor as Processor<GovernorState>, replaced)
          return { shard, processor: other as Processor<unknown> }
        }),
      )
    const found = await compare(log, shards, deployment)
    out.result({ deployment, ...found, answers: undefined }, describe(deployment, found))
    return found.generations.some(({ parting }) => parting !== null) ? exitCodes.breachOrRefused : exitCodes.good
  } finally {
    await log.close()
  }
}

interface Found {
  readonly entries: number
  /** Entries of which one byte or more differs. */
  readonly differing: number
  readonly generations: readonly GenerationDiff[]
  readonly answers: Answers
}

async function compare(log: EventLog, shards: readonly SupposedShard[], deployment: DeploymentId): Promise<Found> {
  const recorded: DecisionOut[] = []
  const supposed: DecisionOut[] = []
  const answers = new Map<VersionId, Map<EventTime, number>>()
  const decisions = (outs: readonly AnyOut[]): readonly DecisionOut[] =>
    outs.filter((one): one is DecisionOut => one.kind === 'decision' && one.deployment === deployment)
  let entries = 0
  let differing = 0
  for await (const one of suppose({ log, shards })) {
    entries += 1
    if (!one.isSame) differing += 1
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
  return { entries, differing, generations: diffDecisions(recorded, supposed), answers }
}

/** Every policy document that people sent for a deployment, but for those that were only ever on trial: they decided nothing. */
async function policiesOf(
  log: EventLog,
  deployment: DeploymentId,
  keys: Parameters<typeof verifyRequest>[1],
): Promise<readonly PolicyDocument[]> {
  const found = new Map<string, PolicyDocument>()
  const tried = new Set<string>()
  const guarding = new Set<string>()
  for (let partition = 0; partition < (await log.partitions(topics.requests)); partition++) {
    const { begin, end } = await log.bounds(topics.requests, partition)
    for await (const { records } of log.read({ topic: topics.requests, partition, from: begin, to: end })) {
      for (const { key, value } of records) {
        if (value === null || key === null || Buffer.from(key).toString('utf8') !== deployment) continue
        const verified = verifyRequest(value, keys)
        if (!verified.ok) continue
        const { request } = verified.value
        if (request.kind === 'approve') guarding.add(request.object)
        if (request.kind === 'rollout') {
          guarding.add(request.policy)
          if (request.shadow !== undefined) tried.add(request.shadow)
        }
        if (request.kind !== 'document') continue
        const { document } = request
        if (document.kind === 'policy') found.set(contentHash(document), document)
      }
    }
  }
  return [...found].filter(([hash]) => !tried.has(hash) || guarding.has(hash)).map(([, document]) => document)
}

function describe(deployment: DeploymentId, { entries, differing, generations, answers }: Found): string {
  const differ = generations.filter(({ parting }) => parting !== null)
  const compared = generations.reduce((sum, { alike }) => sum + alike, 0)
  return [
    `${deployment}: ${count(entries)} recorded steps made again, ${count(differing)} differ; ${count(compared)} decisions alike in ${generations.length} generations`,
    ...differ.flatMap((generation) => part(generation, answers)),
  ].join('\n')
}

function part(diff: GenerationDiff, answers: Answers): readonly string[] {
  const { generation, candidate, parting, stop } = diff
  const say = (decision: DecisionOut | null): string =>
    decision === null
      ? 'nothing more'
      : `${clock(decision.at)} ${decision.outcome} by ${decision.rule}: ${decision.text}`
  const name = candidate === null ? '' : ` (${shortVersion(candidate)})`
  const lines = [
    `generation ${generation}${name} parts from the record after ${diff.alike} decisions`,
    `  recorded: ${say(parting?.recorded ?? null)}`,
    `  supposed: ${say(parting?.supposed ?? null)}`,
  ]
  for (const [which, one] of Object.entries(stop)) {
    if (one !== null && one !== parting?.recorded && one !== parting?.supposed)
      lines.push(`  ${which} later: ${say(one)}`)
  }
  const delay = stopDelay(diff)
  if (delay !== null && delay !== 0) {
    const [from, to] = delay < 0 ? [stop.supposed, stop.recorded] : [stop.recorded, stop.supposed]
    const rows = answered(answers, candidate, from?.at ?? 0, to?.at ?? 0)
    lines.push(
      `  stopped ${(Math.abs(delay) / 1000).toFixed(1)} s ${delay < 0 ? 'earlier' : 'later'}, with ${count(rows)} answers ${delay < 0 ? 'fewer' : 'more'}`,
    )
  } else if (delay === null && stop.recorded !== null) lines.push('  it would not have been stopped on this data')
  else if (delay === null && stop.supposed !== null) lines.push('  it would have been stopped, and was not')
  return lines
}

/** Answers that a version gave in the panes that begin in a span. */
function answered(answers: Answers, version: VersionId | null, from: number, to: number): number {
  const panes = version === null ? undefined : answers.get(version)
  return [...(panes ?? [])].reduce((sum, [pane, rows]) => (pane >= from && pane < to ? sum + rows : sum), 0)
}
