import { topics } from '@interlock/contracts'
import type { SnapshotHead } from '@interlock/runtime'
import { deploymentShards, profilerShards } from './parts.ts'
import type { Chance } from './streams.ts'
import type { World } from './world.ts'

/**
 * Retention takes the head of one log, as far as nobody needs it any more: a shard log up to its own newest whole snapshot and
 * the positions of its readers' newest whole snapshots, events up to their profiler's.
 */
export function trim(world: World, chance: Chance): boolean {
  const [topic, partition] = chance.of([
    ['log.profiler', chance.below(profilerShards)],
    ['log.evaluator', chance.below(deploymentShards)],
    ['log.governor', chance.below(deploymentShards)],
    [topics.predictions, chance.below(profilerShards)],
  ] as const)
  const heads = new Map<string, SnapshotHead>()
  for (const { key, value } of world.servers.partition(topics.snapshots, 0).records) {
    const [processor, shard, seq, part] = Buffer.from(key ?? [])
      .toString()
      .split('/')
    const name = `${processor}/${shard}`
    if (part !== 'head' || value === null) continue
    const known = heads.get(name)
    if (known === undefined || BigInt(known.seq) < BigInt(seq!)) {
      heads.set(name, JSON.parse(Buffer.from(value).toString()) as SnapshotHead)
    }
  }
  const shards = [...world.landed.runs.keys()]
  if (!shards.every((name) => heads.has(name))) return false
  const source = `${topic}/${partition}`
  const needed = [...heads].flatMap(([name, { seq, positions }]) => [
    ...(`log.${name}` === source ? [BigInt(seq)] : []),
    ...(positions[source] === undefined ? [] : [BigInt(positions[source])]),
  ])
  const [before] = needed.toSorted((a, b) => (a < b ? -1 : 1))
  if (before === undefined || before <= world.servers.partition(topic, partition).begin) return false
  world.tell(source, `retention takes it up to ${before}`)
  world.publics.mayLeaveGaps ||= topic.startsWith('log.')
  world.trimmed.add(source)
  world.servers.trim(topic, partition, before)
  return true
}
