import { type AnyOut, type DecisionOut, type DeploymentId, decodeOut, shardLog } from '@interlock/contracts'
import {
  beginningOfLog,
  DeadlineExceeded,
  type EventLog,
  followShard,
  LogUnavailable,
  systemClock,
} from '@interlock/runtime'

const againMs = 500

/** What the logs have said so far, for whoever waits for something. Nothing is concluded from it. */
export interface Heard {
  readonly decisions: readonly DecisionOut[]
  /** Rows that the profiler has taken. */
  taken(): number
  /** End of the newest pane that the evaluator closed. */
  closedTo(deployment: DeploymentId): number
  isReadyToCount(deployment: DeploymentId, generation: number): boolean
  stop(): Promise<void>
}

/** Follows all shards of profiler, evaluator and governor, also over outages of the log. */
export async function hear(log: EventLog, onDecision: (decision: DecisionOut) => void): Promise<Heard> {
  const stop = new AbortController()
  const decisions: DecisionOut[] = []
  const closed = new Map<DeploymentId, number>()
  const ready = new Set<string>()
  let taken = 0
  const take = (out: AnyOut): void => {
    if (out.kind === 'progress') taken += out.taken
    if (out.kind === 'decision') {
      decisions.push(out)
      onDecision(out)
    }
    if (out.kind === 'evidence') closed.set(out.deployment, out.pane + out.paneMs)
    if (out.kind === 'ready-to-count') ready.add(`${out.deployment} ${out.generation}`)
  }
  const follow = async (topic: string, partition: number): Promise<void> => {
    let after = beginningOfLog
    while (!stop.signal.aborted) {
      try {
        for await (const { offset, entry } of followShard(log, { topic, partition }, after, systemClock, stop.signal)) {
          after = offset
          for (const out of entry.outs) take(decodeOut(out))
        }
      } catch (error) {
        if (!(error instanceof LogUnavailable || error instanceof DeadlineExceeded)) throw error
        await systemClock.sleep(againMs, stop.signal)
      }
    }
  }
  const following: Promise<void>[] = []
  for (const processor of ['profiler', 'evaluator', 'governor']) {
    const topic = shardLog(processor)
    const shards = await log.partitions(topic)
    for (let shard = 0; shard < shards; shard++) following.push(follow(topic, shard))
  }
  const all = Promise.all(following)
  all.catch(() => undefined) // whoever stops it hears of it
  return {
    decisions,
    taken: () => taken,
    closedTo: (deployment) => closed.get(deployment) ?? 0,
    isReadyToCount: (deployment, generation) => ready.has(`${deployment} ${generation}`),
    stop: async () => {
      stop.abort()
      await all
    },
  }
}
