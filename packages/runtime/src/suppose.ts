import {
  type AnyOut,
  decodeOut,
  encodeOut,
  type Input,
  type LogTime,
  type Out,
  type Processor,
  type Range,
  shardLog,
} from '@interlock/contracts'
import { collectAgain } from './collect.ts'
import type { EventLog } from './event-log.ts'
import { kindOf, type Point, sourceName } from './re-execute.ts'
import { type ShardLog, type ValidEntry, validEntries } from './shard-reader.ts'
import { startingPoint } from './supposable.ts'

/** A shard whose recorded steps are made again, by the code or under the policy that is supposed. */
export interface SupposedShard {
  readonly shard: number
  /** The processor's state is its own business. */
  readonly processor: Processor<unknown>
  /** Where given, the recorded course is made again beside the supposed one, which may go back to it. */
  readonly record?: RecordedCourse
}

/** The recorded course of a shard. */
export interface RecordedCourse {
  /** The processor that made the record. */
  readonly processor: Processor<unknown>
  /**
   * Asked before each step, with its own state before and after the recorded one.
   *
   * @returns the state from which the step is made over what it took in the record; null: the supposed course goes on
   */
  rejoin(supposed: unknown, before: unknown, after: unknown): unknown | null
}

/** One recorded entry beside what would have been put out. */
export interface Supposition {
  readonly processor: string
  readonly shard: number
  readonly offset: bigint
  /** Append time of the recorded entry. */
  readonly at: LogTime
  readonly recorded: readonly AnyOut[]
  readonly supposed: readonly AnyOut[]
  /** Not one byte differs. */
  readonly isSame: boolean
}

export interface SupposeOptions {
  readonly log: EventLog
  readonly shards: readonly SupposedShard[]
  /** Entries appended before are taken as they are, from the newest whole snapshot before it. Default: all are made again. */
  readonly since?: LogTime
  readonly prefix?: string
}

/**
 * What would have been put out, had other code or another policy been in force: makes every recorded step of the given
 * shards again, over the very ranges that it took, where ranges over the given shards' own logs hold what is
 * supposed instead of what is recorded. Time, batching and all other inputs are those of the record, so equal code gives equal
 * bytes.
 *
 * What people and agents did stays recorded, so behind the first command that differs the world would have gone
 * another way: the caller must not read on about that deployment's generation.
 *
 * @returns the entries of all shards in the order of their append times
 * @throws RangeGone when an input lost meanwhile what a step took; Error when there is no place to start from
 */
export async function* suppose(options: SupposeOptions): AsyncGenerator<Supposition> {
  const lanes = new Map<string, Lane>()
  for (const given of options.shards) {
    const lane = await Lane.open(options, given)
    lanes.set(sourceName(lane.where), lane)
  }
  for (const reader of lanes.values()) {
    for (const range of (await reader.peek())?.entry.took ?? [])
      lanes.get(sourceName(range))?.readers.set(sourceName(reader.where), range.from)
  }
  const made: Supposition[] = []
  for (let next = await earliest([...lanes.values()]); next !== null; next = await earliest([...lanes.values()])) {
    try {
      await advance(options, lanes, next, made)
    } catch (error) {
      if (!(error instanceof EndOfRecord)) throw error
      return
    } finally {
      yield* made.splice(0)
    }
  }
}

/** A live log grew meanwhile: a step took what was appended behind the end that was looked at. */
class EndOfRecord extends Error {}

/** A shard log that is gone through, and the outs that are supposed to stand in it. */
class Lane {
  readonly where: ShardLog
  readonly processor: Processor<unknown>
  point: Point<unknown>
  /** The recorded course, and its state before the next entry. */
  readonly record: { readonly course: RecordedCourse; state: unknown } | null
  /** Entries up to this one are as recorded. */
  readonly start: bigint
  /** By offset; forgotten once every reader among the lanes has taken them. */
  readonly outs = new Map<bigint, { readonly at: LogTime; readonly outs: readonly AnyOut[] }>()
  /** Offset that each reader takes next, by its name. */
  readonly readers = new Map<string, bigint>()
  /** Before it all outs were forgotten. */
  forgotten = 0n
  readonly #entries: AsyncGenerator<ValidEntry>
  #ahead: ValidEntry | null | undefined

  private constructor(
    where: ShardLog,
    processor: Processor<unknown>,
    point: Point<unknown>,
    record: Lane['record'],
    entries: AsyncGenerator<ValidEntry>,
  ) {
    this.where = where
    this.processor = processor
    this.point = point
    this.record = record
    this.start = point.seq
    this.#entries = entries
  }

  static async open(options: SupposeOptions, { processor, shard, record }: SupposedShard): Promise<Lane> {
    const { log, prefix = '' } = options
    const where = { topic: prefix + shardLog(processor.name), partition: shard }
    const { end } = await log.bounds(where.topic, where.partition)
    const point = await startingPoint(options, where, processor)
    const course = record && { course: record, state: (await startingPoint(options, where, record.processor)).state }
    return new Lane(where, processor, point, course ?? null, validEntries(log, where, point.seq, end))
  }

  /** The next recorded entry, or null behind the last one. */
  async peek(): Promise<ValidEntry | null> {
    if (this.#ahead === undefined) {
      const { done, value } = await this.#entries.next()
      this.#ahead = done ? null : value
    }
    return this.#ahead
  }

  take(): void {
    this.#ahead = undefined
  }
}

async function earliest(lanes: readonly Lane[]): Promise<Lane | null> {
  let first: Lane | null = null
  let least = Number.POSITIVE_INFINITY
  for (const lane of lanes) {
    const at = (await lane.peek())?.at
    if (at === undefined || at >= least) continue
    first = lane
    least = at
  }
  return first
}

/** Makes one step of a lane again, and before it every step of the other lanes that it reads. */
async function advance(
  options: SupposeOptions,
  lanes: ReadonlyMap<string, Lane>,
  lane: Lane,
  made: Supposition[],
): Promise<void> {
  const valid = await lane.peek()
  if (valid === null) return
  lane.take()
  const { entry, offset, at } = valid
  const batch: Input[] = []
  for (const range of entry.took) batch.push(...(await inputsOf(options, lanes, lane, range, made)))
  const time = Math.max(lane.point.time, lane.point.at)
  const anew = await rejoin(options, lane, entry, time)
  const from = anew ?? { state: lane.point.state, batch }
  const [state, anyOuts] = lane.processor.step(from.state, from.batch, time, entry.caughtUp)
  const outs = anyOuts.map(encodeOut)
  const supposed = outs.map(decodeOut)
  lane.point = { ...lane.point, state, seq: offset, at, time }
  if (lane.readers.size > 0) lane.outs.set(offset, { at, outs: supposed })
  const { topic, partition } = lane.where
  made.push({
    processor: topic.slice(topic.lastIndexOf('.') + 1),
    shard: partition,
    offset,
    at,
    recorded: entry.outs.map(decodeOut),
    supposed,
    isSame: isSame(entry.outs, outs),
  })
}

/** Makes the recorded step beside the supposed one, and asks whether that goes on from it. */
async function rejoin(
  options: SupposeOptions,
  { record, point }: Lane,
  { took, caughtUp }: ValidEntry['entry'],
  time: LogTime,
): Promise<{ readonly state: unknown; readonly batch: readonly Input[] } | null> {
  if (record === null) return null
  const batch: Input[] = []
  for (const range of took) {
    batch.push(...(await collectAgain(options.log, kindOf(range.topic, options.prefix), range)))
  }
  const before = record.state
  const [after] = record.course.processor.step(before, batch, time, caughtUp)
  record.state = after
  const state = record.course.rejoin(point.state, before, after)
  return state === null ? null : { state, batch }
}

async function inputsOf(
  options: SupposeOptions,
  lanes: ReadonlyMap<string, Lane>,
  reader: Lane,
  range: Range,
  made: Supposition[],
): Promise<readonly Input[]> {
  const kind = kindOf(range.topic, options.prefix)
  const source = kind === 'log' ? lanes.get(sourceName(range)) : undefined
  if (source === undefined) return collectAgain(options.log, kind, range)
  const from = range.from > source.start + 1n ? range.from : source.start + 1n
  const inputs: Input[] =
    range.from < from ? await collectAgain(options.log, kind, { ...range, to: from < range.to ? from : range.to }) : []
  if (from < source.forgotten)
    throw new Error(`${sourceName(range)}: ${sourceName(reader.where)} reads it anew from ${from}`)
  while (source.point.seq + 1n < range.to) {
    if ((await source.peek()) === null) throw new EndOfRecord()
    await advance(options, lanes, source, made)
  }
  const processor = range.topic.slice(range.topic.lastIndexOf('.') + 1)
  for (const [offset, { at, outs }] of source.outs) {
    if (offset < from || offset >= range.to) continue
    for (const out of outs) inputs.push({ kind: 'out', processor, shard: range.partition, offset, at, out })
  }
  source.readers.set(sourceName(reader.where), range.to)
  forget(source)
  return inputs
}

function forget(lane: Lane): void {
  const [taken = 0n] = [...lane.readers.values()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  for (const offset of lane.outs.keys()) if (offset < taken) lane.outs.delete(offset)
  lane.forgotten = taken
}

function isSame(recorded: readonly Out[], made: readonly Out[]): boolean {
  return (
    recorded.length === made.length &&
    recorded.every(({ kind, key, value }, index) => {
      const other = made[index] as Out
      return kind === other.kind && key === other.key && Buffer.compare(value, other.value) === 0
    })
  )
}
