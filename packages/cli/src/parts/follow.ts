import { type AnyOut, decodeOut, type ProcessorName, shardLog } from '@interlock/contracts'
import {
  beginningOfLog,
  firstKnownValid,
  followShard,
  isTransient,
  keepRunning,
  RangeGone,
  type ShardLog,
  withDeadlines,
} from '@interlock/runtime'
import type { Part, Wiring } from './wiring.ts'

export type TakeOut = (out: AnyOut, at: number, offset: bigint, shard: number) => void
type Following = Pick<Wiring, 'log' | 'clock' | 'logger' | 'random'>

const lookMs = 500

/** Hands over every out of a processor's valid entries once, from the beginning of its logs, then live. */
export function followPart(wiring: Following, processor: ProcessorName, take: TakeOut): Part {
  const options = { ...wiring, log: withDeadlines(wiring.log, wiring.clock) }
  return async (signal) => {
    const topic = shardLog(processor)
    const shards = await wiring.log.partitions(topic)
    const follow = (shard: number) => followOne(options, { topic, partition: shard }, take, signal)
    await Promise.all(Array.from({ length: shards }, (_, shard) => follow(shard)))
  }
}

async function followOne(options: Following, source: ShardLog, take: TakeOut, signal: AbortSignal): Promise<void> {
  const { log, clock } = options
  let after: bigint | null = null
  const work = async (): Promise<void> => {
    const { begin } = await log.bounds(source.topic, source.partition)
    // Nothing was read yet, or retention has overtaken the reader.
    if (after === null || after + 1n < begin) after = await firstKnownValid(log, source)
    while (after === null && !signal.aborted) {
      await clock.sleep(lookMs, signal)
      after = await firstKnownValid(log, source)
    }
    for await (const { offset, at, entry } of followShard(log, source, after ?? beginningOfLog, clock, signal)) {
      for (const out of entry.outs) take(decodeOut(out), at, offset, source.partition)
      after = offset
    }
  }
  const mayTryAgain = (error: unknown): boolean => isTransient(error) || error instanceof RangeGone
  await keepRunning(options, `reader of ${source.topic}/${source.partition}`, signal, work, mayTryAgain)
}
