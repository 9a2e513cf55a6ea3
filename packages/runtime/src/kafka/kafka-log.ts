import type { Range } from '@interlock/contracts'
import { type Clock, systemClock } from '../clock.ts'
import {
  type Appended,
  type AppendRecord,
  type Bounds,
  checkSize,
  type EventLog,
  LogUnavailable,
  type RawBatch,
  type TopicOptions,
} from '../event-log.ts'
import { EndWatcher } from './end-watcher.ts'
import { KafkaClient } from './kafka-client.ts'
import type { KafkaConnection } from './kafka-options.ts'
import { createTopic, type Replication } from './kafka-topics.ts'
import { PartitionAppender } from './partition-appender.ts'
import { PartitionReader, readDeadlineMs } from './partition-reader.ts'

export interface KafkaLogOptions extends KafkaConnection {
  /** Default: the system's. */
  readonly clock?: Clock
  /**
   * Before the names of topics, on the broker only, so that ranges and entries are the same everywhere: several Interlocks,
   * or test runs, on one cluster.
   */
  readonly prefix?: string
  /** Which topics the prefix stands before; topics of others keep their names. Default: all. */
  readonly isOwn?: (topic: string) => boolean
  /** Of topics that are made. Default: three copies, two in sync, or as many as there are brokers. */
  readonly replication?: Replication
}

/** The distributed log: partitions of a Kafka cluster (brokers 2.3 and later). */
export function openKafkaLog(options: KafkaLogOptions): EventLog {
  return new KafkaLog(options)
}

class KafkaLog implements EventLog {
  private readonly options: KafkaLogOptions
  private readonly clock: Clock
  private readonly prefix: string
  private readonly client: KafkaClient
  private readonly reader: PartitionReader
  private readonly ends: EndWatcher
  private readonly appenders = new Map<string, PartitionAppender>()
  private closed = false

  constructor(options: KafkaLogOptions) {
    if (options.brokers.length === 0) throw new Error('no Kafka brokers are configured: give at least one host:port')
    this.options = options
    this.clock = options.clock ?? systemClock
    this.prefix = options.prefix ?? ''
    this.client = new KafkaClient(options, this.clock)
    this.reader = new PartitionReader(this.client)
    this.ends = new EndWatcher(this.client, this.reader)
  }

  async createTopic(topic: string, options: TopicOptions): Promise<void> {
    this.failIfClosed()
    await createTopic(this.options, this.clock, this.nameOf(topic), options, this.options.replication)
    this.client.forget()
  }

  async partitions(topic: string): Promise<number> {
    const name = this.nameOf(topic)
    const deadline = this.clock.monotonic() + readDeadlineMs
    const leaders = await this.client.attempt(`partitions of ${name}`, deadline, () => this.client.leaders(name))
    return leaders.size
  }

  bounds(topic: string, partition: number): Promise<Bounds> {
    return this.reader.bounds(this.nameOf(topic), partition)
  }

  read(range: Range): AsyncIterable<RawBatch> {
    return this.reader.read(this.nameOf(range.topic), range)
  }

  wait(topic: string, partition: number, from: bigint, ms: number, signal?: AbortSignal): Promise<bigint> {
    return this.ends.wait(this.nameOf(topic), partition, from, ms, signal)
  }

  append(topic: string, partition: number, record: AppendRecord): Promise<Appended | 'unknown'> {
    return this.appendMany(topic, partition, [record])
  }

  async appendMany(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Appended | 'unknown'> {
    checkSize(topic, partition, records)
    if (records.length === 0) throw new Error(`${topic}/${partition}: an append needs at least one record`)
    this.failIfClosed()
    const key = `${topic}/${partition}`
    let appender = this.appenders.get(key)
    if (!appender) {
      appender = new PartitionAppender(this.client, this.nameOf(topic), partition)
      this.appenders.set(key, appender)
    }
    return appender.append(records)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.ends.close()
    await Promise.all([...this.appenders.values()].map((appender) => appender.idle()))
    this.client.close()
  }

  private nameOf(topic: string): string {
    return (this.options.isOwn?.(topic) ?? true) ? this.prefix + topic : topic
  }

  private failIfClosed(): void {
    if (this.closed) throw new LogUnavailable('the log is closed')
  }
}
