import { decodeOut, type LogRecord, type Order, type Out, publicTopics } from '@interlock/contracts'
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import { withDeadlines } from './deadlines.ts'
import { type AppendRecord, type EventLog, LogUnavailable, RangeGone } from './event-log.ts'
import { HighestOrders } from './highest-orders.ts'
import { keepRunning } from './keep-running.ts'
import { compareSources, orderInHeader, type Source, sourceHeader, sourceOf, sourceText } from './public-record.ts'
import type { Random } from './random.ts'
import { isTransient } from './shard-options.ts'
import { entryAt, firstKnownValid, type ShardLog, validEntries } from './shard-reader.ts'

export type PublicKind = keyof typeof publicTopics

export interface PublisherOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly logger: Logger
  /** For the jitter of backoff only. */
  readonly random: Random
  readonly shardLog: ShardLog
  readonly prefix?: string
  /**
   * Kinds of outs that this processor has; topics of other kinds are neither read nor written, which its principal may not
   * be allowed to. Default: all.
   */
  readonly kinds?: readonly PublicKind[]
  /** What the public record says, e.g. the DSSE envelope of a command. Default: the out's own bytes. */
  readonly sign?: (out: Out) => Uint8Array
  /**
   * Order of a record on the commands topic, null when it is none of ours. Give one that checks the signature; the
   * default trusts the `order` header.
   */
  readonly orderOf?: (record: LogRecord) => Order | null
  /** How often the commands topic is looked at for a lower order that landed last. Default: 500. */
  readonly lookMs?: number
}

/** How far back a topic's tail is read at first for a `source` of ours; four times as far each time after. */
const tailRecords = 1_000n
const appendAttempts = 5
const lookEveryMs = 500

/**
 * Copies the public outs of one shard log's valid entries to their topics: in order, at least once. Runs until `signal`
 * is aborted. A publisher that was asleep may append an old command last; so each tails the commands topic and
 * publishes a deployment's highest order again when a lower one landed behind it.
 *
 * All of a shard goes to one partition of each topic, `shard mod partitions`, so that a deployment's records stay in order.
 */
export function runPublisher(given: PublisherOptions, signal: AbortSignal): Promise<void> {
  const options = { ...given, log: withDeadlines(given.log, given.clock) }
  const name = `publisher of ${given.shardLog.topic}/${given.shardLog.partition}`
  // A tail that retention cut while it was read is no harm: the next start looks at what is left.
  const mayTryAgain = (error: unknown) => isTransient(error) || error instanceof RangeGone
  return keepRunning(options, name, signal, () => publish(options, signal), mayTryAgain)
}

async function publish(options: PublisherOptions, signal: AbortSignal): Promise<void> {
  const { log, shardLog, lookMs = lookEveryMs } = options
  const targets = new Map<string, ShardLog>()
  for (const [kind, name] of Object.entries(publicTopics)) {
    if (options.kinds?.includes(kind as PublicKind) === false) continue
    const topic = (options.prefix ?? '') + name
    targets.set(kind, { topic, partition: shardLog.partition % (await log.partitions(topic)) })
  }
  const commands = targets.get('command')
  const orders =
    commands === undefined
      ? null
      : new HighestOrders(log, commands, options.orderOf ?? orderInHeader, (record) => put(log, commands, record))

  const done = await newestSource(options, [...targets.values()])
  let last = done ? await validBefore(options, done) : await firstKnownValid(log, shardLog)
  await orders?.look()
  if (orders && done) await recallHidden(options, orders, done)
  await orders?.putRight()

  while (!signal.aborted) {
    if (last === null) {
      await options.clock.sleep(lookMs, signal)
      last = await firstKnownValid(log, shardLog)
      continue
    }
    const end = await log.wait(shardLog.topic, shardLog.partition, last + 1n, lookMs, signal)
    for await (const { offset, entry } of validEntries(log, shardLog, last, end)) {
      for (const [index, out] of entry.outs.entries()) {
        const target = targets.get(out.kind)
        if (!target && out.kind in publicTopics) throw new Error(unexpected(options, out.kind, offset))
        if (!target || isDone(done, { offset, index })) continue
        const record = toRecord(options, out, { offset, index })
        if (orders && out.kind === 'command') await orders.publish(record, orderOfOut(out))
        else await put(log, target, record)
      }
      last = offset
      if (signal.aborted) return
    }
    await orders?.putRight()
    // The rest behind `last` is void; without a pause it would be read again and again.
    if (end > last + 1n) await options.clock.sleep(lookMs, signal)
  }
}

function unexpected({ shardLog, kinds }: PublisherOptions, kind: string, offset: bigint): string {
  return `${shardLog.topic}/${shardLog.partition} offset ${offset} puts out "${kind}", and its publisher was started for ${kinds?.join(', ')}`
}

function toRecord({ sign, shardLog }: PublisherOptions, out: Out, source: Source): AppendRecord {
  const headers = { [sourceHeader]: sourceText(shardLog, source), kind: out.kind }
  return { key: Buffer.from(out.key, 'utf8'), value: sign ? sign(out) : out.value, headers }
}

/** Appends until the log says where it is. May repeat: public topics promise at least once. */
async function put(log: EventLog, target: ShardLog, record: AppendRecord): Promise<bigint> {
  for (let attempt = 1; attempt <= appendAttempts; attempt++) {
    const answer = await log.append(target.topic, target.partition, record)
    if (answer !== 'unknown') return answer.offset
  }
  throw new LogUnavailable(`${target.topic}/${target.partition}: no word about an append in ${appendAttempts} attempts`)
}

/**
 * The newest out of this shard on any of its topics: all before it are out, since they are published in order. A header is
 * only a claim; a record counts when the out that it names says just that.
 */
async function newestSource(options: PublisherOptions, targets: readonly ShardLog[]): Promise<Source | null> {
  for (let back = tailRecords; ; back *= 4n) {
    const claims: { readonly source: Source; readonly record: LogRecord }[] = []
    let whole = true
    for (const { topic, partition } of targets) {
      const { begin, end } = await options.log.bounds(topic, partition)
      const reachesBegin = end - back <= begin
      const from = reachesBegin ? begin : end - back
      whole &&= reachesBegin
      for await (const { records } of options.log.read({ topic, partition, from, to: end })) {
        for (const record of records) {
          const source = sourceOf(options.shardLog, record)
          if (source) claims.push({ source, record })
        }
      }
    }
    claims.sort((a, b) => compareSources(b.source, a.source))
    for (const { source, record } of claims) if (await isCopy(options, source, record)) return source
    if (whole) return null
  }
}

/** Whether a public record is what the out that it names says; true also where the shard log no longer reaches back to it. */
async function isCopy(options: PublisherOptions, source: Source, record: LogRecord): Promise<boolean> {
  const { log, shardLog } = options
  const { begin, end } = await log.bounds(shardLog.topic, shardLog.partition)
  if (source.offset >= end) return false
  if (source.offset < begin) return true
  const out = (await entryAt(log, shardLog, source.offset)).entry.outs[source.index]
  if (!out || record.value === null) return false
  return Buffer.compare(toRecord(options, out, source).value!, record.value) === 0
}

/** A valid entry before the one that holds `done`: its outs behind `done` are still to be published. */
async function validBefore({ log, shardLog, logger }: PublisherOptions, done: Source): Promise<bigint | null> {
  try {
    return (await entryAt(log, shardLog, done.offset)).entry.prev
  } catch (error) {
    if (!(error instanceof RangeGone)) throw error
    logger.warn(
      { offset: String(done.offset) },
      'the shard log no longer holds what was published last; goes on behind it',
    )
    return firstKnownValid(log, shardLog)
  }
}

/**
 * A lower order that landed last, or a record that is no command of ours, may have erased the higher one by compaction. Whatever landed behind what the newest
 * record's writer had seen, and is older than it, is such a suspect: the shard log tells what its deployment's
 * highest order is.
 */
async function recallHidden(options: PublisherOptions, orders: HighestOrders, done: Source): Promise<void> {
  const [oldest] = [...orders.suspects((record) => sourceOf(options.shardLog, record))].sort(compareSources)
  const suspected = oldest ? await validBefore(options, oldest) : null
  const after = orders.hasStrangers ? await firstKnownValid(options.log, options.shardLog) : suspected
  if (after === null) return
  for await (const { offset, entry } of validEntries(options.log, options.shardLog, after, done.offset + 1n)) {
    for (const [index, out] of entry.outs.entries()) {
      if (out.kind !== 'command' || !isDone(done, { offset, index })) continue
      orders.recall(toRecord(options, out, { offset, index }), orderOfOut(out))
    }
  }
}

function isDone(done: Source | null, source: Source): boolean {
  return done !== null && compareSources(source, done) <= 0
}

function orderOfOut(out: Out): Order {
  const any = decodeOut(out)
  if (any.kind !== 'command') throw new Error(`an out of kind ${any.kind} has no order`)
  return any.command.order
}
