import type { LogRecord, Range } from '@interlock/contracts'
import { type Bounds, LogUnavailable, RangeGone, type RawBatch } from '../event-log.ts'
import { fetchRequest } from './fetch.ts'
import type { KafkaClient } from './kafka-client.ts'
import { brokerError } from './kafkajs-internals.ts'
import { listOffsetsRequest, timestampOf } from './list-offsets.ts'
import { KeptPages, open, type PageBatch, pageOf, type Received } from './pages.ts'

/** Below the runtime's own deadline for each await, so that its answer says more than "no answer". */
export const readDeadlineMs = 4_500
/** A step often wants the first few records only; who reads on gets more at a time. */
const pageBytes = { first: 256 * 1024, next: 1_048_576, most: 4 * 1_048_576 } as const
/** Records are given out in pieces of about so many. */
const pieceRecords = 1_000
const emptyPauseMs = 50
const offsetOutOfRange = 1
/** More records than any step takes. */
const farBehind = 10_000n

/** Reads partitions straight from their leaders: any offset, no group, bounded memory (two pages a read, and what is kept). */
export class PartitionReader {
  private readonly client: KafkaClient
  private readonly kept = new KeptPages()

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
   * The same, for a reader at `from` that takes some thousand records and comes back: with so many more ahead of it, what
   * was said a moment ago does.
   */
  endFor(topic: string, partition: number, from: bigint): bigint | null {
    const known = this.kept.stableOf(`${topic}/${partition}`, this.client.clock.monotonic())
    return known !== null && known > from + farBehind ? known : null
  }

  /**
   * `EventLog.read` of the topic that the broker knows as `topic`; records carry the name of `range`.
   *
   * @throws RangeGone
   */
  async *read(topic: string, range: Range): AsyncGenerator<RawBatch> {
    const { partition, to } = range
    const { clock } = this.client
    const name = `${topic}/${partition}`
    let from = range.from
    let size: number = pageBytes.first
    let ahead: Promise<Received> | null = null
    let emptyUntil = Number.POSITIVE_INFINITY
    let page = this.kept.take(name, from, clock.monotonic())
    if (page) size = pageBytes.next
    try {
      while (from < to) {
        if (page === null) {
          const fetched: Received = await (ahead ?? this.fetch(topic, partition, from, size))
          if (fetched.errorCode === offsetOutOfRange || fetched.stable < to) {
            // A new leader may know less for a moment than the old one said; it says so when it is asked for its end.
            const bounds = await this.bounds(topic, partition)
            if (from < bounds.begin || to > bounds.end) throw new RangeGone({ ...range, from }, bounds)
          }
          page = pageOf(from, fetched)
          ahead = null
        }
        if (page.next === from) {
          page = null
          const now = clock.monotonic()
          emptyUntil = Math.min(emptyUntil, now + readDeadlineMs)
          if (now >= emptyUntil) {
            throw new LogUnavailable(`${name}: nothing comes from offset ${from} on, though it should exist`)
          }
          await clock.sleep(emptyPauseMs)
          continue
        }
        emptyUntil = Number.POSITIVE_INFINITY
        // Who has come back is sent a page ahead, a large one only in the same read: a step takes some records and goes.
        if (size > pageBytes.first && page.next < page.stable && page.ahead === null && this.kept.hasRoom) {
          page.ahead = this.fetch(topic, partition, page.next, size)
          page.ahead.catch(() => {})
        }
        size = Math.min(pageBytes.most, size * 4)
        let piece: LogRecord[] = []
        let given: PageBatch[] = []
        for (const one of page.batches) {
          if (one.batch.lastOffset < from) continue
          if (one.batch.baseOffset >= to) break
          const records = one.records ?? (await open(page, one, range.topic, partition))
          const some = addWithin(records, from, to, piece)
          if (one.batch.lastOffset < to) given.push(one)
          if (some.length < pieceRecords) continue
          yield { topic: range.topic, partition, records: some }
          piece = []
          // Who asks for more has taken these: the page need not hold them.
          for (const taken of given) taken.records = null
          given = []
        }
        if (piece.length > 0) yield { topic: range.topic, partition, records: piece }
        from = to
        if (page.next <= to) {
          from = page.next
          ahead = page.ahead
          page = null
        }
      }
    } catch (error) {
      page = null
      throw error
    } finally {
      if (page !== null) this.kept.keep(name, page, clock.monotonic())
    }
  }

  private fetch(topic: string, partition: number, offset: bigint, maxBytes: number): Promise<Received> {
    const what = `reading ${topic}/${partition} from ${offset}`
    return this.client.attempt(what, this.client.clock.monotonic() + readDeadlineMs, async (client) => {
      const leader = await client.leader(topic, partition)
      const request = fetchRequest([{ topic, partition, offset }], { waitMs: 0, maxBytes })
      const [fetched] = await leader.send('fetch', request)
      if (!fetched) throw new Error('the broker answered without the partition')
      if (fetched.errorCode !== 0 && fetched.errorCode !== offsetOutOfRange) throw brokerError(fetched.errorCode)
      return { ...fetched, receivedAt: client.clock.monotonic() }
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

/** Adds the records from `from` to `to` (exclusive). A large batch that is wanted whole is given out as it is. */
function addWithin(records: readonly LogRecord[], from: bigint, to: bigint, into: LogRecord[]): readonly LogRecord[] {
  const isWhole = records.length === 0 || (records[0]!.offset >= from && records.at(-1)!.offset < to)
  if (isWhole && into.length === 0 && records.length >= pieceRecords) return records
  for (const record of records) if (isWhole || (record.offset >= from && record.offset < to)) into.push(record)
  return into
}
