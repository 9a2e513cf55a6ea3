import { decodeEntry, type Entry, type LogRecord, type LogTime } from '@interlock/contracts'
import type { Clock } from './clock.ts'
import { type EventLog, RangeGone } from './event-log.ts'

/** One partition of a shard log. */
export interface ShardLog {
  readonly topic: string
  readonly partition: number
}

export interface ValidEntry {
  readonly offset: bigint
  readonly at: LogTime
  readonly entry: Entry
  /** As appended: two owners' entries are told apart by them. */
  readonly bytes: Uint8Array
}

/** `prev` of the first entry of a log. */
export const beginningOfLog = -1n

/**
 * The valid entries behind the valid entry at `after`, up to `to` (exclusive), in order. An entry is valid iff its
 * `prev` is the last valid entry at the place where it landed; the rest is void and skipped, alike by every reader.
 *
 * @param after offset of an entry that is known to be valid, or `beginningOfLog`
 * @throws RangeGone
 */
export async function* validEntries(
  log: EventLog,
  { topic, partition }: ShardLog,
  after: bigint,
  to: bigint,
): AsyncGenerator<ValidEntry> {
  let last = after
  for await (const batch of log.read({ topic, partition, from: after + 1n, to })) {
    for (const record of batch.records) {
      const entry = readEntry(record)
      if (entry.prev !== last) continue
      last = record.offset
      yield { offset: record.offset, at: record.at, entry, bytes: record.value! }
    }
  }
}

/**
 * Where a reader may start that knows nothing: the beginning, or, once the head has expired, the first entry that a
 * later one names as its `prev`. An owner names only what it knows to be valid, so each named entry is valid; the
 * first entry in sight may be void.
 *
 * @param from where to look first; the beginning of the log unless told
 * @returns offset of a valid entry or `beginningOfLog`; null where the log does not (yet) tell
 */
export async function firstKnownValid(
  log: EventLog,
  { topic, partition }: ShardLog,
  from = 0n,
): Promise<bigint | null> {
  const { begin: held, end } = await log.bounds(topic, partition)
  const begin = from > held ? from : held
  if (begin === 0n) return beginningOfLog
  for await (const batch of log.read({ topic, partition, from: begin, to: end })) {
    for (const record of batch.records) {
      const { prev } = readEntry(record)
      if (prev >= begin - 1n) return prev
    }
  }
  return null
}

/**
 * Offset of the first record that was appended at `time` or later, by halving: append times of a shard log rise with its
 * offsets (but for a new leader's clock, so take a time with some room). The end of the log where there is none.
 */
export async function offsetAt(log: EventLog, { topic, partition }: ShardLog, time: LogTime): Promise<bigint> {
  let { begin: low, end: high } = await log.bounds(topic, partition)
  while (low < high) {
    const middle = (low + high) / 2n
    const at = await appendedAt(log, { topic, partition }, middle)
    if (at !== null && at < time) low = middle + 1n
    else high = middle
  }
  return low
}

async function appendedAt(log: EventLog, { topic, partition }: ShardLog, offset: bigint): Promise<LogTime | null> {
  for await (const { records } of log.read({ topic, partition, from: offset, to: offset + 1n })) {
    for (const { at } of records) return at
  }
  return null
}

/** How long one look at the end of a log waits for more. */
const followWaitMs = 1_000

/** All valid entries behind `after`, then each new one as soon as it is there, until `signal` is aborted. */
export async function* followShard(
  log: EventLog,
  shardLog: ShardLog,
  after: bigint,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<ValidEntry> {
  let last = after
  let seen = after + 1n
  while (!signal.aborted) {
    const end = await log.wait(shardLog.topic, shardLog.partition, seen, followWaitMs, signal)
    if (end <= seen) {
      // A log whose wait returns early must not make this a busy loop.
      if (!signal.aborted) await clock.sleep(0, signal)
      continue
    }
    for await (const valid of validEntries(log, shardLog, last, end)) {
      if (signal.aborted) return
      last = valid.offset
      yield valid
    }
    seen = end
  }
}

/** The valid entry at `offset`, which the caller knows to be valid. @throws RangeGone */
export async function entryAt(log: EventLog, { topic, partition }: ShardLog, offset: bigint): Promise<ValidEntry> {
  for await (const { records } of log.read({ topic, partition, from: offset, to: offset + 1n })) {
    const record = records[0]!
    return { offset, at: record.at, entry: readEntry(record), bytes: record.value! }
  }
  throw new RangeGone({ topic, partition, from: offset, to: offset + 1n }, await log.bounds(topic, partition))
}

function readEntry(record: LogRecord): Entry {
  try {
    if (record.value === null) throw new Error('it is a tombstone')
    return decodeEntry(record.value)
  } catch (error) {
    throw new Error(
      `${record.topic}/${record.partition} offset ${record.offset} is no entry that this build can read:` +
        ` ${error instanceof Error ? error.message : error}. Only a shard's owner may write to a shard log;` +
        ' if a newer build wrote it, run that build',
      { cause: error },
    )
  }
}
