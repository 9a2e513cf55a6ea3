import { decodeOut, type EventTime, type EvidenceOut, type LogTime, shardLog, shardOf } from '@interlock/contracts'
import { beginningOfLog, type EventLog, firstKnownValid, offsetAt, validEntries } from '@interlock/runtime'
import { unhurried } from './unhurried.ts'

/** Up to where the evaluator had closed panes when it took an entry of a profiler shard. */
export interface ClosedPanes {
  /** End of the last pane that was closed before the evaluator took the entry at `offset`; rows of panes before it are late. */
  endAt(shard: number, offset: bigint): EventTime
}

/** Entries before the wanted time that are looked at to find a valid one to start from. */
const room = 1_000n

/** Reads the evaluator's log of a deployment from `since` on. Keeps one place a closed pane and profiler shard. */
export async function closedPanes(log: EventLog, deployment: string, since: LogTime): Promise<ClosedPanes> {
  const topic = shardLog('evaluator')
  const where = { topic, partition: shardOf(deployment, await log.partitions(topic)) }
  const { end } = await log.bounds(topic, where.partition)
  const near = (await offsetAt(log, where, since)) - room
  const after = (await firstKnownValid(log, where, near > 0n ? near : 0n)) ?? (await firstKnownValid(log, where))
  const places = new Map<number, { readonly from: bigint; readonly end: EventTime }[]>()
  let closedTo = Number.NEGATIVE_INFINITY
  const entries = validEntries(log, where, after ?? beginningOfLog, after === null ? 0n : end)
  for await (const { entry } of unhurried(entries)) {
    for (const range of entry.took) {
      if (range.topic !== shardLog('profiler')) continue
      const known = places.get(range.partition) ?? []
      places.set(range.partition, known)
      if (known.at(-1)?.end !== closedTo) known.push({ from: range.from, end: closedTo })
    }
    // A step takes its counts first and closes panes then.
    for (const out of entry.outs) {
      if (out.kind !== 'evidence' || out.key !== deployment) continue
      const { pane, paneMs } = decodeOut(out) as EvidenceOut
      closedTo = Math.max(closedTo, pane + paneMs)
    }
  }
  return {
    endAt: (shard, offset) =>
      places.get(shard)?.findLast(({ from }) => from <= offset)?.end ?? Number.NEGATIVE_INFINITY,
  }
}
