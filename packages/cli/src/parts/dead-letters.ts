import type { DeadLetterPorts, Replayed, ReplayPlan } from '@interlock/console'
import { type AnyOut, type Input, type LogRecord, type ProgressOut, shardLog, topics } from '@interlock/contracts'
import { createProfiler, type ProfilerState, profilerShardOf, replayHeaders, withWatch } from '@interlock/profiler'
import {
  beginningOfLog,
  type EventLog,
  firstKnownValid,
  LogUnavailable,
  RangeGone,
  RecordTooLarge,
  UnknownTopic,
  validEntries,
} from '@interlock/runtime'
import { type DeadRecord, openCount, openRows, placeOf, shown } from '../dead-letters/letter-book.ts'
import { readPayloadRequest } from '../dead-letters/payload-request.ts'
import { LetterReader } from '../dead-letters/read-letters.ts'
import { publicKeys } from './keys.ts'
import { unhurried } from './unhurried.ts'
import type { Wiring } from './wiring.ts'

/** Records that one look, and one call, takes. */
const recordsAtOnce = 500
const appendAttempts = 5
/** Entries from the end of a shard log that are looked at for how far it came. */
const tailEntries = 50n

/** Dead letters as the console serves them, with what it must be told to know the rules in force. */
export interface DeadLetters extends DeadLetterPorts {
  /** Takes the governor's outs in their order. */
  see(out: AnyOut): void
}

type Open = { readonly record: DeadRecord; readonly rows: Uint8Array | null }

/** Dead letters out of the log of a running Interlock. */
export function deadLetters(
  wiring: Pick<Wiring, 'config' | 'log' | 'clock' | 'logger' | 'shards' | 'eventPartitions'>,
): DeadLetters {
  const { config, log, clock, logger, shards, eventPartitions } = wiring
  const reader = new LetterReader(log)
  let watches: ProfilerState['watches'] = []
  const firsts = new Map<string, number>()

  const openIn = async (selection: Parameters<DeadLetterPorts['plan']>[0]) => {
    const all = (await reader.read())
      .selected(selection)
      .map((record): Open => ({ record, rows: openRows(record, selection) }))
      .filter(({ rows }) => openCount(rows) > 0)
    const possible = all.filter(({ record }) => record.impossible === null && eventPartitions.has(record.topic))
    return { all, possible }
  }

  return {
    see(out) {
      if (out.kind !== 'watch') return
      const next = withWatch(watches, out)
      if (!('refused' in next)) watches = next
      firsts.set(out.deployment, Math.min(firsts.get(out.deployment) ?? out.from, out.from))
    },

    async list(selection) {
      const book = await reader.read()
      return { groups: book.groups(selection), whole: book.isWhole }
    },

    async show(place) {
      const record = (await reader.read()).get(place)
      if (record === undefined) return null
      const raw = await recordAt(log, record)
      const { value = null, at = 0, headers = {} } = raw ?? {}
      return {
        ...shown(record),
        record: raw === null ? null : { bytes: value?.length ?? 0, at, contentType: headers['content-type'] ?? null },
      }
    },

    async plan(selection, closedTo) {
      const { all, possible } = await openIn(selection)
      const looked = possible.slice(0, recordsAtOnce)
      const inputs: Input[] = []
      let gone = 0
      let rows = 0
      for await (const { record, rows: open } of unhurried(looked)) {
        const raw = await recordAt(log, record)
        if (raw?.value == null) gone++
        else {
          rows += openCount(open)
          inputs.push({ kind: 'record', record: copyOf(raw, open, clock.now()) })
        }
      }
      const tried = await tryOut({ watches, ...(await schemasIn(log)) }, inputs, clock.now())
      const notInEvidence = ({ deployment, pane }: { deployment: string; pane: number }): boolean =>
        pane < Math.max(closedTo(deployment) ?? 0, firsts.get(deployment) ?? Number.POSITIVE_INFINITY)
      return {
        records: looked.length - gone,
        rows,
        counted: tried.counts.reduce((sum, out) => sum + out.rows, 0),
        late: tried.counts.filter(notInEvidence).reduce((sum, out) => sum + out.rows, 0),
        dead: tried.dead,
        gone,
        impossible: impossibleIn(all, eventPartitions),
        more: possible.length - looked.length,
      } satisfies ReplayPlan
    },

    async replay(selection, after) {
      const { possible } = await openIn(selection)
      const at = after === null ? 0 : possible.findIndex(({ record }) => isBehind(record, after))
      const batch = at < 0 ? [] : possible.slice(at, at + recordsAtOnce)
      const copies = new Map<string, Replayed['copies'][number]>()
      let records = 0
      let rows = 0
      for await (const { record, rows: open } of unhurried(batch)) {
        const raw = await recordAt(log, record)
        const offset = raw?.value == null ? null : await appendCopy(log, raw, open)
        if (offset === null) continue
        const { topic, partition } = record
        copies.set(`${topic}/${partition}`, { topic, partition, offset: String(offset) })
        records++
        rows += openCount(open)
      }
      const last = batch.at(-1)?.record
      const isMore = at >= 0 && possible.length > at + batch.length
      if (records > 0) logger.info({ selection, records, rows }, 'dead records were submitted again')
      return { records, rows, copies: [...copies.values()], next: isMore && last !== undefined ? placeOf(last) : null }
    },

    async taken(topic, partition, offset) {
      const shard = profilerShardOf(partition, shards.profiler)
      const where = { topic: shardLog('profiler'), partition: shard }
      const { end } = await log.bounds(where.topic, shard)
      const near = end > tailEntries ? end - tailEntries : 0n
      const start = (await firstKnownValid(log, where, near)) ?? (await firstKnownValid(log, where))
      let to = 0n
      for await (const { entry } of validEntries(log, where, start ?? beginningOfLog, start === null ? 0n : end)) {
        for (const range of entry.took) if (range.topic === topic && range.partition === partition) to = range.to
      }
      return to > offset
    },

    async payload(envelope) {
      const { keyset } = await publicKeys(config)
      const asked = readPayloadRequest(envelope, keyset.keys, config.environment, clock.now())
      if ('refused' in asked) return asked
      const record = (await reader.read()).get(asked.place)
      const raw = record === undefined ? null : await recordAt(log, record)
      if (raw?.value == null) return { refused: `The log holds no record of a dead letter at ${asked.place} any more.` }
      logger.info({ by: asked.by, place: asked.place }, 'a dead record’s payload was shown')
      return { bytes: raw.value }
    },
  }
}

/** The dead record itself, or null where the log no longer holds it. */
async function recordAt(log: EventLog, { topic, partition, offset }: DeadRecord): Promise<LogRecord | null> {
  try {
    for await (const { records } of log.read({ topic, partition, from: offset, to: offset + 1n })) {
      for (const record of records) return record
    }
    return null
  } catch (error) {
    if (error instanceof RangeGone) return null
    throw error
  }
}

function copyOf(record: LogRecord, rows: Uint8Array | null, at: number): LogRecord {
  const { topic, partition, offset, key, value } = record
  const headers = { ...record.headers, ...replayHeaders(record, rows) }
  return { topic, partition, offset: offset + 1n, at, key, value, headers }
}

/** Whatever the log says of an append, it is made until one is known to be there: a second copy is set aside. */
async function appendCopy(log: EventLog, record: LogRecord, rows: Uint8Array | null): Promise<bigint | null> {
  const { topic, partition, key, value } = record
  const headers = { ...record.headers, ...replayHeaders(record, rows) }
  for (let attempt = 1; attempt <= appendAttempts; attempt++) {
    try {
      const answer = await log.append(topic, partition, { key, value, headers })
      if (answer !== 'unknown') return answer.offset
    } catch (error) {
      // A record of the largest size has no room for the headers of its copy.
      if (error instanceof RecordTooLarge) return null
      throw error
    }
  }
  throw new LogUnavailable(
    `${topic}/${partition}: no word about an append in ${appendAttempts} attempts; replay again, nothing doubles`,
  )
}

/** What the profiler would make of the copies, by these rules. */
async function tryOut(
  rules: Pick<ProfilerState, 'watches' | 'schemas'>,
  inputs: readonly Input[],
  now: number,
): Promise<{
  readonly counts: readonly { readonly deployment: string; readonly pane: number; readonly rows: number }[]
  readonly dead: Readonly<Record<string, number>>
}> {
  const profiler = createProfiler()
  const counts: { deployment: string; pane: number; rows: number }[] = []
  const dead: Record<string, number> = {}
  // One at a time: two records that died at the same place are two copies.
  for await (const input of unhurried(inputs)) {
    const [, outs] = profiler.step({ ...profiler.empty(0), ...rules }, [input], now, true)
    for (const out of outs) {
      if (out.kind === 'counts') counts.push({ deployment: out.deployment, pane: out.pane, rows: out.rows })
      if (out.kind !== 'progress') continue
      for (const [reason, rows] of Object.entries((out as ProgressOut).dead)) dead[reason] = (dead[reason] ?? 0) + rows
    }
  }
  return { counts, dead }
}

/** What a schema registry said, as the profiler has it; nothing where none is in use. */
async function schemasIn(log: EventLog): Promise<Pick<ProfilerState, 'schemas'>> {
  const inputs: Input[] = []
  try {
    const { begin, end } = await log.bounds(topics.schemas, 0)
    for await (const { records } of log.read({ topic: topics.schemas, partition: 0, from: begin, to: end })) {
      inputs.push(...records.map((record): Input => ({ kind: 'record', record })))
    }
  } catch (error) {
    if (!(error instanceof UnknownTopic)) throw error
  }
  const profiler = createProfiler()
  const [{ schemas }] = profiler.step(profiler.empty(0), inputs, 0, true)
  return schemas === undefined ? {} : { schemas }
}

function impossibleIn(all: readonly Open[], eventPartitions: ReadonlyMap<string, number>): ReplayPlan['impossible'] {
  const sums = new Map<string, number>()
  for (const { record } of all) {
    const why = record.impossible ?? (eventPartitions.has(record.topic) ? null : 'no deployment names the topic')
    if (why !== null) sums.set(why, (sums.get(why) ?? 0) + 1)
  }
  return [...sums].sort().map(([why, records]) => ({ why, records }))
}

/** Whether a record comes after the place, in the order of topic, partition and offset. */
function isBehind({ topic, partition, offset }: DeadRecord, after: string): boolean {
  const [otherTopic = '', otherPartition, otherOffset = '0'] = after.split('/')
  if (topic !== otherTopic) return topic > otherTopic
  if (partition !== Number(otherPartition)) return partition > Number(otherPartition)
  return offset > BigInt(otherOffset)
}
