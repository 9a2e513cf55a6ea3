import type { ListReceipt, ReceiptPart, ReceiptPlan, ReceiptRow } from '@interlock/console'
import {
  type AnyOut,
  type CountsOut,
  type DeadLetterOut,
  decodeOut,
  defaultTimes,
  encodeOut,
  type Input,
  ownRegistry,
  type Range,
  shardLog,
  topics,
} from '@interlock/contracts'
import { createProfiler, type ListedRow, listRows, type ProfilerState } from '@interlock/profiler'
import {
  beginningOfLog,
  collectAgain,
  type EventLog,
  firstKnownValid,
  kindOf,
  RangeGone,
  Snapshots,
  type ValidEntry,
  validEntries,
} from '@interlock/runtime'
import { type ClosedPanes, closedPanes } from './closed-panes.ts'
import { ReceiptSums } from './receipt-sums.ts'
import { unhurried } from './unhurried.ts'

/** The rows that were listed are not those that were counted: the log, or this build, is not what it was. */
export class ReceiptDisagrees extends Error {
  override readonly name = 'ReceiptDisagrees'
}

/**
 * Lists what a version answered by making the profiler's steps again: over the very ranges that its entries name, with the
 * same decoder and rules, and with the counts that it makes held against those in the log. Only entries that counted answers
 * of the version are read again, one at a time, so memory does not grow with the receipt.
 */
export function receiptLister(log: EventLog): ListReceipt {
  return async function* list(plan) {
    const sums = new ReceiptSums()
    const shards = await log.partitions(shardLog('profiler'))
    const since = plan.onset.from - defaultTimes.maxFutureSkewMs
    const late = await closedPanes(log, plan.deployment, since)
    for (let shard = 0; shard < shards; shard++) yield* listShard(log, shard, plan, since, late, sums)
    yield { end: sums.end() }
  }
}

/** Dead rows are told of up to so long after the proof that the version answers no more. */
const settleMs = 60_000

type Lister = ReturnType<typeof listRows>

async function* listShard(
  log: EventLog,
  shard: number,
  plan: ReceiptPlan,
  since: number,
  late: ClosedPanes,
  sums: ReceiptSums,
): AsyncGenerator<ReceiptPart> {
  const where = { topic: shardLog('profiler'), partition: shard }
  const { end } = await log.bounds(where.topic, shard)
  const lister = listRows(
    ownRegistry,
    ({ watch, version, variant, generation }, at) =>
      watch.deployment === plan.deployment &&
      version === plan.from &&
      variant !== 'shadow' &&
      generation <= plan.generation &&
      at >= plan.onset.from &&
      (plan.until === null || at < plan.until),
  )
  const start = await startOf(log, shard, since)
  let { state } = start
  const deadUntil = plan.verified === null ? Number.POSITIVE_INFINITY : plan.verified.at + settleMs
  for await (const valid of unhurried(validEntries(log, where, start.after, end))) {
    const { entry, offset, at } = valid
    const counts = countsOf(valid, plan)
    const isInTime = at >= since
    const hasCounts = isInTime && counts.some((out) => isExposure(out, plan))
    const hasReplays = entry.outs.some(({ kind }) => kind === 'replayed')
    if (at >= plan.onset.from && at <= deadUntil) sums.died(deadOf(valid, plan))
    const inputs = hasCounts || hasReplays ? await inputsOf(log, entry.took) : null
    if (inputs === null || state === null) {
      if (hasCounts) sums.expire(counts.filter((out) => isExposure(out, plan)))
      if (state !== null) state = await ruledAfter(log, lister, state, entry.took)
      continue
    }
    // The entry's own time only moves the watermark, which no row depends on.
    const listing = lister(state, inputs, at, entry.caughtUp)
    state = listing.state
    if (!hasCounts) continue
    assertSame(counts, listing.outs, plan, `${where.topic}/${shard} entry ${offset}`)
    sums.read(entry.took.filter(({ topic }) => kindOf(topic) === 'topic'))
    for (const row of listing.rows) {
      const isLate = row.pane < late.endAt(shard, offset)
      sums.add(row, isLate)
      yield { row: receiptRow(row, isLate) }
    }
  }
}

/** The newest state of the shard from before `since`; null where the log no longer tells it: then only counts are known. */
async function startOf(
  log: EventLog,
  shard: number,
  since: number,
): Promise<{ readonly state: ProfilerState | null; readonly after: bigint }> {
  const profiler = createProfiler()
  const where = { topic: shardLog('profiler'), partition: shard }
  const snapshots = new Snapshots(log, topics.snapshots, profiler.name, shard)
  const { begin } = await log.bounds(where.topic, shard)
  for (const head of await snapshots.list()) {
    if (head.at >= since || BigInt(head.seq) + 1n < begin) continue
    const point = await snapshots.load(head, profiler)
    if (point !== null) return { state: point.state, after: point.seq }
  }
  const after = await firstKnownValid(log, where)
  if (after === null) return { state: null, after: begin - 1n }
  return { state: after === beginningOfLog ? profiler.empty(shard) : null, after }
}

function countsOf({ entry }: ValidEntry, plan: ReceiptPlan): readonly CountsOut[] {
  return entry.outs
    .filter(({ kind, key }) => kind === 'counts' && key === plan.deployment)
    .map((out) => decodeOut(out) as CountsOut)
}

/** Whether these counts hold answers of the plan. Panes are whole: an onset within one is for the rows to say. */
function isExposure({ version, variant, generation, pane }: CountsOut, plan: ReceiptPlan): boolean {
  return (
    version === plan.from &&
    variant !== 'shadow' &&
    generation <= plan.generation &&
    pane + plan.paneMs > plan.onset.from &&
    (plan.until === null || pane < plan.until)
  )
}

function deadOf({ entry }: ValidEntry, plan: ReceiptPlan): readonly DeadLetterOut[] {
  const letters = entry.outs.filter(({ kind }) => kind === 'dead-letter').map((out) => decodeOut(out) as DeadLetterOut)
  return letters.filter(({ topic }) => topic === plan.topic)
}

/** Everything that an entry took, in its order; null where the log no longer holds all of it. */
async function inputsOf(log: EventLog, took: readonly Range[]): Promise<readonly Input[] | null> {
  const inputs: Input[] = []
  try {
    for (const range of took) inputs.push(...(await collectAgain(log, kindOf(range.topic), range)))
  } catch (error) {
    if (error instanceof RangeGone) return null
    throw error
  }
  return inputs
}

/** The state after an entry that is not made again: what it took of watches and schemas, by which later rows are counted. */
async function ruledAfter(
  log: EventLog,
  lister: Lister,
  state: ProfilerState,
  took: readonly Range[],
): Promise<ProfilerState> {
  const inputs: Input[] = []
  for (const range of took) {
    const kind = kindOf(range.topic)
    if (range.to <= range.from || (kind === 'topic' && range.topic !== topics.schemas)) continue
    inputs.push(...(await collectAgain(log, kind, range)))
  }
  return inputs.length === 0 ? state : lister(state, inputs, 0, false).state
}

/** @throws ReceiptDisagrees */
function assertSame(inLog: readonly CountsOut[], made: readonly AnyOut[], plan: ReceiptPlan, where: string): void {
  const own = made.filter((out): out is CountsOut => out.kind === 'counts' && out.deployment === plan.deployment)
  const bytes = (outs: readonly CountsOut[]): string =>
    outs.map((out) => Buffer.from(encodeOut(out).value).toString('base64')).join()
  if (bytes(inLog) === bytes(own)) return
  const rows = (outs: readonly CountsOut[]): number => outs.reduce((sum, out) => sum + out.rows, 0)
  throw new ReceiptDisagrees(
    `${where}: the log counted ${rows(inLog)} rows of ${plan.deployment}, and reading the same input again counts ${rows(own)} or counts them otherwise. Run \`interlock replay --verify\`.`,
  )
}

function receiptRow(row: ListedRow, isLate: boolean): ReceiptRow {
  const { id, unit, eventTimeMs, version, variant, generation, status, prediction, score, segments, producer } = row
  return {
    id,
    unit,
    at: eventTimeMs,
    version,
    variant,
    generation,
    status,
    // JSON has no NaN and no infinities, and a model may have answered them.
    output: { prediction, score: score === null || Number.isFinite(score) ? score : String(score) },
    segments,
    producer,
    place: `${row.topic}/${row.partition}/${row.offset}/${row.row}`,
    ...(isLate ? { late: true } : {}),
  }
}
