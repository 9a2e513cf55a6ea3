import { type DeploymentDocument, type InputSource, ownRegistry, type Processor, shardLog } from '@interlock/contracts'
import { createProfiler as create } from './processor.ts'
import type { ProfilerState } from './state.ts'

export interface ProfilerConfig {
  /** Schemas of the producers' records; by default those of schemas/. */
  readonly registry?: typeof ownRegistry
}

export function createProfiler(config: ProfilerConfig = {}): Processor<ProfilerState> {
  return create({ registry: config.registry ?? ownRegistry })
}

/**
 * What a shard of the profiler reads: its partition of every topic that the deployments name, and what to watch from all
 * shards of the governor. Watches stand first, so that a step with both counts its records under the newer ones.
 */
export function profilerInputs(
  shard: number,
  topics: readonly DeploymentDocument['topics'][],
  governorShards: number,
): InputSource[] {
  const names = topics.flatMap(({ predictions, features, outcomes }) => [predictions, features, outcomes])
  const distinct = [...new Set(names.filter((name) => name !== undefined))].sort()
  return [
    ...Array.from({ length: governorShards }, (_, partition) => ({
      kind: 'log' as const,
      topic: shardLog('governor'),
      partition,
    })),
    ...distinct.map((topic) => ({ kind: 'topic' as const, topic, partition: shard })),
  ]
}
