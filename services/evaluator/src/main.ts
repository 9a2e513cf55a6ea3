import { type InputSource, shardLog } from '@interlock/contracts'

/**
 * What a shard of the evaluator reads: the governor's log of the same shard, which says what to watch, and every shard of the
 * profiler, since any of them may hold rows of its deployments.
 */
export function evaluatorInputs(shard: number, profilerShards: number): readonly InputSource[] {
  const profilers = Array.from(
    { length: profilerShards },
    (_, partition): InputSource => ({ kind: 'log', topic: shardLog('profiler'), partition }),
  )
  return [{ kind: 'log', topic: shardLog('governor'), partition: shard }, ...profilers]
}
