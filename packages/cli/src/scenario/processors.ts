import { createEvaluator } from '@interlock/evaluator'
import { createFleet, createGovernor } from '@interlock/governor'
import { createProfiler } from '@interlock/profiler'
import type { MakeProcessors } from '@interlock/scenario'

/** The processors that are hosted live, one shard each: what a scenario is handed. */
export const realProcessors: MakeProcessors = ({ environment, rootKey }) => ({
  profiler: createProfiler(),
  evaluator: createEvaluator({ shards: 1, profilerShards: 1 }),
  governor: createGovernor({ environment, shards: 1, rootKey }),
  fleet: createFleet(),
})
