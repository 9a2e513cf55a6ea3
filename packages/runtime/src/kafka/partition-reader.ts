import type { LogRecord, Range } from '@interlock/contracts'
import { type Bounds, LogUnavailable, RangeGone, type RawBatch } from '../event-log.ts'
import { committed } from './committed.ts'
import { type Fetched, fetchRequest } from './fetch.ts'
import type { KafkaClient } from './kafka-client.ts'
import { brokerError } from './kafkajs-internals.ts'
import { listOffsetsRequest, timestampOf } from './list-offsets.ts'
import { batchesOf, recordsOf } from './record-batch.ts'

/** Below the runtime's own deadline for each await, so that its answer says more than "no answer". */
export const readDeadlineMs = 4_500
/** A step often wants the first few records only; who reads on gets more at a time. */
const pageBytes = { first: 256 * 1024, most: 4 * 1_048_576 } as const
/** Records are given out in pieces of about so many. */
const pieceRecords = 1_000
const emptyPauseMs = 50
const offsetOutOfRange = 1

/** Reads partitions straight from their leaders: any offset, no group, bounded memory (two pages a reader). */
export class PartitionReader {
  private readonly client: KafkaClient
  constructor(client: KafkaClient) {
    this.client = client
  }

  async bounds(topic: string, partition: number): Promise<Bounds> {
    const [begin, end] = await Promise.all([
      this.offset(topic, partition, timestampOf.earliest),
      this.offset(topic, partition, timestampOf.latest),
    ])
    return { begin, end }
  }

  /** Behind the last record that may be read. */
  end(topic: string, partition: number): Promise<bigint> {
    return this.offset(topic, partition, timestampOf.latest)
  }

  /**
   * `EventLog.read` of the topic that the broker knows as `topic`; records carry the name of `range`.
   *
   * @throws RangeGone
   */
  async *read(topic: string, range: Range): AsyncGenerator<RawBatch> {
    const { partition, to } = range
    let from = range.from
    let size: number = pageBytes.first
    let ahead: Promise<Fetched> | null = null
    let emptyUntil = Number.POSITIVE_INFINITY
    while (from < to) {
      const fetched: Fetched = await (ahead ?? this.fetch(topic, partition, from, size))
      ahead = null
      if (fetched.errorCode === offsetOutOfRange || fetched.stable < to) {
        // A new leader may know less for a moment than the old one said; it says so when it is asked for its end.
        const bounds = await this.bounds(topic, partition)
        if (from < bounds.begin || to > bounds.end) throw new RangeGone({ ...range, from }, bounds)
      }
      const pieces: LogRecord[][] = [[]]
      let next = from
      for (const { batch, data } of committed(batchesOf(fetched.batches), fetched.aborted)) {
        if (batch.baseOffset >= to) {
          next = to
          break
        }
        if (data) recordsOf(batch, range.topic, partition, from, to, pieces.at(-1)!)
        if (pieces.at(-1)!.length >= pieceRecords) pieces.push([])
        next = batch.lastOffset + 1n
      }
      if (next === from) {
        const now = this.client.clock.monotonic()
        emptyUntil = Math.min(emptyUntil, now + readDeadlineMs)
        if (now >= emptyUntil) {
          throw new LogUnavailable(
            `${topic}/${partition}: nothing comes from offset ${from} on, though it should exist`,
          )
        }
        await this.client.clock.sleep(emptyPauseMs)
        continue
      }
      emptyUntil = Number.POSITIVE_INFINITY
      from = next
      // Only who came back twice reads it all, and is sent a page ahead; a step takes its first records and goes.
      if (size === pageBytes.most && from < to) {
        ahead = this.fetch(topic, partition, from, size)
        ahead.catch(() => {})
      }
      size = Math.min(pageBytes.most, size * 4)
      for (const records of pieces) if (records.length > 0) yield { topic: range.topic, partition, records }
    }
  }

  private fetch(topic: string, partition: number, offset: bigint, maxBytes: number): Promise<Fetched> {
    const what = `reading ${topic}/${partition} from ${offset}`
    return this.client.attempt(what, this.client.clock.monotonic() + readDeadlineMs, async (client) => {
      const leader = await client.leader(topic, partition)
      const request = fetchRequest([{ topic, partition, offset }], { waitMs: 0, maxBytes })
      const [fetched] = await leader.send('fetch', request)
      if (!fetched) throw new Error('the broker answered without the partition')
      if (fetched.errorCode !== 0 && fetched.errorCode !== offsetOutOfRange) throw brokerError(fetched.errorCode)
      return fetched
    })
  }

  private offset(topic: string, partition: number, timestamp: bigint): Promise<bigint> {
    const what = `bounds of ${topic}/${partition}`
    return this.client.attempt(what, this.client.clock.monotonic() + readDeadlineMs, async (client) => {
      const leader = await client.leader(topic, partition)
      return leader.send('fetch', listOffsetsRequest(topic, partition, timestamp))
    })
  }
}
