import { type LogTime, type Processor, shardLog, topics } from '@interlock/contracts'
import type { EventLog } from './event-log.ts'
import { beginning, type Point, sourceName } from './re-execute.ts'
import { beginningOfLog, type ShardLog, validEntries } from './shard-reader.ts'
import { type SnapshotHead, Snapshots } from './snapshot.ts'

interface Reading {
  readonly log: EventLog
  readonly prefix?: string
}

/**
 * Where the steps of a shard are made again from: the newest whole snapshot from `since` or before, or else the log's beginning, or
 * else the oldest whole snapshot; and what was taken from there on must still be in the inputs.
 *
 * @throws Error when there is no such place
 */
export async function startingPoint(
  { log, prefix = '', since }: Reading & { readonly since?: LogTime },
  where: ShardLog,
  processor: Processor<unknown>,
): Promise<Point<unknown>> {
  const { begin } = await log.bounds(where.topic, where.partition)
  const snapshots = new Snapshots(log, prefix + topics.snapshots, processor.name, where.partition)
  const newestFirst = (await snapshots.list()).filter(({ seq }) => BigInt(seq) + 1n >= begin)
  const inputs = new Inputs(log)
  const whole = async (head: SnapshotHead): Promise<Point<unknown> | null> =>
    (await inputs.holdFrom(positionsOf(head))) ? snapshots.load(head, processor) : null
  for (const head of newestFirst) {
    const point = since !== undefined && head.at <= since ? await whole(head) : null
    if (point !== null) return point
  }
  if (begin === 0n && (await inputs.holdFrom(await firstPositions(log, where))))
    return beginning(processor, where.partition)
  for (const head of newestFirst.toReversed()) {
    const point = await whole(head)
    if (point !== null) return point
  }
  throw new Error(
    `${sourceName(where)}: the log begins at ${begin}, and no whole snapshot stands where its inputs are still held`,
  )
}

/**
 * What of a record can be made again: from the time on from which every one of these shards has a place to start (0: from their
 * logs' beginnings), to the newest entry.
 *
 * @throws Error when a shard has no such place
 */
export async function supposableSpan({
  log,
  shards,
  prefix = '',
}: Reading & {
  readonly shards: readonly { readonly shard: number; readonly processor: Processor<unknown> }[]
}): Promise<{ readonly from: LogTime; readonly to: LogTime }> {
  let from = 0
  let to = 0
  for (const { processor, shard } of shards) {
    const where = { topic: prefix + shardLog(processor.name), partition: shard }
    from = Math.max(from, (await startingPoint({ log, prefix }, where, processor)).at)
    const { begin, end } = await log.bounds(where.topic, where.partition)
    if (begin >= end) continue
    for await (const { records } of log.read({ ...where, from: end - 1n, to: end })) {
      for (const { at } of records) to = Math.max(to, at)
    }
  }
  return { from, to }
}

type Positions = readonly (readonly [input: string, offset: bigint])[]

function positionsOf({ positions }: SnapshotHead): Positions {
  return Object.entries(positions).map(([input, offset]) => [input, BigInt(offset)])
}

/** Where a shard's first entry begins to take: an entry names every input, also where it takes nothing. */
async function firstPositions(log: EventLog, where: ShardLog): Promise<Positions> {
  const { end } = await log.bounds(where.topic, where.partition)
  for await (const { entry } of validEntries(log, where, beginningOfLog, end)) {
    return entry.took.map((range) => [sourceName(range), range.from])
  }
  return []
}

/** What inputs still hold, each asked once. */
class Inputs {
  readonly #log: EventLog
  readonly #begins = new Map<string, bigint>()

  constructor(log: EventLog) {
    this.#log = log
  }

  async holdFrom(positions: Positions): Promise<boolean> {
    for (const [input, offset] of positions) if ((await this.#begin(input)) > offset) return false
    return true
  }

  async #begin(input: string): Promise<bigint> {
    const slash = input.lastIndexOf('/')
    const begin =
      this.#begins.get(input) ?? (await this.#log.bounds(input.slice(0, slash), Number(input.slice(slash + 1)))).begin
    this.#begins.set(input, begin)
    return begin
  }
}
