import type { Admin } from 'kafkajs'
import { type Clock, within } from '../clock.ts'
import { LogUnavailable, maxRecordBytes, TopicMismatch, type TopicOptions } from '../event-log.ts'
import { brokerCode, innermost, verdictOf } from './kafka-errors.ts'
import { type KafkaConnection, kafkaConfig } from './kafka-options.ts'
import { kafkajs } from './kafkajs-internals.ts'

/** Copies of each partition, and how many of them must have a record before it counts as appended. */
export interface Replication {
  readonly factor: number
  readonly minInSync: number
}

/** What each of our topics asks for where the cluster has as many brokers (docs/reliability.md §1). */
const wantedCopies = 3
const deadlineMs = 4_500
const unknownTries = 20
const unknownPauseMs = 200
/** Over the largest record: a batch's own fields. */
const batchOverheadBytes = 1_024
/** Compaction touches whole segments only; small ones keep a start from reading what was long replaced. */
const compactedSegmentBytes = 64 * 1_048_576
const compactedSegmentMs = 3_600_000

/** The topic exists with settings under which the shard protocol does not hold. */
export class TopicUnfit extends Error {
  override readonly name = 'TopicUnfit'
}

/**
 * Makes a topic, or checks the one that is there: number of partitions, clean-up, whose time, how long it keeps, and how
 * large a record may be. Nothing that exists is changed.
 *
 * @throws TopicMismatch, TopicUnfit, LogUnavailable
 */
export async function createTopic(
  connection: KafkaConnection,
  clock: Clock,
  topic: string,
  options: TopicOptions,
  replication?: Replication,
): Promise<void> {
  await administer(connection, clock, `creating topic ${topic}`, async (admin) => {
    const copies = replication ?? copiesFor((await admin.describeCluster()).brokers.length)
    for (let tries = 1; ; tries++) {
      try {
        const made = (await admin.listTopics()).includes(topic) ? false : await make(admin, topic, options, copies)
        if (!made) await check(admin, topic, options)
        return
      } catch (error) {
        // Just made, and not every broker has heard of it.
        if (brokerCode(error) !== 'UNKNOWN_TOPIC_OR_PARTITION' || tries >= unknownTries) throw error
        await clock.sleep(unknownPauseMs)
      }
    }
  })
}

/**
 * What is wrong with a topic, in a sentence: it is not there, or does not fit. null: it fits.
 *
 * @throws LogUnavailable
 */
export async function topicProblem(
  connection: KafkaConnection,
  clock: Clock,
  topic: string,
  options: TopicOptions,
): Promise<string | null> {
  return administer(connection, clock, `looking at topic ${topic}`, async (admin) => {
    if (!(await admin.listTopics()).includes(topic))
      return `topic "${topic}" is not there, or hidden from this principal`
    try {
      await check(admin, topic, options)
      return null
    } catch (error) {
      if (error instanceof TopicMismatch || error instanceof TopicUnfit) return error.message
      throw error
    }
  })
}

async function administer<T>(
  connection: KafkaConnection,
  clock: Clock,
  what: string,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = new (kafkajs().Kafka)(kafkaConfig(connection)).admin({ retry: { retries: 3, initialRetryTime: 100 } })
  try {
    return await within(
      clock,
      deadlineMs,
      what,
      admin.connect().then(() => work(admin)),
    )
  } catch (error) {
    if (error instanceof TopicMismatch || error instanceof TopicUnfit) throw error
    if (verdictOf(error) === 'refused' && brokerCode(error) !== undefined) {
      throw new Error(`${what}: Kafka refuses: ${innermost(error).message} (${brokerCode(error)})`, { cause: error })
    }
    throw new LogUnavailable(`${what}: ${innermost(error).message}`, error)
  } finally {
    admin.disconnect().catch(() => {})
  }
}

function copiesFor(brokers: number): Replication {
  const factor = Math.min(wantedCopies, brokers)
  return { factor, minInSync: Math.max(1, factor - 1) }
}

async function make(admin: Admin, topic: string, options: TopicOptions, copies: Replication): Promise<boolean> {
  const { partitions, compacted, retentionMs } = options
  const settings: Record<string, string | number> = {
    'cleanup.policy': compacted ? 'compact' : 'delete',
    'message.timestamp.type': 'LogAppendTime',
    'min.insync.replicas': copies.minInSync,
    'unclean.leader.election.enable': 'false',
    'max.message.bytes': maxRecordBytes + batchOverheadBytes,
    'retention.bytes': -1,
    'retention.ms': retentionMs ?? -1,
    ...(compacted ? { 'segment.bytes': compactedSegmentBytes, 'segment.ms': compactedSegmentMs } : {}),
  }
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value: String(value) }))
  try {
    const wanted = { topic, numPartitions: partitions, replicationFactor: copies.factor, configEntries }
    return await admin.createTopics({ topics: [wanted], waitForLeaders: true })
  } catch (error) {
    // KafkaJS keeps the broker's word in a list.
    const first = (error as { errors?: readonly Error[] }).errors?.[0] ?? error
    if (brokerCode(first) === 'TOPIC_ALREADY_EXISTS') return false
    throw first
  }
}

async function check(admin: Admin, topic: string, { partitions, compacted, retentionMs }: TopicOptions): Promise<void> {
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] })
  const has = metadata.topics[0]!.partitions.length
  if (has !== partitions) throw new TopicMismatch(topic, has, partitions)
  const described = await admin.describeConfigs({
    resources: [{ type: kafkajs().ConfigResourceTypes.TOPIC, name: topic }],
    includeSynonyms: false,
  })
  const entries = described.resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue])
  const settings = new Map(entries as [string, string][])
  const demand = (name: string, fits: (value: string) => boolean, value: string | number, why: string) => {
    const found = settings.get(name)
    if (found === undefined || fits(found)) return
    throw new TopicUnfit(
      `topic "${topic}" has ${name}=${found}: ${why}. Set it: kafka-configs.sh --alter --entity-type topics` +
        ` --entity-name ${topic} --add-config ${name}=${value}`,
    )
  }
  const policy = compacted ? 'compact' : 'delete'
  demand('cleanup.policy', (value) => value === policy, policy, `it must be ${policy}, or records go that are needed`)
  const appendTime = 'LogAppendTime'
  demand('message.timestamp.type', (value) => value === appendTime, appendTime, 'the broker must keep the time')
  const bytes = maxRecordBytes + batchOverheadBytes
  demand('max.message.bytes', (value) => Number(value) >= bytes, bytes, 'the largest entries would be refused')
  demand('unclean.leader.election.enable', (value) => value === 'false', 'false', 'what was appended could be lost')
  if (metadata.topics[0]!.partitions.every(({ replicas }) => replicas.length >= wantedCopies)) {
    const least = wantedCopies - 1
    demand('min.insync.replicas', (value) => Number(value) >= least, least, 'one broker’s loss could lose records')
  }
  if (compacted) return
  const keepsMs = retentionMs ?? -1
  const longEnough = (value: string) => Number(value) === -1 || (keepsMs !== -1 && Number(value) >= keepsMs)
  demand('retention.ms', longEnough, keepsMs, 'records would go before they may')
}
