import {
  type AnyOut,
  type CountsOut,
  type DeploymentId,
  defaultTimes,
  type EchoOut,
  type Input,
  type LogTime,
  type Processor,
  type ProgressOut,
  type ProvisionalOut,
  type Step,
  shardOf,
  type WatchOut,
} from '@interlock/contracts'
import { detectorFor, resolveSignal, whyNot } from '@interlock/statistics'
import { boundUnwatched, closePane, coverageToClose } from './closing.ts'
import { foresee, isLookDue } from './foresight.ts'
import { addCounts, emptyPane } from './panes.ts'
import type { Methods } from './plan.ts'
import { addServed, tellServed } from './served.ts'
import { loadEvaluated, saveEvaluated, stateVersion } from './snapshot.ts'
import { type Evaluated, emptyWatched, type ProfilerShard, type Watched } from './state.ts'
import { hearEcho, takeWatch, tellReady } from './watching.ts'

export interface EvaluatorConfig {
  /** Shards of the evaluator: a deployment belongs to `shardOf(deployment, shards)`. */
  readonly shards: number
  /** Profiler shards whose watermarks a pane waits for. */
  readonly profilerShards: number
  /** Signals and detectors; those of `@interlock/statistics` where nothing else is said. */
  readonly methods?: Methods
}

type Config = Required<EvaluatorConfig>

/**
 * Bounds of one step: what is left closes in the next one. What a policy on trial knows has a bound of its own, so that it puts no
 * pane off: beyond it a pane goes without, and a later one tells as much.
 */
export const stepBounds = { evidenceBytes: 393_216, panes: 64, shadowBytes: 131_072 } as const

/** A row may lie so far ahead of the evaluator's own time, ms: the profiler's own bound, and its lead in log time. */
const futureBoundMs = 2 * defaultTimes.maxFutureSkewMs

/** After so long without a step the evaluator was away, and a shard's silence says nothing. */
const awayMs = 10_000

/**
 * The evaluator: counts in, evidence out.
 *
 * Counts are added to open panes. A pane closes when every profiler shard has passed it, or is silent; then each detector moves
 * once and the deployment's evidence is said. Evidence is a function of the sums, so neither batching nor the number of
 * profiler shards shows in it; only rows that came late do, and they are counted.
 */
export function createEvaluator(options: EvaluatorConfig): Processor<Evaluated> {
  const config = { methods: { detectorFor, resolveSignal, whyNot }, ...options }
  return {
    name: 'evaluator',
    version: stateVersion,
    empty: (shard) => ({
      shard,
      time: 0,
      profilers: Array.from({ length: config.profilerShards }, () => ({ watermark: -1, silentMs: 0 })),
      deployments: new Map(),
      cursor: null,
    }),
    step: (state, batch, time, caughtUp) => step(config, state, batch, time, caughtUp),
    save: saveEvaluated,
    load: (bytes, version) => loadEvaluated(bytes, version, config),
  }
}

function step(
  config: Config,
  state: Evaluated,
  batch: readonly Input[],
  time: LogTime,
  caughtUp: boolean,
): Step<Evaluated> {
  const taken = sortBatch(config, state, batch)
  const profilers = listen(state, taken.progress, time, caughtUp)
  const deployments = new Map(state.deployments)
  for (const [deployment, news] of taken.deployments) {
    deployments.set(deployment, takeNews(deployments.get(deployment) ?? emptyWatched(deployment), news, config, time))
  }
  const outs: AnyOut[] = []
  const order = inOrder(deployments, state.cursor)
  for (const deployment of order) {
    const [ready, readyOuts] = tellReady(deployments.get(deployment)!, config.profilerShards)
    const generation = ready.watch?.generation
    const [served, servedOuts] =
      generation === undefined ? [ready.served, []] : tellServed(ready.served, { deployment, generation }, time)
    if (readyOuts.length + servedOuts.length === 0) continue
    deployments.set(deployment, { ...ready, served })
    outs.push(...readyOuts, ...servedOuts)
  }
  const cursor = closePanes(config, deployments, order, profilers, time, outs)
  // In a backlog the panes that are open now soon close: nothing is gained by looking ahead.
  if (caughtUp && cursor === null) outs.push(...lookAhead(deployments, order, state.time, time))
  return [{ shard: state.shard, time, profilers, deployments, cursor }, outs]
}

/** What a batch says, by deployment. Watches are taken before the counts that they are about. */
interface News {
  readonly watches: WatchOut[]
  readonly echoes: EchoOut[]
  readonly counts: CountsOut[]
}

function sortBatch(
  config: Config,
  { shard }: Evaluated,
  batch: readonly Input[],
): { readonly progress: readonly ProgressOut[]; readonly deployments: ReadonlyMap<DeploymentId, News> } {
  const progress: ProgressOut[] = []
  const deployments = new Map<DeploymentId, News>()
  const of = (deployment: DeploymentId): News => {
    const news = deployments.get(deployment) ?? { watches: [], echoes: [], counts: [] }
    deployments.set(deployment, news)
    return news
  }
  for (const input of batch) {
    if (input.kind !== 'out') continue
    const { out } = input
    if (out.kind === 'progress') progress.push(out)
    if (out.kind !== 'watch' && out.kind !== 'echo' && out.kind !== 'counts') continue
    if (shardOf(out.deployment, config.shards) !== shard) continue
    if (out.kind === 'watch') of(out.deployment).watches.push(out)
    if (out.kind === 'echo') of(out.deployment).echoes.push(out)
    if (out.kind === 'counts') of(out.deployment).counts.push(out)
  }
  return { progress, deployments }
}

/**
 * Watermarks and silence of the profiler shards. Silence is counted only while this evaluator steps and has read all there is:
 * after it was away, or in a backlog, a shard that seems silent may have spoken long ago.
 */
function listen(
  { profilers, time: before }: Evaluated,
  progress: readonly ProgressOut[],
  time: LogTime,
  caughtUp: boolean,
): readonly ProfilerShard[] {
  const elapsed = time - before
  return profilers.map(({ watermark, silentMs }, shard) => {
    const words = progress.filter((word) => word.shard === shard)
    if (words.length > 0) {
      return { watermark: words.reduce((most, word) => Math.max(most, word.watermark), watermark), silentMs: 0 }
    }
    if (elapsed > awayMs) return { watermark, silentMs: 0 }
    return { watermark, silentMs: caughtUp ? silentMs + elapsed : silentMs }
  })
}

function takeNews(watched: Watched, news: News, { methods }: Config, time: LogTime): Watched {
  let now = watched
  for (const watch of news.watches) now = takeWatch(now, watch, methods, time)
  for (const echo of news.echoes) now = hearEcho(now, echo)
  return news.counts.length === 0 ? now : takeCounts(now, news.counts, time)
}

/** Every row goes to exactly one place: an open pane, `late`, or `before`. */
function takeCounts(watched: Watched, counts: readonly CountsOut[], time: LogTime): Watched {
  const open = new Map<number, CountsOut[]>()
  let { late, before } = watched
  for (const out of counts) {
    if (watched.watch !== null && out.pane < watched.first) before += out.rows
    else if ((watched.watch !== null && out.pane < watched.next) || out.pane > time + futureBoundMs) late += out.rows
    else open.set(out.pane, [...(open.get(out.pane) ?? []), out])
  }
  const panes = new Map(watched.panes)
  for (const [start, outs] of open) panes.set(start, addCounts(panes.get(start) ?? emptyPane, outs))
  const served = addServed(watched.served, [...open.values()].flat())
  return boundUnwatched({ ...watched, panes, served, late, before })
}

/**
 * Closes what may close, one pane a deployment and round, until nothing may or the step's bounds are reached.
 *
 * @returns where the next step goes on when a bound was reached
 */
function closePanes(
  { methods }: Config,
  deployments: Map<DeploymentId, Watched>,
  order: readonly DeploymentId[],
  profilers: readonly ProfilerShard[],
  time: LogTime,
  outs: AnyOut[],
): DeploymentId | null {
  let bytes = 0
  let panes = 0
  let shadowBytes = 0
  let waiting = order
  while (waiting.length > 0) {
    const closed: DeploymentId[] = []
    for (const deployment of waiting) {
      const watched = deployments.get(deployment)!
      const coverage = coverageToClose(watched, profilers, time)
      if (coverage === null) continue
      const { watched: after, evidence, lineage, bytes: size, onTrial } = closePane(watched, coverage, methods)
      deployments.set(deployment, after)
      const hasRoom = onTrial !== null && shadowBytes + onTrial.bytes <= stepBounds.shadowBytes
      if (hasRoom) shadowBytes += onTrial.bytes
      outs.push(hasRoom ? { ...evidence, shadow: onTrial.said } : evidence, lineage)
      closed.push(deployment)
      panes += 1
      bytes += size
      if (panes >= stepBounds.panes || bytes >= stepBounds.evidenceBytes) return deployment
    }
    waiting = closed
  }
  return null
}

/** Where open panes alone would bring a guardrail to its limit: said at once, and moving nothing. */
function lookAhead(
  deployments: ReadonlyMap<DeploymentId, Watched>,
  order: readonly DeploymentId[],
  before: LogTime,
  time: LogTime,
): readonly ProvisionalOut[] {
  return order.flatMap((deployment) => {
    const watched = deployments.get(deployment)!
    const foreseen = isLookDue(watched, before, time) ? foresee(watched, time) : null
    return foreseen === null ? [] : [foreseen]
  })
}

/** All deployments by name, beginning behind the cursor. */
function inOrder(
  deployments: ReadonlyMap<DeploymentId, Watched>,
  cursor: DeploymentId | null,
): readonly DeploymentId[] {
  const names = [...deployments.keys()].sort()
  const at = cursor === null ? 0 : names.findIndex((name) => name > cursor)
  return at <= 0 ? names : [...names.slice(at), ...names.slice(0, at)]
}
