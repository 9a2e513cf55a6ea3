import {
  type DeploymentDocument,
  type InputSource,
  ownRegistry,
  type Processor,
  shardLog,
  topics as topicNames,
} from '@interlock/contracts'
import { createProfiler as create } from './processor.ts'
import type { ProfilerState } from './state.ts'

export interface ProfilerConfig {
  /** Schemas of the producers' records; by default those of schemas/. */
  readonly registry?: typeof ownRegistry
}

export function createProfiler(config: ProfilerConfig = {}): Processor<ProfilerState> {
  return create({ registry: config.registry ?? ownRegistry })
}

/** Shards of the profiler, and partitions of the topics that they share. */
export interface Spread {
  readonly shards: number
  readonly partitions: ReadonlyMap<string, number>
}

/**
 * What a shard of the profiler reads: its partitions of every topic that the deployments name, and what to watch from all
 * shards of the governor. Watches stand first, so that a step with both counts its records under the newer ones.
 *
 * @param spread  of topics with other numbers of partitions than there are shards: shard s reads every partition p with
 *   p mod shards = s. Absent: each topic has one partition a shard
 * @param registered  ids in Avro messages are a schema registry's: what it said comes first of all
 */
export function profilerInputs(
  shard: number,
  topics: readonly DeploymentDocument['topics'][],
  governorShards: number,
  spread?: Spread,
  registered = false,
): InputSource[] {
  const names = topics.flatMap(({ predictions, features, outcomes }) => [predictions, features, outcomes])
  const distinct = [...new Set(names.filter((name) => name !== undefined))].sort()
  return [
    ...(registered ? [{ kind: 'topic' as const, topic: topicNames.schemas, partition: 0 }] : []),
    ...Array.from({ length: governorShards }, (_, partition) => ({
      kind: 'log' as const,
      topic: shardLog('governor'),
      partition,
    })),
    ...distinct.flatMap((topic) =>
      partitionsOf(topic, shard, spread).map((partition) => ({ kind: 'topic' as const, topic, partition })),
    ),
  ]
}

/** The shard of the profiler that reads a partition of an event topic. */
export function profilerShardOf(partition: number, shards: number): number {
  return partition % shards
}

function partitionsOf(topic: string, shard: number, spread: Spread | undefined): readonly number[] {
  const count = spread?.partitions.get(topic)
  if (spread === undefined || count === undefined) return [shard]
  return Array.from({ length: count }, (_, partition) => partition).filter(
    (one) => profilerShardOf(one, spread.shards) === shard,
  )
}
