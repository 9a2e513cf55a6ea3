import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import type { ProbeProgress, ProcessorName } from '@interlock/contracts'
import { probeAgent, probePeople } from '@interlock/probe'
import { guardEventLoop } from '@interlock/runtime'
import pino, { type Logger } from 'pino'
import { build } from '../build.ts'
import type { Config } from '../config.ts'
import { exitCodes, Unavailable, UsageError } from '../errors.ts'
import { agentPart } from '../parts/agent.ts'
import { openConsole } from '../parts/console.ts'
import { evaluatorParts, governorParts, profilerParts } from '../parts/hosting.ts'
import { submitAs } from '../parts/introduce.ts'
import { enlargedTopicsPart, kafkaOf, openKafkaWiring } from '../parts/kafka.ts'
import { agentHolder, componentHolder, fleetHolder, notifierHolder, ownKey, publicKeys } from '../parts/keys.ts'
import { liveness } from '../parts/liveness.ts'
import { notifierPart } from '../parts/notifier.ts'
import { probeParts } from '../parts/probe.ts'
import { openWatcherParts } from '../parts/watcher.ts'
import { type Part, runParts, type Wiring } from '../parts/wiring.ts'
import type { RunnableName } from '../services.ts'

/** A process that is told to end must have ended by then (docs/reliability.md F7). */
const endWithinMs = 10_000
const shortestToken = 24

/** What one service consists of, with what its line `ready` tells besides. */
interface Service {
  readonly parts: readonly Part[]
  readonly ready?: Readonly<Record<string, unknown>>
  /** For the heartbeat. */
  readonly probe?: () => ProbeProgress
  close?(): Promise<void>
}

/**
 * `interlock run <service>`: that service alone in this process, on the cluster of the configuration, until SIGTERM. It reads
 * no private key but its own. One JSON line on standard output once it runs, and one whenever it owns other shards; the
 * log on standard error.
 */
export async function run(service: RunnableName, config: Config, name?: string): Promise<number> {
  if (service !== 'watcher') kafkaOf(config)
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  const logger = pino({ level: process.env.INTERLOCK_LOG ?? 'info', base: { service, pid: process.pid } }, stderr())
  const say = (line: object): void => {
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }
  const owns = (processor: ProcessorName, shards: readonly number[]): void =>
    say({ event: 'owns', processor, shards, at: Date.now() })
  const unguard = guardEventLoop()
  const opened = service === 'watcher' ? null : await openKafkaWiring(config, service, logger, owns)
  const parts = runParts()
  const asked = Promise.withResolvers<void>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => asked.resolve())
  let made: Service | undefined
  try {
    made = opened === null ? await watcherOf(config, name, logger) : await livingServiceOf(service, opened.wiring)
    for (const part of made.parts) parts.add(part)
    const shards = opened === null ? {} : { shards: opened.wiring.shards }
    say({ event: 'ready', service, pid: process.pid, build: build(), ...shards, ...made.ready })
    await Promise.race([asked.promise, parts.done.catch(cannotGoOn)])
    return exitCodes.good
  } finally {
    unguard()
    const late = setTimeout(() => {
      process.stderr.write(`${service} did not end within ${endWithinMs / 1000} s; it is cut off.\n`)
      process.exit(exitCodes.unavailableOrUnknown)
    }, endWithinMs)
    await Promise.all([parts.stop(), made?.close?.()])
    await opened?.close()
    // Whatever is left open by mistake must not keep the process.
    late.unref()
  }
}

/** Its supervisor starts it again. */
function cannotGoOn(error: unknown): never {
  const why = error instanceof Error ? error.message : String(error)
  throw new Unavailable(`${why}\nThe process ends: a part cannot go on.`)
}

function stderr() {
  return pino.destination({ dest: 2, sync: true })
}

/** Not a part of the system that it watches: no cluster, no log. */
async function watcherOf(config: Config, name: string | undefined, logger: Logger): Promise<Service> {
  const { parts, port } = await openWatcherParts(config, name, logger)
  return { parts, ready: { port } }
}

/** The service with what looks after it: the watchdog, and heartbeats by its own key where there are watchers. */
async function livingServiceOf(service: RunnableName, bare: Wiring): Promise<Service> {
  const { config } = bare
  const holder = componentHolder(config, service)
  const self = config.watchers.length === 0 ? null : { holder, signer: (await ownKey(config, holder)).signer }
  let made: Service | undefined
  const { wiring, parts } = liveness(bare, self, () => made?.probe)
  made = await serviceOf(service, wiring)
  return { ...made, parts: [...made.parts, ...parts] }
}

async function serviceOf(service: RunnableName, wiring: Wiring): Promise<Service> {
  const { config } = wiring
  switch (service) {
    case 'profiler':
      return { parts: [...profilerParts(wiring), enlargedTopicsPart(wiring)] }
    case 'evaluator':
      return { parts: evaluatorParts(wiring) }
    case 'governor': {
      const { signer } = await ownKey(config, 'governor')
      const fleet = await ownKey(config, fleetHolder)
      const { rootKey } = await publicKeys(config)
      return { parts: governorParts(wiring, { governor: signer, fleet: fleet.signer, rootKey }) }
    }
    case 'agent': {
      const { signer } = await ownKey(config, agentHolder(config))
      await publicKeys(config)
      return { parts: [agentPart(wiring, { agent: signer })] }
    }
    case 'notifier':
      return { parts: [notifierPart(wiring, { notifier: (await ownKey(config, notifierHolder)).signer })] }
    case 'console':
      return consoleOf(wiring)
    case 'probe':
      return probeOf(wiring)
    case 'watcher':
      throw new Error('a watcher has no wiring')
  }
}

async function probeOf(wiring: Wiring): Promise<Service> {
  const { config } = wiring
  if (!config.probe) {
    throw new UsageError(`${config.file}: says \`probe: false\`. Write \`probe: true\`, for every service of it.`)
  }
  const [deployer, approver, agent] = await Promise.all(
    [probePeople.deployer.id, probePeople.approver.id, probeAgent].map((holder) => ownKey(config, holder)),
  )
  const { keyset } = await publicKeys(config)
  const keys = { deployer: deployer!.signer, approver: approver!.signer, agent: agent!.signer, keyset: () => keyset }
  const { probe, agent: ownAgent, progress } = probeParts(wiring, keys)
  return { parts: [probe, ownAgent], probe: progress }
}

async function consoleOf(wiring: Wiring): Promise<Service> {
  const { config, log } = wiring
  const { signer } = await ownKey(config, config.operator)
  const submit = submitAs(log, config.environment, config.operator, signer)
  const page = await openConsole(wiring, {
    token: token(),
    demo: process.env.INTERLOCK_DEMO === '1',
    submit: (request, id) => submit(request.deployment, request, id),
  })
  return { parts: page.parts, ready: { url: page.url }, close: () => page.close() }
}

/** Of the page and the API: the one given, so that others may know it beforehand, or a fresh one. */
function token(): string {
  const given = process.env.INTERLOCK_TOKEN
  if (given === undefined) return randomBytes(shortestToken).toString('base64url')
  if (given.length < shortestToken) {
    throw new UsageError(`INTERLOCK_TOKEN has ${given.length} characters; give at least ${shortestToken} random ones.`)
  }
  return given
}
