import { type DeploymentDocument, shardLog, topics } from '@interlock/contracts'
import type { EventLog, TopicOptions } from '@interlock/runtime'
import type { Shards } from './wiring.ts'

/** The embedded log has one partition a topic: one machine, one owner of everything. */
export const embeddedShards: Shards = { profiler: 1, deployments: 1 }

const day = 86_400_000
/** How long what is kept; the rest is kept for ever. */
const retention: Readonly<Record<string, number>> = {
  [shardLog('profiler')]: 35 * day,
  [topics.dlq]: 7 * day,
  [topics.heartbeats]: day,
  [topics.probe]: day / 24,
}
/** Customers' events are needed as long as `replay` from raw events is promised. */
const eventRetentionMs = day
/** Partitions of what is only read as a whole by readers outside; a shard's outs stay in order in one of them. */
const outboundPartitions = 8

export interface PlannedTopic extends TopicOptions {
  readonly name: string
}

const month = 30.5 * day
/** A cluster keeps for so long what the embedded log keeps for ever, save the ledger. */
const longMs = 13 * month
const outboundMs = 35 * day
/** The ledger; and schemas, without which events could not be read again. */
const keptForEver: readonly string[] = [topics.audit, topics.schemas]

/** Every topic of our own on a cluster. */
export function clusterTopics(shards: Shards): readonly PlannedTopic[] {
  return plannedTopics(shards).map((topic) => {
    if (topic.compacted === true || topic.retentionMs !== undefined || keptForEver.includes(topic.name)) return topic
    const outbound = topic.name === topics.alerts || topic.name === topics.evidence
    return { ...topic, retentionMs: outbound ? outboundMs : longMs }
  })
}

/** Every topic of our own, by the partitions that it must have. */
export function plannedTopics({ profiler, deployments }: Shards): readonly PlannedTopic[] {
  const outbound = Math.min(outboundPartitions, Math.max(profiler, deployments))
  const partitions: Readonly<Record<string, number>> = {
    [shardLog('profiler')]: profiler,
    [shardLog('evaluator')]: deployments,
    [shardLog('governor')]: deployments,
    [shardLog('fleet')]: 1,
    [topics.schemas]: 1,
    [topics.requests]: deployments,
    [topics.facts]: deployments,
    [topics.commands]: deployments,
    [topics.alerts]: outbound,
    [topics.audit]: 1,
    [topics.evidence]: outbound,
    [topics.dlq]: outbound,
    [topics.snapshots]: Math.max(profiler, deployments),
    [topics.heartbeats]: 1,
    [topics.probe]: profiler,
  }
  const compacted: readonly string[] = [topics.commands, topics.snapshots]
  return Object.entries(partitions).map(([name, count]) => ({
    name,
    partitions: count,
    ...(compacted.includes(name) ? { compacted: true } : {}),
    ...(retention[name] === undefined ? {} : { retentionMs: retention[name] }),
  }))
}

/** Creates every topic that is not there yet. @throws TopicMismatch when the log was made with other partitions. */
export async function createTopics(log: EventLog, deployments: readonly DeploymentDocument[]): Promise<void> {
  for (const { name, ...options } of plannedTopics(embeddedShards)) await log.createTopic(name, options)
  for (const name of eventTopics(deployments)) {
    await log.createTopic(name, { partitions: 1, retentionMs: eventRetentionMs })
  }
}

/** Topics that production services may write to. */
export function eventTopics(deployments: readonly DeploymentDocument[]): readonly string[] {
  return [...new Set([topics.predictions, ...namedTopics(deployments)])]
}

/** Topics that deployments name. */
export function namedTopics(deployments: readonly DeploymentDocument[]): readonly string[] {
  const named = deployments.flatMap(({ topics: t }) => [t.predictions, t.features, t.outcomes])
  return [...new Set(named.filter((name) => name !== undefined))]
}
