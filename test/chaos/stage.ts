import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Config,
  loadConfig,
  openKafka,
  ownKey,
  readPolicy,
  readRelease,
  type Submit,
  submitAs,
} from '@interlock/cli'
import { type DeploymentId, type Hash, type PersonId, sha256, type VersionId } from '@interlock/contracts'
import type { EventLog } from '@interlock/runtime'
import { newPrefix, type OwnBroker, type OwnBrokerOptions, ownBroker, ownCluster } from '../kafka/broker.ts'
import { documentOf, freePort, interlock } from '../process/interlock.ts'
import { version, writeDeployments } from '../process/small-deployment.ts'
import { type StandInRouter, standInRouter } from '../process/stand-in-router.ts'
import { bundled, type Line, ownToxiproxy } from './toxiproxy.ts'

/** What is at stake: deployments with their routers, introduced and approved, on brokers that can be hurt. */
export interface Stage {
  readonly brokers: readonly OwnBroker[]
  /** Ways to the brokers, each through proxies; each has a configuration of its own. */
  readonly lines: readonly { readonly line: Line; readonly config: string }[]
  /** By a way that no proxy stands in. */
  readonly log: EventLog
  readonly config: Config
  readonly env: Readonly<Record<string, string>>
  readonly deployments: ReadonlyMap<DeploymentId, StandInRouter>
  /** Versions that can be rolled out. */
  readonly candidates: readonly VersionId[]
  readonly topic: string
  versionOf(digest: string): VersionId
  /** Sends a candidate's documents and asks for its rollout, as its author does. */
  rollOut(deployment: DeploymentId, candidate: VersionId): Promise<void>
  remove(): Promise<void>
}

export interface StageOptions {
  /** One, or three that each hold a copy of everything. */
  readonly brokers: 1 | 3
  readonly deployments: number
  readonly candidates: number
  readonly lines: number
  readonly shards: { readonly profiler: number; readonly deployments: number }
  readonly policy: string
}

/** Everything but the services. Null where no broker or no proxy can be had here (and the console says so). */
export async function openStage(options: StageOptions): Promise<Stage | null> {
  const toxiproxy = await ownToxiproxy()
  if (toxiproxy === null) return null
  const ways = Array.from({ length: options.lines }, (): Line[] => [])
  const advertise = ways.map((way, index) => async (port: number) => {
    const line = await toxiproxy.line(`line-${index}-${way.length}`, port)
    way.push(line)
    return line.port
  })
  const brokers = await brokersOf(options, advertise)
  if (brokers === null) {
    await toxiproxy.stop()
    return null
  }
  const folder = await mkdtemp(join(tmpdir(), 'interlock-chaos-'))
  const routers = new Map<DeploymentId, StandInRouter>()
  const remove = async (): Promise<void> => {
    for (const router of routers.values()) router.close()
    await Promise.all([
      ...brokers.map((broker) => broker.remove()),
      toxiproxy.stop(),
      rm(folder, { recursive: true, force: true }),
    ])
  }
  try {
    const lines = ways.map((way, index) => bundled(`line-${index}`, way))
    return await introduced(options, { lines, brokers, folder, routers }, remove)
  } catch (error) {
    await remove()
    throw error
  }
}

async function brokersOf(
  options: StageOptions,
  lines: NonNullable<OwnBrokerOptions['lines']>,
): Promise<readonly OwnBroker[] | null> {
  if (options.brokers === 3) return ownCluster({ lines })
  const broker = await ownBroker({ lines })
  return broker && [broker]
}

interface Begun {
  readonly lines: readonly Line[]
  readonly brokers: readonly OwnBroker[]
  readonly folder: string
  readonly routers: Map<DeploymentId, StandInRouter>
}

async function introduced(options: StageOptions, begun: Begun, remove: () => Promise<void>): Promise<Stage> {
  const { lines, brokers, folder, routers } = begun
  const candidates = Array.from({ length: options.candidates }, (_, index) => `toy@v${index + 2}` as VersionId)
  const versions = [version, ...candidates]
  const loaded = versions.map((name) => ({ name, digest: sha256(name) }))
  for (let index = 0; index < options.deployments; index++) {
    routers.set(`toy-${index}` as DeploymentId, await standInRouter(loaded))
  }
  const urls = Object.fromEntries([...routers].map(([name, { url }]) => [name, url]))
  const kafka = (addresses: readonly string[]): string =>
    `kafka: { brokers: ${JSON.stringify(addresses)}, prefix: ${prefix}, shards: { deployments: ${options.shards.deployments} } }\n`
  const prefix = newPrefix()
  const direct = brokers.map(({ address }) => address)
  const files = await writeDeployments(
    folder,
    urls,
    await freePort(),
    { policy: options.policy, configuration: `${kafka(direct)}topics: { predictions: ${prefix}events }\n` },
    candidates,
  )
  const text = await readFile(files.config, 'utf8')
  const configs: string[] = []
  for (const index of lines.keys()) {
    const addresses = brokers.map((broker) => broker.lines[index]!)
    const config = join(folder, `line-${index}.yaml`)
    await writeFile(config, text.replace(kafka(direct), kafka(addresses)))
    configs.push(config)
  }
  // One router's token is every router's.
  const env = { TOY_TOKEN: [...routers.values()][0]?.token ?? '' }
  const said = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const ran = await interlock(['--json', '--config', files.config, ...args], { env, cwd: folder })
    if (ran.code !== 0)
      throw new Error(`interlock ${args.join(' ')} ended with ${ran.code}:\n${ran.stdout}${ran.stderr}`)
    return documentOf(ran)
  }
  await said('keys', 'make')
  await said('topics', 'create', '--events', `${options.shards.profiler}`)
  const { registrations } = (await said('register')) as {
    registrations: Record<string, { document: Hash; policy: Hash }>
  }
  const config = loadConfig(files.config)
  const log = openKafka(config, 'chaos')
  const submits = new Map<string, Submit>()
  for (const person of ['author', 'approver']) {
    const { signer } = await ownKey(config, person)
    submits.set(person, submitAs(log, config.environment, person, signer))
  }
  for (const [deployment, { document, policy }] of Object.entries(registrations)) {
    for (const object of [document, policy]) {
      await submits.get('approver')!(deployment as DeploymentId, {
        kind: 'approve',
        deployment: deployment as DeploymentId,
        object,
        comment: '',
      })
    }
  }
  const releases = new Map(files.releases.map((release, index) => [candidates[index]!, readRelease(release)]))
  const policy = readPolicy(files.policy, 'author' as PersonId)
  return {
    brokers,
    lines: configs.map((path, index) => ({ line: lines[index]!, config: path })),
    log,
    config,
    env,
    deployments: routers,
    candidates,
    topic: `${prefix}events`,
    versionOf: (digest) => loaded.find((one) => one.digest === digest)?.name ?? version,
    rollOut: async (deployment, candidate) => {
      const { manifest, baseline } = releases.get(candidate)!
      const submit = submits.get('author')!
      for (const { document } of [manifest, baseline, policy]) await submit(deployment, { kind: 'document', document })
      await submit(deployment, { kind: 'rollout', deployment, candidate, manifest: manifest.hash, policy: policy.hash })
    },
    remove: async () => {
      await log.close()
      await remove()
    },
  }
}
