import type { LogRecord, Range } from '@interlock/contracts'

/**
 * Contiguous records of one partition, in offset order. A compacted topic and a foreign producer may leave gaps. A record's
 * fields may be made when they are read (contracts, `LogRecord`).
 */
export interface RawBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly LogRecord[]
}

export interface AppendRecord {
  readonly key?: Uint8Array | null
  /** null is a tombstone: on a compacted topic it ends the key. */
  readonly value: Uint8Array | null
  readonly headers?: Readonly<Record<string, string>>
}

/** Where a record landed and when. Of `appendMany`: the first record's offset; all of a call share the time. */
export interface Appended {
  readonly offset: bigint
  readonly at: number
}

export interface TopicOptions {
  readonly partitions: number
  /** Only the newest record of each key is promised to stay. Offsets are never given twice, so gaps appear. */
  readonly compacted?: boolean
  /** Records older than this may go, from the head on. Absent: kept for ever. */
  readonly retentionMs?: number
}

export interface Bounds {
  readonly begin: bigint
  /** Offset that the next record will get at the earliest. */
  readonly end: bigint
}

/**
 * The one thing that Interlock needs of a log: partitions of records in a total order, each with its append time.
 * SQLite, Kafka and the simulation implement it and pass the same suite (conformance.ts).
 *
 * Kept honest about Kafka: an append may have an unknown outcome and land later, or twice; the head of a partition
 * may be gone; there is no compare-and-append, no transaction over partitions, and no way to take a record back. A new
 * leader's clock may set append times back: steps take the greatest so far.
 */
export interface EventLog {
  /** Idempotent. Refuses (`TopicMismatch`) when the topic exists with another number of partitions. */
  createTopic(topic: string, options: TopicOptions): Promise<void>
  /** Number of partitions; throws `UnknownTopic`. */
  partitions(topic: string): Promise<number>
  bounds(topic: string, partition: number): Promise<Bounds>
  /**
   * Exactly the records of the range, lazily, in order. Throws `RangeGone` when the log no longer holds the range
   * from its first offset on (retention), or does not hold it yet.
   */
  read(range: Range): AsyncIterable<RawBatch>
  /** The end of the partition, as soon as it is past `from`, or when `ms` are over or `signal` is aborted. */
  wait(topic: string, partition: number, from: bigint, ms: number, signal?: AbortSignal): Promise<bigint>
  /**
   * Durable when it resolves with a position. `'unknown'`: it may have landed, may land later, or never.
   * @throws RecordTooLarge, UnknownTopic, LogUnavailable: it has surely not landed and never will.
   */
  append(topic: string, partition: number, record: AppendRecord): Promise<Appended | 'unknown'>
  /**
   * All or none, at contiguous offsets. Kafka can honour it: one produce request with one record batch for the
   * partition is appended whole. So the size bound holds for the whole call (Kafka's `max.message.bytes` does too).
   */
  appendMany(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Appended | 'unknown'>
  close(): Promise<void>
}

/** Largest record, and largest `appendMany`: Kafka's default `max.message.bytes`, overhead of the batch left aside. */
export const maxRecordBytes = 1_048_576
/** What a record costs besides key, value and headers: a bound on Kafka's own framing. */
export const recordOverheadBytes = 64

export function recordBytes(record: AppendRecord): number {
  let bytes = recordOverheadBytes + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 2
  }
  return bytes
}

/** Bytes of key and value. A log may know them without making the views. */
export function payloadBytes(record: LogRecord & { readonly size?: number }): number {
  return record.size ?? (record.key?.length ?? 0) + (record.value?.length ?? 0)
}

/** @throws RecordTooLarge */
export function checkSize(topic: string, partition: number, records: readonly AppendRecord[]): void {
  let bytes = 0
  for (const record of records) bytes += recordBytes(record)
  if (bytes > maxRecordBytes + recordOverheadBytes) throw new RecordTooLarge(topic, partition, bytes)
}

export class RangeGone extends Error {
  readonly range: Range
  readonly bounds: Bounds
  constructor(range: Range, bounds: Bounds) {
    const why = range.from < bounds.begin ? 'retention or loss has removed its head' : 'it ends behind the log'
    super(
      `${range.topic}/${range.partition} no longer holds offsets ${range.from} to ${range.to}: ${why}` +
        ` (the log holds ${bounds.begin} to ${bounds.end})`,
    )
    this.name = 'RangeGone'
    this.range = range
    this.bounds = bounds
  }
}

export class RecordTooLarge extends Error {
  constructor(topic: string, partition: number, bytes: number) {
    super(`${topic}/${partition}: ${bytes} bytes in one append, at most ${maxRecordBytes} are possible; split it`)
    this.name = 'RecordTooLarge'
  }
}

export class UnknownTopic extends Error {
  constructor(topic: string, partition?: number) {
    super(
      partition === undefined
        ? `topic "${topic}" does not exist; create it first`
        : `topic "${topic}" has no partition ${partition}`,
    )
    this.name = 'UnknownTopic'
  }
}

export class TopicMismatch extends Error {
  constructor(topic: string, has: number, wanted: number) {
    super(
      `topic "${topic}" has ${has} partitions, but ${wanted} are configured. The number of shards is fixed when the` +
        ` topic is created: configure ${has}, or start with a new log`,
    )
    this.name = 'TopicMismatch'
  }
}

/** The world's failure: worth trying again later. */
export class LogUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'LogUnavailable'
  }
}
