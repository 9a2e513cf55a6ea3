import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AgentOptions, runAgent } from '@interlock/agent'
import { createConsole } from '@interlock/console'
import {
  type AgentId,
  type AnyOut,
  type DeploymentId,
  decodeOut,
  type Hash,
  type Out,
  type PersonId,
  type Request,
  shardLog,
  shardOf,
  signCommand,
  signFact,
  signRequest,
  topics,
  verifyCommand,
} from '@interlock/contracts'
import { logSink, runNotifier, type Sink, webhookSink } from '@interlock/notifier'
import {
  beginningOfLog,
  type EventLog,
  firstKnownValid,
  followShard,
  openSqliteLog,
  runHost,
  runPublisher,
  type ShardLimits,
  seededRandom,
  staticMembership,
  systemClock,
} from '@interlock/runtime'
import type { Logger } from 'pino'
import { type Endpoint, endpointFile } from '../api-client.ts'
import { build } from '../build.ts'
import type { Config } from '../config.ts'
import { type DeploymentFile, readDeployments } from '../deployments.ts'
import { UsageError } from '../errors.ts'
import { type Introduction, readIntroduction } from '../introduction.ts'
import { doors } from './doors.ts'
import { agentHolder, type EmbeddedKeys, embeddedKeys, notifierHolder } from './keyset.ts'
import { fromEnvironment, platformOf } from './platforms.ts'
import { embeddedProcessors } from './processors.ts'
import { createTopics, embeddedShards, eventTopics } from './topics.ts'

/** Hashes of a deployment's document and of its policy. */
export interface Registration {
  readonly document: Hash
  readonly policy: Hash
}

/** A whole Interlock in this process. */
export interface Embedded {
  readonly url: string
  readonly token: string
  readonly log: EventLog
  readonly config: Config
  /** What a second person approves before a deployment may roll anything out. */
  readonly registrations: ReadonlyMap<DeploymentId, Registration>
  /** Signs with the person's local key and records; resolves when it is durable. */
  submit(by: string, deployment: DeploymentId, request: Request, id?: string): Promise<{ readonly offset: bigint }>
  /** Every out of a processor's valid entries, from the beginning of its log, then live. */
  follow(
    processor: 'profiler' | 'evaluator' | 'governor',
    take: (out: AnyOut, at: number, offset: bigint) => void,
  ): void
  /** Stops everything in order and resolves when the last snapshot is written. */
  stop(): Promise<void>
  /** Rejects when a part cannot go on; resolves after `stop`. */
  readonly done: Promise<void>
}

export interface EmbeddedOptions {
  readonly logger: Logger
  readonly demo: boolean
  /** Bounds of a shard's step and how often it is snapshotted; the defaults of the runtime unless told. */
  readonly limits?: Partial<ShardLimits>
  /** `process-crash` is enough for a demo; `up` keeps the default. */
  readonly durability?: 'power-loss' | 'process-crash'
  readonly token: string
}

/** Starts every service on the log of `config.data`, registers what `config.deployments` holds, and opens the page. */
export async function startEmbedded(config: Config, options: EmbeddedOptions): Promise<Embedded> {
  const { logger } = options
  // All documents first: what is not in order is refused before anything was touched.
  const deployments = readDeployments(config)
  const introductions = deployments.map((deployment) => readIntroduction(config, deployment))
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  const keys = await embeddedKeys(config)
  const log = openSqliteLog({ folder: join(config.data, 'log'), durability: options.durability ?? 'power-loss' })
  await createTopics(
    log,
    deployments.map(({ document }) => document),
  )

  const stop = new AbortController()
  const parts: Promise<unknown>[] = []
  const submit: Embedded['submit'] = (by, deployment, request, id = randomUUID()) =>
    record(config, keys, log, by, deployment, request, id)
  const follow: Embedded['follow'] = (processor, take) => {
    parts.push(followOuts(log, processor, take, stop.signal))
  }
  const page = createConsole({
    token: options.token,
    now: Date.now,
    demo: options.demo,
    submit: (request, id) => submit(config.operator, request.deployment, request, id),
    routes: (app) => doors(app, { log, eventTopics: () => eventTopics(deployments.map(({ document }) => document)) }),
  })
  const end = async (): Promise<void> => {
    stop.abort()
    await page.close()
    await Promise.allSettled(parts)
    await log.close()
    await withdrawEndpoint(config)
  }

  try {
    // The port first: a second Interlock on the same port must end before it has touched anything.
    const url = await listen(page, config)
    for (const run of processors(config, keys, deployments, log, options)) parts.push(run(stop.signal))
    for (const run of agentAndNotifier(config, keys, deployments, log, logger)) parts.push(run(stop.signal))
    for (const processor of ['governor', 'evaluator'] as const) {
      follow(processor, (out, at, offset) => page.feed(processor, 0, offset, at, out))
    }
    await writeEndpoint(config, url, options.token)
    const registrations = await introduce(config, keys, introductions, submit, log)
    const done = Promise.all(parts).then(() => undefined)
    done.catch(() => undefined) // whoever awaits `done` hears of it
    return { url, token: options.token, log, config, registrations, submit, follow, done, stop: end }
  } catch (error) {
    await end()
    throw error
  }
}

async function listen(page: ReturnType<typeof createConsole>, { listen: { port } }: Config): Promise<string> {
  try {
    return `http://127.0.0.1:${await page.listen(port)}`
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    throw new UsageError(
      `Port ${port} is taken, perhaps by another Interlock. End that one, or choose another port: --port for the demo, listen.port in interlock.yaml.`,
    )
  }
}

type Part = (signal: AbortSignal) => Promise<void>

function processors(
  config: Config,
  keys: EmbeddedKeys,
  deployments: readonly DeploymentFile[],
  log: EventLog,
  { logger, limits }: EmbeddedOptions,
): readonly Part[] {
  const shared = {
    log,
    logger,
    ...(limits === undefined ? {} : { limits }),
    clock: systemClock,
    build: build(),
    newOwner: randomUUID,
    membership: staticMembership(Array.from({ length: embeddedShards }, (_, shard) => shard)),
    random: seededRandom(process.pid),
  }
  const signGoverned = (out: Out): Uint8Array => {
    const decoded = decodeOut(out)
    return decoded.kind === 'command' ? signCommand(decoded.command, keys.governor.signer) : out.value
  }
  const publisher = (name: string, sign?: (out: Out) => Uint8Array): Part => {
    const shardLogOf = { topic: shardLog(name), partition: 0 }
    return (signal) =>
      runPublisher({ ...shared, shardLog: shardLogOf, ...(sign === undefined ? {} : { sign }) }, signal)
  }
  const hosts = embeddedProcessors(config, keys, deployments).map(
    ({ run }): Part =>
      (signal) =>
        run((processor, inputs, mustReproduce) => runHost({ ...shared, processor, inputs, mustReproduce }, signal)),
  )
  return [...hosts, publisher('profiler'), publisher('evaluator'), publisher('governor', signGoverned)]
}

function agentAndNotifier(
  config: Config,
  keys: EmbeddedKeys,
  deployments: readonly DeploymentFile[],
  log: EventLog,
  logger: Logger,
): readonly Part[] {
  const agent = agentHolder(config) as AgentId
  const verify: AgentOptions['verify'] = (bytes) => {
    const verified = verifyCommand(bytes, keys.keyset.keys)
    if (!verified.ok) return { refused: `${verified.reason}: ${verified.detail}` }
    const command = verified.value
    if (command.environment !== config.environment) return { refused: `it is for environment "${command.environment}"` }
    if (command.audience !== agent) return { refused: `it is for agent "${command.audience}"` }
    return { command, signed: bytes }
  }
  const agentLogger = logger.child({ service: 'agent' })
  const notifierLogger = logger.child({ service: 'notifier' })
  const sinks: Sink[] = [
    logSink((message) => notifierLogger.info({ alert: message }, message.sentence)),
    ...config.notifier.webhooks.map(({ url, secretEnv }) =>
      webhookSink({
        url,
        secret: Buffer.from(fromEnvironment(secretEnv, `the webhook ${url}`)),
        allowHosts: config.notifier.allowHosts,
        nowSeconds: () => Math.floor(Date.now() / 1000),
      }),
    ),
  ]
  return [
    (signal) =>
      runAgent(
        {
          log,
          topics,
          clock: systemClock,
          agent,
          environment: config.environment,
          platforms: new Map(
            deployments.map(({ document }) => [document.deployment, platformOf(config, document.deployment)]),
          ),
          verify,
          sign: (fact) => signFact(fact, keys.agent.signer),
          tell: (level, message, details) => agentLogger[level](details, message),
        },
        signal,
      ),
    (signal) =>
      runNotifier(
        {
          log,
          topics,
          clock: systemClock,
          environment: config.environment,
          holder: notifierHolder as AgentId,
          sinks,
          sign: (fact) => signFact(fact, keys.notifier.signer),
          positions: join(config.data, 'notifier-positions.json'),
          tell: (message, details) => notifierLogger.warn(details, message),
        },
        signal,
      ),
  ]
}

/** Sends the keyset, every deployment's documents and its registration. What is known already changes nothing. */
async function introduce(
  config: Config,
  keys: EmbeddedKeys,
  introductions: readonly Introduction[],
  submit: Embedded['submit'],
  log: EventLog,
): Promise<ReadonlyMap<DeploymentId, Registration>> {
  const registrations = new Map<DeploymentId, Registration>()
  const first = introductions[0]?.deployment ?? ('keyset' as DeploymentId)
  const keysetEnvelope = signRequest(
    {
      v: 1,
      id: `keyset-${keys.keyset.version}`,
      environment: config.environment,
      by: keys.root.holder as PersonId,
      request: { kind: 'document', document: keys.keyset },
    },
    keys.root.signer,
  )
  await append(log, first, keysetEnvelope)
  for (const { deployment, registration, manifest, baseline, policy } of introductions) {
    for (const { document: one, hash } of [baseline, manifest, policy, registration]) {
      await submit(config.operator, deployment, { kind: 'document', document: one }, `document-${hash}`)
    }
    await submit(
      config.operator,
      deployment,
      { kind: 'register', deployment, document: registration.hash },
      `register-${registration.hash}`,
    )
    registrations.set(deployment, { document: registration.hash, policy: policy.hash })
  }
  return registrations
}

async function record(
  config: Config,
  keys: EmbeddedKeys,
  log: EventLog,
  by: string,
  deployment: DeploymentId,
  request: Request,
  id: string,
): Promise<{ offset: bigint }> {
  const key = keys.people.get(by)
  if (key === undefined)
    throw new Error(`nobody named "${by}" has a key here; people are ${[...keys.people.keys()].join(', ')}`)
  return append(
    log,
    deployment,
    signRequest({ v: 1, id, environment: config.environment, by: by as PersonId, request }, key.signer),
  )
}

/** Appends until the log says where it is: a request's id makes a repetition harmless. */
async function append(log: EventLog, deployment: DeploymentId, envelope: Uint8Array): Promise<{ offset: bigint }> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const appended = await log.append(topics.requests, shardOf(deployment, embeddedShards), {
      key: Buffer.from(deployment),
      value: envelope,
    })
    if (appended !== 'unknown') return appended
  }
  throw new Error(
    'the log does not say whether the request was recorded; ask again: its id makes a repetition harmless',
  )
}

async function followOuts(
  log: EventLog,
  processor: string,
  take: (out: AnyOut, at: number, offset: bigint) => void,
  signal: AbortSignal,
): Promise<void> {
  const source = { topic: shardLog(processor), partition: 0 }
  const { begin } = await log.bounds(source.topic, source.partition)
  const after = begin === 0n ? beginningOfLog : ((await firstKnownValid(log, source)) ?? beginningOfLog)
  for await (const { offset, at, entry } of followShard(log, source, after, systemClock, signal)) {
    for (const out of entry.outs) take(decodeOut(out), at, offset)
  }
}

/** Takes the endpoint file away, unless another Interlock on the same folder has written its own since. */
async function withdrawEndpoint(config: Config): Promise<void> {
  const file = join(config.data, endpointFile)
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text !== null && (JSON.parse(text) as Endpoint).pid === process.pid) await rm(file, { force: true })
}

async function writeEndpoint(config: Config, url: string, token: string): Promise<void> {
  await writeFile(join(config.data, endpointFile), JSON.stringify({ url, token, pid: process.pid }), { mode: 0o600 })
}
