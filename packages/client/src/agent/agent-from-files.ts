import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import type { AgentId, DeploymentId, KeyEntry } from '@interlock/contracts'
import { deploymentId, keyIdOf, signerOf, signFact, topics } from '@interlock/contracts'
import { type KafkaConnection, openKafkaLog, systemClock } from '@interlock/runtime'
import { commandCheck } from './check-command.ts'
import type { EndpointOptions } from './endpoint.ts'
import { keptInFolder } from './kept-commands.ts'
import { openKeysetFile } from './keyset-file.ts'
import type { Platform } from './platform.ts'
import type { RunAgentOptions } from './run-agent.ts'

/** What an agent is told by whoever runs it, besides its platform. */
export interface AgentSetup {
  readonly agent: string
  readonly environment: string
  readonly deployment: string
  /** PEM file of the agent's Ed25519 private key. */
  readonly keyFile: string
  /** Keyset document, or the request by which the root key signed it; read again every two seconds. */
  readonly keysetFile: string
  /** PEM file of the root's public key: then only a keyset that it signed counts. */
  readonly rootKeyFile?: string
  /** Folder for the kept command, intents and the highest keyset version; made where it is missing. */
  readonly stateFolder: string
  readonly listen?: EndpointOptions
  readonly kafka?: KafkaConnection & { readonly prefix?: string }
  readonly turnEveryMs?: number
}

/**
 * The options of `runAgent` for one deployment from files and addresses: keys, keyset, state folder, endpoint, Kafka.
 *
 * @param platform what the team knows and nobody else: how to observe, check and change its serving platform
 * @param signal ends the reading of the keyset
 * @throws Error naming the file and what is wrong with it.
 */
export async function agentFromFiles(
  setup: AgentSetup,
  platform: Platform,
  signal: AbortSignal,
): Promise<RunAgentOptions> {
  const deployment = deploymentId(setup.deployment)
  if (deployment === undefined)
    throw new Error(`"${setup.deployment}" names no deployment: lower-case letters, digits and dashes, at most 63.`)
  const agent = setup.agent as AgentId
  const signer = signerOf(createPrivateKey(await readFile(setup.keyFile, 'utf8')))
  const kept = keptInFolder(setup.stateFolder)
  await kept.prepare()
  const keyset = await openKeysetFile({
    path: setup.keysetFile,
    remember: join(setup.stateFolder, 'keyset-version'),
    clock: systemClock,
    tell: tellOnStandardError,
    ...(setup.rootKeyFile === undefined ? {} : { root: await rootEntry(setup.rootKeyFile) }),
  })
  void keyset.follow(signal)
  const { listen, kafka, turnEveryMs } = setup
  const log = kafka === undefined ? undefined : openKafkaLog(kafka)
  return {
    topics,
    clock: systemClock,
    agent,
    environment: setup.environment,
    platforms: new Map<DeploymentId, Platform>([[deployment, platform]]),
    verify: commandCheck(
      { environment: setup.environment, agent, deployments: new Set([deployment]) },
      keyset.current,
      systemClock.now,
    ),
    sign: (record) => signFact(record, signer),
    tell: tellOnStandardError,
    kept,
    ready: (endpoint) => process.stdout.write(`${JSON.stringify({ ready: true, agent, endpoint })}\n`),
    ...(listen === undefined ? {} : { listen }),
    ...(turnEveryMs === undefined ? {} : { turnEveryMs }),
    ...(log === undefined ? {} : { log, ended: () => log.close() }),
  }
}

async function rootEntry(path: string): Promise<KeyEntry> {
  const spki = createPublicKey(await readFile(path, 'utf8')).export({ type: 'spki', format: 'der' })
  return {
    keyId: keyIdOf(spki),
    publicKey: spki.toString('base64'),
    roles: ['person'],
    holder: 'root',
    may: ['key-custodian'],
  }
}

/** A JSON line for each thing that a person may want to know. */
function tellOnStandardError(
  level: 'info' | 'warn',
  message: string,
  details: Readonly<Record<string, unknown>>,
): void {
  process.stderr.write(`${JSON.stringify({ level, at: new Date().toISOString(), message, ...details })}\n`)
}

/**
 * An agent's setup from environment variables, all beginning with `INTERLOCK_` (docs/agent-protocol.md "Write your own").
 *
 * @throws Error naming the variable that is missing or wrong.
 */
export async function setupFromEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<AgentSetup> {
  const optional = (name: string): string | undefined => environment[`INTERLOCK_${name}`] || undefined
  const needed = (name: string, what: string): string => {
    const value = optional(name)
    if (value === undefined) throw new Error(`The environment variable INTERLOCK_${name} is not set; it names ${what}.`)
    return value
  }
  const file = (path: string): string => (isAbsolute(path) ? path : resolve(path))
  const listen = optional('LISTEN')
  const brokers = optional('BROKERS')
  const rootKey = optional('ROOT_KEY_FILE')
  const turn = optional('TURN_MS')
  if (turn !== undefined && !(Number(turn) >= 10))
    throw new Error(`INTERLOCK_TURN_MS is "${turn}": write milliseconds from 10 up.`)
  return {
    agent: needed('AGENT', 'the agent as the registration knows it'),
    environment: needed('ENVIRONMENT', 'the environment, as in every command'),
    deployment: needed('DEPLOYMENT', 'the deployment'),
    keyFile: file(needed('KEY_FILE', "the PEM file of the agent's private key")),
    keysetFile: file(needed('KEYSET_FILE', 'the file of the keyset')),
    stateFolder: file(needed('STATE_FOLDER', 'a folder that survives restarts')),
    ...(rootKey === undefined ? {} : { rootKeyFile: file(rootKey) }),
    ...(turn === undefined ? {} : { turnEveryMs: Number(turn) }),
    ...(listen === undefined ? {} : { listen: await listening(listen, optional) }),
    ...(brokers === undefined
      ? {}
      : {
          kafka: {
            brokers: brokers.split(','),
            clientId: needed('AGENT', 'the agent'),
            prefix: optional('TOPIC_PREFIX') ?? 'interlock.',
          },
        }),
  }
}

async function listening(listen: string, optional: (name: string) => string | undefined): Promise<EndpointOptions> {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(listen) ?? []
  if (host === undefined || Number(port) > 65_535)
    throw new Error(`INTERLOCK_LISTEN is "${listen}": write an address and a port, for example 127.0.0.1:7443.`)
  const certificate = optional('TLS_CERTIFICATE')
  const key = optional('TLS_KEY')
  if ((certificate === undefined) !== (key === undefined))
    throw new Error('INTERLOCK_TLS_CERTIFICATE and INTERLOCK_TLS_KEY name PEM files; set both or neither.')
  const readToken = optional('READ_TOKEN')
  return {
    host,
    port: Number(port),
    ...(readToken === undefined ? {} : { readToken }),
    ...(certificate === undefined || key === undefined
      ? {}
      : { tls: { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') } }),
  }
}
