import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isOwnTopic, type ProcessorName, shardLog, topics } from '@interlock/contracts'
import {
  type EventLog,
  type KafkaConnection,
  type KafkaLogOptions,
  KafkaMembership,
  type Membership,
  openKafkaLog,
  seededRandom,
  systemClock,
  UnknownTopic,
} from '@interlock/runtime'
import type { Logger } from 'pino'
import { build } from '../build.ts'
import type { Config } from '../config.ts'
import { type DeploymentFile, readDeployments } from '../deployments.ts'
import { Unavailable, UsageError } from '../errors.ts'
import type { KafkaSection } from '../kafka-config.ts'
import { sharedMembership } from './membership.ts'
import { fromEnvironment } from './platforms.ts'
import type { Part, Shards, Wiring } from './wiring.ts'

/** The section `kafka` of the configuration. @throws UsageError where there is none */
export function kafkaOf(config: Config): KafkaSection {
  if (config.kafka !== undefined) return config.kafka
  throw new UsageError(
    `${config.file ?? 'interlock.yaml'}: has no section \`kafka\`, and this needs a cluster. Add kafka.brokers, or run everything in one process with \`interlock up\`.`,
  )
}

/** How a service reaches the cluster; secrets come from the environment. */
export function kafkaConnection(config: Config, service: string, logger?: Logger): KafkaConnection {
  const { brokers, clientId, ssl, sasl } = kafkaOf(config)
  return {
    brokers,
    clientId: `${clientId}-${service}`,
    ssl: typeof ssl === 'boolean' ? ssl : certificates(config, ssl),
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: sasl.mechanism,
            username: sasl.username,
            password: fromEnvironment(sasl.passwordEnv, `Kafka’s user ${sasl.username}`),
          },
        }),
    ...(logger === undefined ? {} : { logger }),
  }
}

function certificates(config: Config, files: Exclude<KafkaSection['ssl'], boolean>): Record<string, Buffer> {
  const read = (name: string, path: string | undefined): [string, Buffer][] => {
    if (path === undefined) return []
    const file = resolve(config.base, path)
    try {
      return [[name, readFileSync(file)]]
    } catch (error) {
      throw new UsageError(`${file}: cannot be read (${(error as Error).message}); kafka.ssl names it.`)
    }
  }
  return Object.fromEntries([
    ...read('ca', files.caFile),
    ...read('cert', files.certFile),
    ...read('key', files.keyFile),
  ])
}

/** The log of the cluster. Names of our own topics get the prefix on the brokers, those of teams stay as they are. */
export function openKafka(config: Config, service: string, logger?: Logger): EventLog {
  const { prefix, replication } = kafkaOf(config)
  const options: KafkaLogOptions = {
    ...kafkaConnection(config, service, logger),
    prefix,
    isOwn: isOwnTopic,
    ...(replication === undefined ? {} : { replication }),
  }
  return openKafkaLog(options)
}

export interface KafkaWiring {
  readonly wiring: Wiring
  /** Leaves the groups and closes the log; call it once every part has ended. */
  close(): Promise<void>
}

/**
 * A wiring over the cluster: numbers of shards as the topics have them, membership by one group a processor.
 *
 * @param owns told of the shards of a processor that this process owns, at each change
 * @throws UsageError, Unavailable when the cluster does not answer, topics are missing, or do not fit
 */
export async function openKafkaWiring(
  config: Config,
  service: string,
  logger: Logger,
  owns: (processor: ProcessorName, shards: readonly number[]) => void,
): Promise<KafkaWiring> {
  const deployments = readDeployments(config)
  const { prefix } = kafkaOf(config)
  const log = openKafka(config, service, logger)
  try {
    const shards = await shardsOf(config, log)
    const eventPartitions = await partitionsOfEvents(config, log, deployments)
    const groups: KafkaMembership[] = []
    const memberships = new Map<ProcessorName, Membership>()
    const membership = (processor: ProcessorName): Membership => {
      const known = memberships.get(processor)
      if (known !== undefined) return known
      const group = new KafkaMembership({
        ...kafkaConnection(config, service, logger),
        groupId: prefix + processor,
        topic: prefix + shardLog(processor),
      })
      groups.push(group)
      const heard: Membership = {
        on: (change) =>
          group.on((owned) => {
            owns(processor, owned)
            change(owned)
          }),
      }
      const shared = sharedMembership(heard)
      memberships.set(processor, shared)
      return shared
    }
    const clock = systemClock
    const random = seededRandom(process.pid)
    return {
      wiring: {
        ...{ config, deployments, log, clock, logger, build: build(), shards, eventPartitions, random, membership },
      },
      async close() {
        await Promise.all(groups.map((group) => group.close()))
        await log.close()
      },
    }
  } catch (error) {
    await log.close()
    throw error
  }
}

/**
 * Numbers of shards, as the topics have them.
 *
 * @throws Unavailable when a topic is not there, UsageError when it has other partitions than configured
 */
export async function shardsOf(config: Config, log: EventLog): Promise<Shards> {
  const { prefix, shards: wanted, brokers } = kafkaOf(config)
  const partitions = async (topic: string): Promise<number> =>
    log.partitions(topic).catch((error: unknown) => {
      if (error instanceof UnknownTopic) {
        throw new Unavailable(
          `Topic "${prefix}${topic}" is not on the cluster (${brokers.join(', ')}). Run \`interlock topics create\` first.`,
        )
      }
      throw error
    })
  const found = {
    profiler: await partitions(shardLog('profiler')),
    deployments: await partitions(shardLog('governor')),
  }
  for (const name of ['profiler', 'deployments'] as const) {
    const asked = wanted[name]
    if (asked !== undefined && asked !== found[name]) {
      throw new UsageError(
        `kafka.shards.${name} is ${asked}, and the topics were made with ${found[name]}: the number of shards is fixed then. Configure ${found[name]}, or choose another kafka.prefix and start anew.`,
      )
    }
  }
  for (const topic of [shardLog('evaluator'), topics.requests, topics.facts, topics.commands]) {
    const has = await partitions(topic)
    if (has !== found.deployments) {
      throw new UsageError(
        `Topic "${prefix}${topic}" has ${has} partitions and "${prefix}${shardLog('governor')}" ${found.deployments}: they must be equal, for both are sharded by deployment. Was one of them enlarged? Choose another kafka.prefix and run \`interlock topics create\`.`,
      )
    }
  }
  return found
}

async function partitionsOfEvents(
  config: Config,
  log: EventLog,
  deployments: readonly DeploymentFile[],
): Promise<ReadonlyMap<string, number>> {
  const partitions = new Map<string, number>()
  for (const { file, document } of deployments) {
    for (const [what, topic] of Object.entries(document.topics)) {
      if (topic === undefined || partitions.has(topic)) continue
      try {
        partitions.set(topic, await log.partitions(topic))
      } catch (error) {
        if (!(error instanceof UnknownTopic)) throw error
        throw new Unavailable(
          `Topic "${topic}" is not on the cluster (${kafkaOf(config).brokers.join(', ')}); ${file} names it for ${what}. Whoever produces them makes it, or \`interlock topics create --events <partitions>\` does; or correct the name.`,
        )
      }
    }
  }
  return partitions
}

/** How often the event topics are looked at. */
const lookMs = 30_000

/** Ends the process when a team has enlarged a topic of its events, so that its restart reads the new partitions too. */
export function enlargedTopicsPart({ log, clock, logger, eventPartitions }: Wiring): Part {
  return async (signal) => {
    while (!signal.aborted) {
      await clock.sleep(lookMs, signal)
      if (signal.aborted) return
      for (const [topic, partitions] of eventPartitions) {
        const now = await log.partitions(topic).catch((error: unknown) => {
          logger.warn({ topic, error: String(error) }, 'could not look at the partitions of a topic')
          return partitions
        })
        if (now !== partitions) {
          throw new Unavailable(
            `Topic "${topic}" has ${now} partitions by now, and this process reads ${partitions}. It ends so that its restart reads all.`,
          )
        }
      }
    }
  }
}
