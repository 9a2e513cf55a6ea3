import type { InputSource, Processor } from '@interlock/contracts'
import { createEvaluator, evaluatorInputs } from '@interlock/evaluator'
import { createFleet, createGovernor, fleetInputs, governorInputs } from '@interlock/governor'
import { createProfiler, profilerInputs } from '@interlock/profiler'
import { detectorFor, resolveSignal, whyNot } from '@interlock/statistics'
import type { Config } from '../config.ts'
import type { DeploymentFile } from '../deployments.ts'
import type { EmbeddedKeys } from './keyset.ts'
import { embeddedShards } from './topics.ts'

/** What is done with a processor: hosted live, or replayed. The state's type stays the processor's own business. */
export type Use<Result> = <State>(
  processor: Processor<State>,
  inputs: (shard: number) => readonly InputSource[],
  /** A governor that disagrees with what it published must not go on. */
  mustReproduce: boolean,
) => Result

export interface EmbeddedProcessor {
  readonly name: string
  run<Result>(use: Use<Result>): Result
}

/** The processors of an embedded Interlock, in the order in which data flows. */
export function embeddedProcessors(
  config: Config,
  keys: EmbeddedKeys,
  deployments: readonly DeploymentFile[],
): readonly EmbeddedProcessor[] {
  const eventSources = deployments.map(({ document }) => document.topics)
  const methods = { detectorFor, resolveSignal, whyNot }
  const rootKey = keys.root.entry.publicKey
  return [
    {
      name: 'profiler',
      run: (use) => use(createProfiler(), (shard) => profilerInputs(shard, eventSources, embeddedShards), false),
    },
    {
      name: 'evaluator',
      run: (use) =>
        use(
          createEvaluator({ shards: embeddedShards, profilerShards: embeddedShards, methods }),
          (shard) => evaluatorInputs(shard, embeddedShards),
          false,
        ),
    },
    {
      name: 'governor',
      run: (use) =>
        use(
          createGovernor({ environment: config.environment, shards: embeddedShards, rootKey }),
          (shard) => governorInputs(shard),
          true,
        ),
    },
    { name: 'fleet', run: (use) => use(createFleet(), () => fleetInputs(embeddedShards), false) },
  ]
}
