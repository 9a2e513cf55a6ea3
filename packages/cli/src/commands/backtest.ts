import type { DeploymentId, PolicyDocument, Processor } from '@interlock/contracts'
import { contentHash, topics, verifyRequest } from '@interlock/contracts'
import type { EventLog, SupposedShard } from '@interlock/runtime'
import { compareCourses } from '../backtest/compare.ts'
import { describeBacktest } from '../backtest/describe.ts'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { publicKeys } from '../parts/keys.ts'
import { openLog } from '../parts/log.ts'
import { processors } from '../parts/processors.ts'
import { durationOf } from '../scenario/measures.ts'
import { soundPolicy } from './policy.ts'

export interface BacktestOptions {
  readonly deployment: DeploymentId
  /** Without a file the policies stay as they were: shows what other code would have decided. */
  readonly policy?: string
  /** How far back from the newest entry, as a policy writes durations; without it as far as the log reaches. */
  readonly since?: string
}

/**
 * `interlock policy backtest`: every recorded decision of a deployment beside what would have been decided on the very
 * same counts, requests and facts, and both held against what the record knows by its end. Reads the log, starts nothing. Exit
 * 1 when something differs.
 */
export async function backtest(config: Config, options: BacktestOptions, out: Output): Promise<number> {
  const { deployment, policy } = options
  const backMs = options.since === undefined ? Number.POSITIVE_INFINITY : durationOf('--since', options.since)
  const { log, shards: numbers } = await openLog(config, 'backtest')
  try {
    const keys = await publicKeys(config)
    const supposed = policy === undefined ? null : soundPolicy(policy)
    const recordedPolicies = supposed === null ? [] : await policiesOf(log, deployment, keys.keyset.keys)
    if (supposed !== null && recordedPolicies.length === 0) {
      throw new UsageError(`no policy of "${deployment}" lies in this log: nobody sent one.`)
    }
    const plan = { config, deployments: readDeployments(config), shards: numbers, eventPartitions: new Map() }
    const shards = processors(plan, keys.rootKey)
      .filter(({ name }) => name !== 'profiler')
      .flatMap(({ run, shards: each }) =>
        Array.from({ length: each }, (_, shard): SupposedShard => {
          return { shard, processor: run((one) => one as Processor<unknown>) }
        }),
      )
    const replaced = supposed === null ? [] : recordedPolicies.map((document) => ({ document, supposed }))
    const { found, answersBetween } = await compareCourses({ log, shards, deployment, replaced, backMs })
    out.result(found, describeBacktest(found, answersBetween))
    return found.generations.some(({ parting }) => parting !== null) ? exitCodes.breachOrRefused : exitCodes.good
  } finally {
    await log.close()
  }
}

/** Every policy document that people sent for a deployment, but for those that were only ever on trial: they decided nothing. */
async function policiesOf(
  log: EventLog,
  deployment: DeploymentId,
  keys: Parameters<typeof verifyRequest>[1],
): Promise<readonly PolicyDocument[]> {
  const found = new Map<string, PolicyDocument>()
  const tried = new Set<string>()
  const guarding = new Set<string>()
  for (let partition = 0; partition < (await log.partitions(topics.requests)); partition++) {
    const { begin, end } = await log.bounds(topics.requests, partition)
    for await (const { records } of log.read({ topic: topics.requests, partition, from: begin, to: end })) {
      for (const { key, value } of records) {
        if (value === null || key === null || Buffer.from(key).toString('utf8') !== deployment) continue
        const verified = verifyRequest(value, keys)
        if (!verified.ok) continue
        const { request } = verified.value
        if (request.kind === 'approve') guarding.add(request.object)
        if (request.kind === 'rollout') {
          guarding.add(request.policy)
          if (request.shadow !== undefined) tried.add(request.shadow)
        }
        if (request.kind !== 'document') continue
        const { document } = request
        if (document.kind === 'policy') found.set(contentHash(document), document)
      }
    }
  }
  return [...found].filter(([hash]) => !tried.has(hash) || guarding.has(hash)).map(([, document]) => document)
}
