import { isOwnTopic, shardLog, topics } from '@interlock/contracts'
import { type EventLog, mayDo, systemClock, topicProblem } from '@interlock/runtime'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { accessOf, forbiddenTo } from '../parts/access.ts'
import { kafkaConnection, kafkaOf, openKafka } from '../parts/kafka.ts'
import { agentHolder, notifierHolder, ownKey, publicKeys } from '../parts/keys.ts'
import { clusterTopics, namedTopics } from '../parts/topics.ts'
import type { ServiceName } from '../services.ts'
import type { Attempt, Finding } from './finding.ts'

/** Clocks of machines and brokers may differ by so much before panes and deadlines suffer. */
const skewMs = 1_000

type Result = Omit<Finding, 'check'>

/** What `interlock doctor` asks of a cluster. With a service: as that service, by its own key and principal. */
export async function kafkaFindings(config: Config, service: ServiceName | null, attempt: Attempt): Promise<void> {
  const log = openKafka(config, service ?? 'operator')
  try {
    const events = namedTopics(readDeployments(config).map(({ document }) => document))
    const reached = await attempt('Kafka', () => brokers(config))
    if (!reached) return
    const shards = { profiler: 0, deployments: kafkaOf(config).shards.deployments }
    await attempt('event topics', () => eventTopics(log, events, shards))
    await attempt('topics of Interlock', () => ownTopics(config, log, shards))
    await attempt('clock against the brokers', () => clock(log))
    await attempt('keys', () => keys(config, service))
    if (service !== null) await attempt(`rights of the ${service}`, () => rights(config, service, events))
  } finally {
    await log.close()
  }
}

async function brokers(config: Config): Promise<Result> {
  const { brokers: named, prefix } = kafkaOf(config)
  const [first] = clusterTopics({ profiler: 1, deployments: 1 })
  await topicProblem(kafkaConnection(config, 'doctor'), systemClock, `${prefix}${first?.name}`, { partitions: 1 })
  return { state: 'ok', detail: `${named.join(', ')} answers` }
}

async function eventTopics(
  log: EventLog,
  events: readonly string[],
  shards: { profiler: number; readonly deployments: number },
): Promise<Result> {
  shards.profiler = await log.partitions(shardLog('profiler')).catch(() => 0)
  const found: string[] = []
  const missing: string[] = []
  for (const topic of events) {
    await log.partitions(topic).then(
      (partitions) => found.push(`${topic} (${partitions})`),
      () => missing.push(topic),
    )
  }
  if (missing.length > 0) {
    return {
      state: 'failed',
      detail: `${missing.join(', ')} is not there, or hidden from this principal. Whoever produces the events makes their topics, or \`interlock topics create --events <partitions>\` does`,
    }
  }
  return events.length === 0
    ? { state: 'note', detail: 'no deployment names one' }
    : { state: 'ok', detail: `${found.join(', ')}, shared by ${shards.profiler} profiler shards` }
}

async function ownTopics(
  config: Config,
  log: EventLog,
  shards: { readonly profiler: number; readonly deployments: number },
): Promise<Result> {
  if (shards.profiler === 0) {
    return { state: 'failed', detail: 'they are not there. Run `interlock topics create`' }
  }
  const { prefix, shards: wanted } = kafkaOf(config)
  const connection = kafkaConnection(config, 'doctor')
  const planned = clusterTopics({ profiler: wanted.profiler ?? shards.profiler, deployments: shards.deployments })
  const problems: string[] = []
  for (const { name, ...options } of planned) {
    const problem = await topicProblem(connection, systemClock, prefix + name, options)
    if (problem !== null) problems.push(problem)
  }
  const partitions = await log.partitions(shardLog('governor')).catch(() => 0)
  return problems.length > 0
    ? { state: 'failed', detail: problems.join('; ') }
    : { state: 'ok', detail: `${planned.length} fit; ${shards.profiler} and ${partitions} shards` }
}

/** A record without content on the heartbeats topic: its append time is the brokers' clock. */
async function clock(log: EventLog): Promise<Result> {
  const before = Date.now()
  const answer = await log
    .append(topics.heartbeats, 0, { key: Buffer.from('doctor'), value: null })
    .catch((error: unknown) => error as Error)
  const after = Date.now()
  if (answer === 'unknown' || answer instanceof Error) {
    return { state: 'note', detail: `not compared: ${answer === 'unknown' ? 'no answer' : answer.message}` }
  }
  const skew = answer.at < before ? answer.at - before : Math.max(0, answer.at - after)
  return Math.abs(skew) <= skewMs
    ? { state: 'ok', detail: `this machine and the leader of ${topics.heartbeats} agree within ${skewMs} ms` }
    : {
        state: 'failed',
        detail: `the brokers' clock is ${Math.abs(skew)} ms ${skew > 0 ? 'ahead of' : 'behind'} this machine's: keep both by NTP. Event times of this machine's services would be taken for ${skew > 0 ? 'late' : 'future'}`,
      }
}

async function keys(config: Config, service: ServiceName | null): Promise<Result> {
  if (service === 'profiler' || service === 'evaluator') return { state: 'ok', detail: `the ${service} needs none` }
  const holder = {
    governor: 'governor',
    agent: agentHolder(config),
    notifier: notifierHolder,
    console: config.operator,
  }
  const needsKeyset = service === null || service === 'governor' || service === 'agent'
  const known = needsKeyset ? await publicKeys(config) : null
  if (service === null) return { state: 'ok', detail: `keyset ${known?.keyset.version}, signed by the root key` }
  const { entry } = await ownKey(config, holder[service])
  const listed = known?.keyset.keys.find((key) => key.holder === holder[service])
  if (known !== null && listed?.keyId !== entry.keyId) {
    return {
      state: 'failed',
      detail: `${holder[service]}.pem is not the key that keyset ${known.keyset.version} names for ${holder[service]}. Run \`interlock keys make\` where the root key lies, or copy the right file`,
    }
  }
  return {
    state: 'ok',
    detail: `${holder[service]}.pem${known === null ? '' : `, named by keyset ${known.keyset.version}`}`,
  }
}

/** What the principal of this service must be able to do, and must not, as far as the brokers tell. */
async function rights(config: Config, service: ServiceName, events: readonly string[]): Promise<Result> {
  const { prefix } = kafkaOf(config)
  const { reads, writes } = accessOf(service, events)
  const forbidden = forbiddenTo(service)
  const shown = (topic: string): string => (isOwnTopic(topic) ? prefix + topic : topic)
  const asked = [...new Set([...reads, ...writes, ...forbidden])]
  const may = await mayDo(kafkaConnection(config, service), systemClock, asked.map(shown))
  const can = (topic: string, operation: 'read' | 'write'): boolean => may.get(shown(topic))?.has(operation) ?? false
  const missing = [
    ...reads.filter((topic) => !can(topic, 'read')).map((topic) => `read ${shown(topic)}`),
    ...writes.filter((topic) => !can(topic, 'write')).map((topic) => `write ${shown(topic)}`),
  ]
  const tooMuch = forbidden.filter((topic) => can(topic, 'write')).map(shown)
  const list = '`interlock topics create --print-acls` prints what each needs'
  if (missing.length > 0) return { state: 'failed', detail: `it may not ${missing.join(', ')}; ${list}` }
  if (tooMuch.length === forbidden.length) {
    return { state: 'note', detail: `the brokers let it write everywhere, also where it must not; ${list}` }
  }
  return tooMuch.length > 0
    ? { state: 'failed', detail: `it may write ${tooMuch.join(', ')}, and only another may; ${list}` }
    : { state: 'ok', detail: `reads ${reads.length} and writes ${writes.length} topics, and no other’s log` }
}
