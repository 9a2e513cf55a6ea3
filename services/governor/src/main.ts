import { type InputSource, shardLog, topics } from '@interlock/contracts'

/**
 * What a governor shard reads: the evidence of the same shard, what people ask for, what agents did, and the fleet.
 *
 * @param prefix  stands before topics of plain records, such as `interlock.`
 */
export function governorInputs(shard: number, prefix = ''): readonly InputSource[] {
  return [
    { kind: 'log', topic: prefix + shardLog('evaluator'), partition: shard },
    { kind: 'topic', topic: prefix + topics.requests, partition: shard },
    { kind: 'topic', topic: prefix + topics.facts, partition: shard },
    { kind: 'log', topic: prefix + shardLog('fleet'), partition: 0 },
  ]
}

/** The fleet's one shard reads every governor log. */
export function fleetInputs(governorShards: number, prefix = ''): readonly InputSource[] {
  return Array.from({ length: governorShards }, (_, partition) => ({
    kind: 'log',
    topic: prefix + shardLog('governor'),
    partition,
  }))
}
