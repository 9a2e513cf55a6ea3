import { type Processor, shardLog, topics } from '@interlock/contracts'
import { type EventLog, RangeGone } from './event-log.ts'
import { beginning, type Difference, type Point, reExecute } from './re-execute.ts'
import { type ShardLog, validEntries } from './shard-reader.ts'
import { type SnapshotHead, Snapshots } from './snapshot.ts'

export interface ReplayOptions<State> {
  readonly log: EventLog
  readonly processor: Processor<State>
  readonly shard: number
  readonly prefix?: string
  /**
   * First entry that is wanted: the newest whole snapshot before it is the start, 0 starts at the log's beginning.
   * Default: behind the oldest snapshot that is still whole, or at the beginning where there is none.
   */
  readonly wanted?: bigint
  /** Called every thousand entries. */
  readonly onProgress?: (entries: number) => void
}

/** What was executed again and compared. Only without mismatches and without unreachable spans is it all right. */
export interface ReplayReport {
  readonly processor: string
  readonly shard: number
  /** Offset of the entry behind which the replay started; −1 for the beginning of the log. */
  readonly from: bigint
  /** End of the log when the replay started. */
  readonly to: bigint
  /** Valid entries executed again: outs and chain of each were compared. */
  readonly entries: number
  /** Void entries between them. */
  readonly voids: number
  readonly outs: number
  /** Entries that carry a `stateHash`: there the whole state was compared too. */
  readonly stateHashes: number
  readonly mismatches: readonly Difference[]
  /** Spans of the shard log that could not be executed again, and why. Never counted as equal. */
  readonly unreachable: readonly { readonly from: bigint; readonly to: bigint; readonly why: string }[]
  /** Builds that wrote the entries. */
  readonly builds: readonly string[]
}

/**
 * Starts from an old state of a real run, executes every later valid entry again over the ranges that it names, and
 * compares outs, chain and `stateHash` with what the log says (docs/reliability.md, invariant S7).
 */
export async function verifyReplay<State>(options: ReplayOptions<State>): Promise<ReplayReport> {
  const { log, processor, shard } = options
  const where: ShardLog = { topic: (options.prefix ?? '') + shardLog(processor.name), partition: shard }
  const snapshots = new Snapshots(log, (options.prefix ?? '') + topics.snapshots, processor.name, shard)
  const { begin, end } = await log.bounds(where.topic, where.partition)
  // Oldest first, and only those behind which the log is whole.
  const heads = [...(await snapshots.list())]
    .reverse()
    .filter(({ seq }) => BigInt(seq) + 1n >= begin && BigInt(seq) < end)

  const unreachable: { from: bigint; to: bigint; why: string }[] = []
  const mismatches: Difference[] = []
  const builds = new Set<string>()
  const counted = { entries: 0, voids: 0, outs: 0, stateHashes: 0 }
  let from = end - 1n

  const start = await startingPoint(options, snapshots, heads, begin)
  if (start) {
    from = start.seq
    const wanted = options.wanted ?? (begin > 0n ? begin : from + 1n)
    if (wanted <= from) unreachable.push({ from: wanted, to: from + 1n, why: 'no whole snapshot stands before it' })
  } else {
    unreachable.push({
      from: begin,
      to: end,
      why: `the log begins at ${begin} and no whole snapshot stands behind that`,
    })
  }
  for (let point: Point<State> | null = start; point; ) {
    const gap = await replayFrom(point)
    if (!gap) break
    point = await firstLoadable(
      snapshots,
      processor,
      heads.filter(({ seq }) => BigInt(seq) >= gap.from),
    )
    const to = point ? point.seq + 1n : end
    const before = unreachable.at(-1)
    if (before?.to === gap.from) before.to = to
    else unreachable.push({ ...gap, to })
  }
  return { processor: processor.name, shard, from, to: end, ...counted, mismatches, unreachable, builds: [...builds] }

  /** @returns where it could not go on because an input has expired, or null at the end of the log */
  async function replayFrom(start: Point<State>): Promise<{ from: bigint; why: string } | null> {
    let point = start
    for await (const valid of validEntries(log, where, start.seq, end)) {
      try {
        const { next, differences } = await reExecute(log, processor, point, valid, options)
        counted.voids += Number(valid.offset - point.seq) - 1
        point = next
        mismatches.push(...differences)
      } catch (error) {
        if (error instanceof RangeGone) return { from: valid.offset, why: error.message }
        throw error
      }
      counted.entries += 1
      counted.outs += valid.entry.outs.length
      if (valid.entry.stateHash !== null) counted.stateHashes += 1
      builds.add(valid.entry.build)
      if (counted.entries % 1_000 === 0) options.onProgress?.(counted.entries)
    }
    return null
  }
}

async function startingPoint<State>(
  { processor, shard, wanted }: ReplayOptions<State>,
  snapshots: Snapshots,
  oldestFirst: readonly SnapshotHead[],
  begin: bigint,
): Promise<Point<State> | null> {
  const before = wanted === undefined ? [] : oldestFirst.filter(({ seq }) => BigInt(seq) < wanted).reverse()
  const found = await firstLoadable(snapshots, processor, before)
  if (found) return found
  if (begin === 0n && wanted !== undefined) return beginning(processor, shard)
  const oldest = await firstLoadable(snapshots, processor, oldestFirst)
  return oldest ?? (begin === 0n ? beginning(processor, shard) : null)
}

async function firstLoadable<State>(
  snapshots: Snapshots,
  processor: Processor<State>,
  heads: readonly SnapshotHead[],
): Promise<Point<State> | null> {
  for (const head of heads) {
    const point = await snapshots.load(head, processor)
    if (point) return point
  }
  return null
}
