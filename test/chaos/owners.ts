import { shardLog } from '@interlock/contracts'
import { beginningOfLog, type EventLog, validEntries } from '@interlock/runtime'
import type { Killed } from './cast.ts'

/** Who wrote the shard logs. */
export interface Entries {
  readonly valid: number
  readonly void: number
  readonly owners: number
  /** From each kill of an owner to the next valid entry of its shard by another, ms. */
  failovers(killed: readonly Killed[]): readonly number[]
}

export async function entriesByOwner(log: EventLog): Promise<Entries> {
  const times = new Map<string, { readonly at: number; readonly owner: string }[]>()
  const owners = new Set<string>()
  let valid = 0
  let all = 0
  for (const processor of ['profiler', 'evaluator', 'governor', 'fleet']) {
    const topic = shardLog(processor)
    const shards = await log.partitions(topic)
    for (let shard = 0; shard < shards; shard++) {
      const { end } = await log.bounds(topic, shard)
      all += Number(end)
      const list: { at: number; owner: string }[] = []
      times.set(`${processor}/${shard}`, list)
      for await (const { at, entry } of validEntries(log, { topic, partition: shard }, beginningOfLog, end)) {
        list.push({ at, owner: entry.owner })
        owners.add(entry.owner)
      }
      valid += list.length
    }
  }
  return {
    valid,
    void: all - valid,
    owners: owners.size,
    failovers: (killed) =>
      killed.flatMap(({ at, owned }) =>
        owned.flatMap(({ processor, shards }) =>
          shards.flatMap((shard) => {
            const list = times.get(`${processor}/${shard}`) ?? []
            const last = list.findLast((entry) => entry.at <= at)
            const next = list.find((entry) => entry.at > at && entry.owner !== last?.owner)
            return next === undefined ? [] : [next.at - at]
          }),
        ),
      ),
  }
}
