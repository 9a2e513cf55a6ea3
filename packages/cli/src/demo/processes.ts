import { join } from 'node:path'
import { seededRandom, systemClock } from '@interlock/runtime'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { Unavailable } from '../errors.ts'
import { readIntroduction } from '../introduction.ts'
import { followPart } from '../parts/follow.ts'
import { introduce, recordKeyset, submitAs } from '../parts/introduce.ts'
import { kafkaOf, openKafka } from '../parts/kafka.ts'
import { makeKeys, ownKey } from '../parts/keys.ts'
import { clusterTopics, namedTopics } from '../parts/topics.ts'
import { runParts } from '../parts/wiring.ts'
import { services } from '../services.ts'
import type { Embedded } from '../up/embedded.ts'
import { type Running, start } from './children.ts'

/** What the demo needs of an Interlock, wherever it runs. */
export type Staged = Pick<Embedded, 'url' | 'registrations' | 'submit' | 'follow' | 'stop' | 'done'>

/** Partitions of the demo's events, and so shards of the profiler. */
const eventPartitions = 4

export interface ProcessesOptions {
  readonly logger: Logger
  readonly token: string
  readonly port: number
  readonly tell: (event: string, details: Readonly<Record<string, unknown>>, text: string) => void
}

/**
 * Does on the cluster of the configuration what an operator does: makes keys and topics, starts each service as a process,
 * and sends keyset and documents. Every service's log is in the data folder.
 */
export async function startProcesses(config: Config, { logger, token, port, tell }: ProcessesOptions): Promise<Staged> {
  const introductions = readDeployments(config).map((deployment) => readIntroduction(config, deployment))
  const { envelope } = await makeKeys(config)
  const log = openKafka(config, 'demo', logger)
  const parts = runParts()
  const children: Running[] = []
  const stop = async (): Promise<void> => {
    await parts.stop()
    await Promise.all(children.map((child) => child.stop()))
    await log.close()
  }
  try {
    const { prefix, shards } = kafkaOf(config)
    for (const topic of namedTopics(readDeployments(config).map(({ document }) => document))) {
      await log.createTopic(topic, { partitions: eventPartitions })
      for (let partition = 0; partition < eventPartitions; partition++) {
        if ((await log.bounds(topic, partition)).end === 0n) continue
        throw new Unavailable(
          `The topic "${topic}" of ${kafkaOf(config).brokers.join(', ')} holds records already, and the demo would judge them too. Name another broker, or leave the address out.`,
        )
      }
    }
    const planned = clusterTopics({ profiler: eventPartitions, deployments: shards.deployments })
    for (const { name, ...options } of planned) await log.createTopic(name, options)
    tell('topics', { prefix, count: planned.length }, `✓ made ${planned.length} topics`)

    const env = { INTERLOCK_TOKEN: token, INTERLOCK_DEMO: '1', INTERLOCK_LISTEN_PORT: String(port) }
    const main = join(import.meta.dirname, '../main.ts')
    for (const service of services) {
      const args = [main, '--config', config.file as string, 'run', service]
      const child = start(`the ${service}`, { args, env }, join(config.data, `${service}.log`))
      children.push(child)
      parts.add((signal) => endsOnlyWhenTold(service, child, signal))
    }
    const ready = await Promise.all(children.map(({ first }) => first))
    const pids = Object.fromEntries(ready.map(({ service, pid }) => [service, pid]))
    tell('processes', { pids }, `✓ started ${ready.map(({ service, pid }) => `${service} (${pid})`).join(', ')}`)

    await recordKeyset(log, envelope)
    const submit: Staged['submit'] = async (by, deployment, request, id) =>
      submitAs(log, config.environment, by, (await ownKey(config, by)).signer)(deployment, request, id)
    const registrations = await introduce(introductions, (deployment, request, id) =>
      submit(config.operator, deployment, request, id),
    )
    const following = { log, clock: systemClock, logger, random: seededRandom(process.pid) }
    const follow: Staged['follow'] = (processor, take) => parts.add(followPart(following, processor, take))
    const url = String(ready.find(({ service }) => service === 'console')?.url)
    return { url, registrations, submit, follow, stop, done: parts.done }
  } catch (error) {
    await stop()
    throw error
  }
}

async function endsOnlyWhenTold(service: string, child: Running, signal: AbortSignal): Promise<void> {
  const told = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }))
  const why = await Promise.race([told, child.ended])
  if (why !== null) throw new Unavailable(`The ${service} ended while the demo ran: ${why}`)
}
