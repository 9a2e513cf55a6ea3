import { join } from 'node:path'
import type { KeyEntry } from '@interlock/contracts'
import { systemClock } from '@interlock/runtime'
import {
  commandReceiver,
  openWatcher,
  type WatchRules,
  waitForPeerMs,
  watchTimes,
  webhookReceiver,
} from '@interlock/watcher'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { UsageError } from '../errors.ts'
import type { WatcherConfig } from '../liveness-config.ts'
import { services } from '../services.ts'
import { componentHolder, embeddedHolder, ownKey, publicKeys } from './keys.ts'
import { pem, watcherAddresses } from './liveness.ts'
import { fromEnvironment } from './platforms.ts'
import type { Part } from './wiring.ts'

/** A revoked key must be refused within a minute. */
const keysetEveryMs = 30_000

export interface OpenedWatcher {
  readonly parts: readonly Part[]
  readonly port: number
}

/** The watcher of that name: its door, its pages, its own heartbeats to the other one. It never talks to a log. */
export async function openWatcherParts(
  config: Config,
  name: string | undefined,
  logger: Logger,
): Promise<OpenedWatcher> {
  const own = watcherNamed(config, name)
  const url = new URL(own.url)
  const isTls = url.protocol === 'https:'
  const host = own.listen ?? url.hostname.replace(/^\[|\]$/g, '')
  const { pager } = config
  const { signer } = await ownKey(config, own.name)
  let keys: readonly KeyEntry[] = (await publicKeys(config)).keyset.keys
  const receivers = [
    ...pager.webhooks.map(({ url: to, secretEnv, caFile }) =>
      webhookReceiver({
        url: to,
        secret: Buffer.from(fromEnvironment(secretEnv, `the pager ${to}`)),
        nowSeconds: () => Math.floor(systemClock.now() / 1000),
        ...(caFile === undefined ? {} : { ca: pem(config, caFile) }),
      }),
    ),
    ...(pager.command === undefined ? [] : [commandReceiver(pager.command)]),
  ]
  if (receivers.length === 0) {
    logger.warn('no pager is configured (pager.webhooks, pager.command): pages go to this log only')
  }
  const watcher = await openWatcher({
    rules: rulesFor(config, own.name),
    listen: {
      host,
      port: Number(url.port || (isTls ? 443 : 80)),
      tls: isTls ? { cert: certificate(config, own, 'certFile'), key: certificate(config, own, 'keyFile') } : null,
    },
    keys: () => keys,
    signer,
    peers: watcherAddresses(config, own.name),
    receivers,
    stateFile: join(config.data, `watcher-${own.name}.json`),
    clock: systemClock,
    logger,
  }).catch((error: unknown) => {
    throw new UsageError(`The watcher "${own.name}" cannot start: ${(error as Error).message}`)
  })
  const reload: Part = async (signal) => {
    while (!signal.aborted) {
      await systemClock.sleep(keysetEveryMs, signal)
      await publicKeys(config)
        .then(({ keyset }) => {
          keys = keyset.keys
        })
        .catch((error: Error) => logger.error({ error: error.message }, 'the keyset could not be read again'))
    }
  }
  return { parts: [(signal) => watcher.run(signal), reload], port: watcher.port }
}

function watcherNamed(config: Config, name: string | undefined): WatcherConfig {
  const names = config.watchers.map((one) => one.name)
  if (names.length === 0) {
    throw new UsageError(
      `${config.file ?? 'interlock.yaml'}: names no watchers. Add \`watchers: [{ name: watcher-a, url: "http://127.0.0.1:7171" }]\`.`,
    )
  }
  const own =
    name === undefined && names.length === 1 ? config.watchers[0] : config.watchers.find((one) => one.name === name)
  if (own !== undefined) return own
  throw new UsageError(
    name === undefined
      ? `Which watcher? Say --name ${names.join(' or --name ')}.`
      : `interlock.yaml names no watcher "${name}"; its watchers are ${names.join(', ')}.`,
  )
}

function certificate(config: Config, own: WatcherConfig, what: 'certFile' | 'keyFile'): string {
  const file = own[what]
  if (file !== undefined) return pem(config, file)
  throw new UsageError(`watchers: ${own.name} listens at ${own.url} and has no ${what}. Name the file.`)
}

/** What must move in the environment of the configuration. */
export function rulesFor(config: Config, self: string): WatchRules {
  const names = config.watchers.map(({ name }) => name)
  const others = names.filter((name) => name !== self)
  const [profiler, deployments] = shardsOf(config)
  return {
    environment: config.environment,
    self,
    components: [...(config.mustBeat ?? componentsOf(config)), ...others],
    peer: others[0] ?? null,
    waitForPeerMs: names.indexOf(self) === 0 ? 0 : waitForPeerMs,
    shards: { profiler, evaluator: deployments, governor: deployments, fleet: 1 },
    probe: config.probe,
    times: { ...watchTimes, repeatMs: config.pager.repeatMinutes * 60_000 },
  }
}

function componentsOf(config: Config): readonly string[] {
  if (config.kafka === undefined) return [embeddedHolder]
  return [...services, ...(config.probe ? ['probe'] : [])].map((service) => componentHolder(config, service))
}

function shardsOf({ kafka, file }: Config): readonly [profiler: number, deployments: number] {
  if (kafka === undefined) return [1, 1]
  const { profiler, deployments } = kafka.shards
  if (profiler !== undefined && deployments !== undefined) return [profiler, deployments]
  throw new UsageError(
    `${file}: a watcher does not ask the cluster how many shards there are. Name kafka.shards.profiler and kafka.shards.deployments.`,
  )
}
