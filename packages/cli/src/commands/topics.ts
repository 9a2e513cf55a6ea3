import { shardLog } from '@interlock/contracts'
import type { EventLog, TopicOptions } from '@interlock/runtime'
import { TopicMismatch, TopicUnfit, UnknownTopic } from '@interlock/runtime'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { exitCodes, Refused, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { kafkaOf, openKafka } from '../parts/kafka.ts'
import { clusterTopics, namedTopics } from '../parts/topics.ts'
import { aclCommand, aclGrants, servicePlace } from './acls.ts'

export interface TopicsOptions {
  /** Make event topics that are not there, too, with so many partitions. */
  readonly events?: number
  /** Print who may do what instead of making anything. */
  readonly printAcls?: boolean
  /** Names of the services' principals; `{service}` stands for the service. */
  readonly principals: string
}

/** `interlock topics create --print-acls`: calls of Kafka's own tool; needs no cluster. */
function printAcls(config: Config, pattern: string, out: Output): number {
  if (!pattern.includes(servicePlace)) {
    throw new UsageError(
      `--principals ${pattern}: put ${servicePlace} where the service's name belongs, so that each has its own.`,
    )
  }
  const [broker = ''] = kafkaOf(config).brokers
  const grants = aclGrants(config, pattern, namedTopics(readDeployments(config).map(({ document }) => document)))
  out.result({ grants }, grants.map((grant) => aclCommand(grant, broker)).join('\n'))
  return exitCodes.good
}

/**
 * `interlock topics create`: makes every topic of ours that is not there, and checks those that are. Nothing that exists is
 * changed; what does not fit is refused.
 */
export async function topicsCreate(config: Config, options: TopicsOptions, out: Output): Promise<number> {
  const { events } = options
  if (options.printAcls) return printAcls(config, options.principals, out)
  const { prefix, shards } = kafkaOf(config)
  const log = openKafka(config, 'topics')
  try {
    const teams = namedTopics(readDeployments(config).map(({ document }) => document))
    const found = new Map<string, number | null>()
    for (const name of teams) found.set(name, await partitionsOf(log, name))
    const missing = teams.filter((name) => found.get(name) === null)
    if (events !== undefined) {
      for (const name of missing) {
        await make(log, name, name, { partitions: events })
        found.set(name, events)
      }
    }
    const largest = Math.max(0, ...[...found.values()].map((partitions) => partitions ?? 0))
    // What was made once stays: a team that enlarges its topic adds partitions to the same shards.
    const profiler = shards.profiler ?? (await partitionsOf(log, shardLog('profiler'))) ?? largest
    if (profiler === 0) {
      throw new UsageError(
        `The number of profiler shards is the number of partitions of your event topics, and ${
          missing.length > 0 ? `${missing.join(', ')} is not on the cluster` : 'no deployment names one'
        }. Make them first, or with --events <partitions>, or write kafka.shards.profiler into interlock.yaml.`,
      )
    }
    const made = clusterTopics({ profiler, deployments: shards.deployments })
    for (const { name, ...wanted } of made) await make(log, name, prefix + name, wanted)
    const absent = events === undefined ? missing : []
    out.result(
      {
        topics: made.map(({ name, partitions }) => ({ name: prefix + name, partitions })),
        events: Object.fromEntries(found),
        missing: absent,
      },
      [
        ...made.map(({ name, partitions }) => `✓ ${prefix}${name}  ${partitions}`),
        ...[...found].map(
          ([name, partitions]) => `${partitions === null ? '! not there' : '✓'} ${name}  ${partitions ?? ''}`,
        ),
        ...(absent.length > 0
          ? ['Whoever produces the events makes their topics; the services do not start before.']
          : []),
      ].join('\n'),
    )
    return exitCodes.good
  } finally {
    await log.close()
  }
}

async function make(log: EventLog, name: string, shown: string, options: TopicOptions): Promise<void> {
  try {
    await log.createTopic(name, options)
  } catch (error) {
    if (error instanceof TopicMismatch || error instanceof TopicUnfit) throw new Refused(error.message)
    throw error instanceof Error ? new Error(`${shown}: ${error.message}`, { cause: error }) : error
  }
}

async function partitionsOf(log: EventLog, topic: string): Promise<number | null> {
  try {
    return await log.partitions(topic)
  } catch (error) {
    if (error instanceof UnknownTopic) return null
    throw error
  }
}
