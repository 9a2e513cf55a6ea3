import { type DeploymentDocument, shardLog, topics } from '@interlock/contracts'
import type { EventLog } from '@interlock/runtime'

/** The embedded log has one partition a topic: one machine, one owner of everything. */
export const embeddedShards = 1

const day = 86_400_000
/** How long an embedded log keeps what; the rest is kept for ever. */
const retention: Readonly<Record<string, number>> = {
  [shardLog('profiler')]: 35 * day,
  [topics.dlq]: 7 * day,
}
/** Customers' events are needed as long as `replay` from raw events is promised. */
const eventRetentionMs = day

const own = [
  ...['profiler', 'evaluator', 'governor', 'fleet'].map(shardLog),
  topics.requests,
  topics.facts,
  topics.alerts,
  topics.evidence,
  topics.dlq,
]
const compacted = [topics.snapshots, topics.commands]

/** Creates every topic that is not there yet. @throws TopicMismatch when the log was made with other partitions. */
export async function createTopics(log: EventLog, deployments: readonly DeploymentDocument[]): Promise<void> {
  for (const name of own) {
    const retentionMs = retention[name]
    await log.createTopic(name, { partitions: embeddedShards, ...(retentionMs === undefined ? {} : { retentionMs }) })
  }
  for (const name of compacted) await log.createTopic(name, { partitions: embeddedShards, compacted: true })
  for (const name of eventTopics(deployments)) {
    await log.createTopic(name, { partitions: embeddedShards, retentionMs: eventRetentionMs })
  }
}

/** Topics that production services may write to. */
export function eventTopics(deployments: readonly DeploymentDocument[]): readonly string[] {
  const named = deployments.flatMap(({ topics: t }) => [t.predictions, t.features, t.outcomes])
  return [...new Set([topics.predictions, ...named.filter((name) => name !== undefined)])]
}
