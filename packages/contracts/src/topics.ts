/** Topics of our own by what they carry; a prefix (`interlock.` by default) stands before each. */
export const topics = {
  predictions: 'predictions',
  features: 'features',
  outcomes: 'outcomes',
  requests: 'requests',
  facts: 'facts',
  commands: 'commands',
  alerts: 'alerts',
  evidence: 'evidence',
  dlq: 'dlq',
  snapshots: 'snapshots',
  heartbeats: 'heartbeats',
} as const

export type ProcessorName = 'profiler' | 'evaluator' | 'governor' | 'fleet'

/** Name of a processor's shard log. */
export function shardLog(processor: ProcessorName | string): string {
  return `log.${processor}`
}

/** Which out kinds a publisher copies, and to which topic. */
export const publicTopics = {
  command: topics.commands,
  alert: topics.alerts,
  evidence: topics.evidence,
  'dead-letter': topics.dlq,
} as const satisfies Record<string, string>
