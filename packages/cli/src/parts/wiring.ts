import type { ProcessorName } from '@interlock/contracts'
import type { Clock, EventLog, Membership, Progress, Random, ShardLimits } from '@interlock/runtime'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { DeploymentFile } from '../deployments.ts'

/** How many shards there are. Fixed when the topics are created. */
export interface Shards {
  readonly profiler: number
  /** Of whatever is sharded by deployment: evaluator, governor, requests, facts, commands. */
  readonly deployments: number
}

/**
 * What every part is made from: embedded on SQLite or one service of many on Kafka. Holds no key; a part that signs is given
 * its own.
 */
export interface Wiring {
  readonly config: Config
  readonly deployments: readonly DeploymentFile[]
  readonly log: EventLog
  readonly clock: Clock
  readonly logger: Logger
  /** Names this code. */
  readonly build: string
  readonly shards: Shards
  /** Partitions of each topic that deployments name: predictions, features, outcomes. */
  readonly eventPartitions: ReadonlyMap<string, number>
  /** For the jitter of backoff only. */
  readonly random: Random
  /** Who owns which shards of a processor. One value a processor: its hosts and publishers go together. */
  readonly membership: (processor: ProcessorName) => Membership
  readonly limits?: Partial<ShardLimits>
  /** Is told how far the shards of this process are. */
  readonly progress?: Progress
  /** False under memory pressure: nothing more is taken in. */
  readonly mayTake?: () => boolean
}

/** Something that runs until `signal` is aborted. Rejects when it cannot go on; then the whole process ends. */
export type Part = (signal: AbortSignal) => Promise<void>

/** Parts that run together. */
export interface RunningParts {
  add(part: Part): void
  /** Rejects when a part cannot go on, resolves once all have ended. */
  readonly done: Promise<void>
  /** Ends them, and resolves when the last has. */
  stop(): Promise<void>
}

export function runParts(): RunningParts {
  const stop = new AbortController()
  const failed = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const running = new Set<Promise<void>>()
  // Whoever awaits `done` hears of it.
  const done = Promise.race([failed.promise, ended.promise])
  done.catch(() => undefined)
  return {
    done,
    add(part) {
      const run: Promise<void> = part(stop.signal)
        .catch((error: unknown) => failed.reject(error))
        .finally(() => running.delete(run))
      running.add(run)
    },
    async stop() {
      stop.abort()
      while (running.size > 0) await Promise.allSettled(running)
      ended.resolve()
    },
  }
}
