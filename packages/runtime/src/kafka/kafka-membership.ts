import type { Consumer } from 'kafkajs'
import { type Clock, systemClock, within } from '../clock.ts'
import { backoff } from '../keep-running.ts'
import type { Membership, Stop } from '../membership.ts'
import { type KafkaConnection, kafkaConfig } from './kafka-options.ts'
import { kafkajs } from './kafkajs-internals.ts'

export interface KafkaMembershipOptions extends KafkaConnection {
  /** Processes of one processor share it, e.g. `interlock.evaluator`. */
  readonly groupId: string
  /** The processor's shard log as the cluster knows it: who is assigned partition p should own shard p. */
  readonly topic: string
  /** Default: the system's. */
  readonly clock?: Clock
}

/** A member that is silent for so long is dead to the group; brokers allow no less than 6 s by default. */
export const sessionMs = 6_000
const heartbeatMs = 1_000
const rebalanceMs = 10_000
/** The consumer fetches nothing, but looks around so often; its end waits for that. */
const lookMs = 500
/** A rebalance holds heartbeats back for as long as the slowest member may take. */
const silentMs = sessionMs + rebalanceMs
const leaveDeadlineMs = 5_000
const watchMs = 500

/**
 * Membership by a consumer group that is subscribed to one shard log and never reads: its partitions are paused as they
 * are assigned. Heartbeats and rebalances are KafkaJS's.
 *
 * When the group was not heard of for a session and a rebalance, nothing is owned: others have been given it by then. Who
 * still writes is stopped by `prev`, not by this.
 */
export class KafkaMembership implements Membership {
  private readonly options: KafkaMembershipOptions
  private readonly clock: Clock
  private readonly left: Promise<void>[] = []

  constructor(options: KafkaMembershipOptions) {
    this.options = options
    this.clock = options.clock ?? systemClock
  }

  on(change: (owned: readonly number[]) => void): Stop {
    const stop = new AbortController()
    this.left.push(this.belong(change, stop.signal))
    return () => stop.abort()
  }

  /** Resolves once every group that was joined and stopped has been left. */
  async close(): Promise<void> {
    await Promise.allSettled(this.left)
  }

  private async belong(change: (owned: readonly number[]) => void, signal: AbortSignal): Promise<void> {
    const { clock, options } = this
    let owned = ''
    const say = (shards: readonly number[]) => {
      if (signal.aborted || String(shards) === owned) return
      owned = String(shards)
      change(shards)
    }
    for (let failures = 0; !signal.aborted; failures++) {
      const startedAt = clock.monotonic()
      const why = await this.belongOnce(say, signal)
      say([])
      if (signal.aborted) return
      if (clock.monotonic() - startedAt > backoff.forgottenAfterMs) failures = 0
      const delayMs = Math.min(backoff.mostMs, backoff.firstMs * 2 ** failures)
      options.logger?.warn({ group: options.groupId, why, delayMs }, 'has lost its group and joins again')
      await clock.sleep(delayMs, signal)
    }
  }

  /** One consumer, until it crashes, falls silent, or `signal` is aborted. @returns why it ended */
  private async belongOnce(say: (owned: readonly number[]) => void, signal: AbortSignal): Promise<string> {
    const { clock, options } = this
    const { groupId, topic } = options
    const consumer = new (kafkajs().Kafka)(kafkaConfig(options)).consumer({
      groupId,
      sessionTimeout: sessionMs,
      rebalanceTimeout: rebalanceMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: lookMs,
      allowAutoTopicCreation: false,
      // A join that meets another rebalance is tried again; a crash comes back to us.
      retry: { retries: 5, initialRetryTime: 100, restartOnFailure: async () => false },
    })
    const ended = new AbortController()
    let why = 'the member fell silent'
    let heardAt = clock.monotonic()
    const heard = () => {
      heardAt = clock.monotonic()
    }
    consumer.on(consumer.events.HEARTBEAT, heard)
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      heard()
      const shards = payload.memberAssignment[topic] ?? []
      consumer.pause([{ topic, partitions: shards }])
      say([...shards].sort((a, b) => a - b))
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      why = payload.error.message
      ended.abort()
    })
    try {
      await within(clock, silentMs, `joining ${groupId}`, start(consumer, topic))
      const either = AbortSignal.any([ended.signal, signal])
      while (!either.aborted && clock.monotonic() - heardAt < silentMs) await clock.sleep(watchMs, either)
    } catch (error) {
      why = (error as Error).message
    }
    await within(clock, leaveDeadlineMs, `leaving ${groupId}`, consumer.disconnect()).catch((error: Error) => {
      options.logger?.debug({ group: groupId, error: error.message }, 'left its group without a word')
    })
    return why
  }
}

async function start(consumer: Consumer, topic: string): Promise<void> {
  await consumer.connect()
  await consumer.subscribe({ topics: [topic] })
  await consumer.run({ autoCommit: false, eachBatch: async () => {} })
}
