/**
 * Topics by what they carry. On Kafka a prefix (`interlock.` by default) stands before those of our own (`isOwnTopic`).
 */
export const topics = {
  predictions: 'predictions',
  features: 'features',
  outcomes: 'outcomes',
  schemas: 'schemas',
  requests: 'requests',
  facts: 'facts',
  commands: 'commands',
  alerts: 'alerts',
  audit: 'audit',
  evidence: 'evidence',
  dlq: 'dlq',
  snapshots: 'snapshots',
  heartbeats: 'heartbeats',
  /** Predictions of the synthetic deployment: a topic of our own, since nobody but a team writes to a team's. */
  probe: 'probe',
} as const

export type ProcessorName = 'profiler' | 'evaluator' | 'governor' | 'fleet'

/** Name of a processor's shard log. */
export function shardLog(processor: ProcessorName | string): string {
  return `log.${processor}`
}

/** Events: teams name these topics as they like, and these are only what is taken where they name none. */
const ofTeams: readonly string[] = [topics.predictions, topics.features, topics.outcomes]
const own: readonly string[] = Object.values(topics).filter((name) => !ofTeams.includes(name))

/** Whether Interlock alone writes to that topic, or people by it. Any other name is a team's. */
export function isOwnTopic(topic: string): boolean {
  return topic.startsWith('log.') || own.includes(topic)
}

/** Which out kinds a publisher copies, and to which topic. */
export const publicTopics = {
  command: topics.commands,
  alert: topics.alerts,
  evidence: topics.evidence,
  'dead-letter': topics.dlq,
  replayed: topics.dlq,
  leaf: topics.audit,
  checkpoint: topics.audit,
} as const satisfies Record<string, string>
