import { createPublicKey } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  type AgentOptions,
  commandCheck,
  type EndpointOptions,
  keptInFolder,
  openKeysetFile,
  runAgent,
} from '@interlock/agent'
import { type AgentId, type KeyEntry, keyIdOf, type Signer, signFact, topics } from '@interlock/contracts'
import type { Config } from '../config.ts'
import { UsageError } from '../errors.ts'
import { agentHolder, keysetFile, rootKeyFile } from './keys.ts'
import { fromEnvironment, platformOf } from './platforms.ts'
import type { Part, Wiring } from './wiring.ts'

/**
 * The agent of the environment: keeps the platform of each deployment at its highest verified command, from the topic and,
 * where `agent.listen` is configured, from its own endpoint. Reads the keyset file again while it runs, so a revoked key is
 * refused within seconds.
 */
export function agentPart({ config, deployments, log, clock, logger }: Wiring, keys: { readonly agent: Signer }): Part {
  const agent = agentHolder(config) as AgentId
  const own = logger.child({ service: 'agent' })
  const tell: AgentOptions['tell'] = (level, message, details) => own[level](details, message)
  const platforms = new Map(
    deployments.map(({ document }) => [document.deployment, platformOf(config, document.deployment)]),
  )
  return async (signal) => {
    const folder = join(config.data, 'agent')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const root = await rootEntry(config)
    const keyset = await openKeysetFile({
      path: join(config.keys, keysetFile),
      root,
      // Under another root key versions begin anew.
      remember: join(folder, `keyset-version-${root.keyId}`),
      clock,
      tell,
    })
    const mine = { environment: config.environment, agent, deployments: new Set(platforms.keys()) }
    const listen = await listening(config)
    const options: AgentOptions = {
      log,
      topics,
      clock,
      agent,
      environment: config.environment,
      platforms,
      verify: commandCheck(mine, keyset.current, clock.now),
      sign: (fact) => signFact(fact, keys.agent),
      tell,
      ready: (endpoint) => endpoint !== null && own.info({ endpoint }, 'the agent listens for the second path'),
      // Without the endpoint every command is on the topic, and the topic is what a restart begins with.
      ...(listen === undefined ? {} : { listen, kept: keptInFolder(folder) }),
    }
    await Promise.all([keyset.follow(signal), runAgent(options, signal)])
  }
}

async function rootEntry(config: Config): Promise<KeyEntry> {
  const pem = await readFile(join(config.keys, rootKeyFile), 'utf8')
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  return { keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles: ['person'], holder: 'root', may: [] }
}

async function listening({ agent: { listen }, base }: Config): Promise<EndpointOptions | undefined> {
  if (listen === undefined) return undefined
  const { host, port, certificateFile, keyFile, readTokenEnv } = listen
  const read = (file: string, key: string): Promise<string> =>
    readFile(resolve(base, file), 'utf8').catch((error: Error) => {
      throw new UsageError(`${file}: cannot be read (${error.message}); agent.listen.${key} names it.`)
    })
  return {
    host,
    port,
    ...(readTokenEnv === undefined ? {} : { readToken: fromEnvironment(readTokenEnv, 'reading the agent’s state') }),
    ...(certificateFile === undefined || keyFile === undefined
      ? {}
      : { tls: { certificate: await read(certificateFile, 'certificateFile'), key: await read(keyFile, 'keyFile') } }),
  }
}
