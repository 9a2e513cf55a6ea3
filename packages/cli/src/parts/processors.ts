import { type InputSource, type Processor, type ProcessorName, topics } from '@interlock/contracts'
import { createEvaluator, evaluatorInputs } from '@interlock/evaluator'
import { createFleet, createGovernor, fleetInputs, governorInputs } from '@interlock/governor'
import { createProfiler, profilerInputs } from '@interlock/profiler'
import type { PublicKind } from '@interlock/runtime'
import { detectorFor, resolveSignal, whyNot } from '@interlock/statistics'
import type { Wiring } from './wiring.ts'

/** What is done with a processor: hosted live, or replayed. The state's type stays the processor's own business. */
export type Use<Result> = <State>(
  processor: Processor<State>,
  inputs: (shard: number) => readonly InputSource[],
  /** A governor, or a fleet, that disagrees with what it published must not go on. */
  mustReproduce: boolean,
) => Result

export interface WiredProcessor {
  readonly name: ProcessorName
  readonly shards: number
  /** Kinds of its outs that are published. */
  readonly kinds: readonly PublicKind[]
  run<Result>(use: Use<Result>): Result
}

type Plan = Pick<Wiring, 'config' | 'deployments' | 'shards' | 'eventPartitions'>

export function profiler({ config, deployments, shards, eventPartitions }: Plan): WiredProcessor {
  const ofTeams = deployments.map(({ document }) => document.topics)
  const sources = config.probe ? [...ofTeams, { predictions: topics.probe }] : ofTeams
  const partitions = new Map([...eventPartitions, [topics.probe, shards.profiler] as const])
  const spread = { shards: shards.profiler, partitions }
  const registered = config.registry !== undefined
  return {
    name: 'profiler',
    shards: shards.profiler,
    kinds: ['dead-letter', 'replayed'],
    run: (use) =>
      use(createProfiler(), (shard) => profilerInputs(shard, sources, shards.deployments, spread, registered), false),
  }
}

export function evaluator({ shards }: Plan): WiredProcessor {
  const methods = { detectorFor, resolveSignal, whyNot }
  return {
    name: 'evaluator',
    shards: shards.deployments,
    kinds: ['evidence'],
    run: (use) =>
      use(
        createEvaluator({ shards: shards.deployments, profilerShards: shards.profiler, methods }),
        (shard) => evaluatorInputs(shard, shards.profiler),
        false,
      ),
  }
}

/** @param rootKey public root key, SPKI DER in base64 */
export function governor({ config, shards }: Plan, rootKey: string): WiredProcessor {
  return {
    name: 'governor',
    shards: shards.deployments,
    kinds: ['command', 'alert', 'dead-letter'],
    run: (use) =>
      use(
        createGovernor({ environment: config.environment, shards: shards.deployments, rootKey }),
        (shard) => governorInputs(shard),
        true,
      ),
  }
}

export function fleet({ shards }: Plan): WiredProcessor {
  return {
    name: 'fleet',
    shards: 1,
    kinds: ['alert', 'leaf', 'checkpoint'],
    run: (use) => use(createFleet(), () => fleetInputs(shards.deployments), true),
  }
}

/** All processors, in the order in which data flows. */
export function processors(plan: Plan, rootKey: string): readonly WiredProcessor[] {
  return [profiler(plan), evaluator(plan), governor(plan, rootKey), fleet(plan)]
}
