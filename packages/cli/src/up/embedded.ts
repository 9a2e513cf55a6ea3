import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeploymentId, ProcessorName, Request } from '@interlock/contracts'
import { probeAgent, probePeople } from '@interlock/probe'
import {
  type EventLog,
  openSqliteLog,
  type ShardLimits,
  seededRandom,
  staticMembership,
  systemClock,
} from '@interlock/runtime'
import type { Logger } from 'pino'
import { build } from '../build.ts'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { fleetAccount, refuseOverspent } from '../fleet-budget.ts'
import { readIntroduction } from '../introduction.ts'
import { agentPart } from '../parts/agent.ts'
import { openConsole } from '../parts/console.ts'
import { followPart, type TakeOut } from '../parts/follow.ts'
import { evaluatorParts, governorParts, profilerParts } from '../parts/hosting.ts'
import { introduce, type Registration, recordKeyset, submitAs } from '../parts/introduce.ts'
import { type EmbeddedKeys, embeddedHolder, embeddedKeys } from '../parts/keys.ts'
import { liveness } from '../parts/liveness.ts'
import { notifierPart } from '../parts/notifier.ts'
import { type ProbeKeys, probeParts } from '../parts/probe.ts'
import { createTopics, embeddedShards, eventTopics } from '../parts/topics.ts'
import { runParts, type Wiring } from '../parts/wiring.ts'

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
  follow(processor: ProcessorName, take: TakeOut): void
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
  /** For tests of the dead-man's switch: the probe's agent is dead from then on, and everything else goes on. */
  readonly probeAgentUntil?: AbortSignal
}

/** Starts every service on the log of `config.data`, registers what `config.deployments` holds, and opens the page. */
export async function startEmbedded(config: Config, options: EmbeddedOptions): Promise<Embedded> {
  // All documents first: what is not in order is refused before anything was touched.
  const deployments = readDeployments(config)
  const introductions = deployments.map((deployment) => readIntroduction(config, deployment))
  refuseOverspent(fleetAccount(config))
  const documents = deployments.map(({ document }) => document)
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  const keys = await embeddedKeys(config)
  const log = openSqliteLog({ folder: join(config.data, 'log'), durability: options.durability ?? 'power-loss' })
  await createTopics(log, documents)
  const bare: Wiring = {
    config,
    deployments,
    log,
    clock: systemClock,
    logger: options.logger,
    build: build(),
    shards: embeddedShards,
    eventPartitions: new Map(eventTopics(documents).map((topic) => [topic, 1])),
    random: seededRandom(process.pid),
    membership: () => staticMembership([0]),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  }
  const up = keys.liveness.get(embeddedHolder)
  const self = up === undefined ? null : { holder: up.holder, signer: up.signer }
  const { wiring, parts: living } = liveness(bare, self, () => probe?.progress)
  const probe = config.probe ? probeParts(wiring, probeKeys(keys)) : undefined
  const submit: Embedded['submit'] = async (by, deployment, request, id) => {
    const key = keys.people.get(by)
    if (key === undefined)
      throw new Error(`nobody named "${by}" has a key here; people are ${[...keys.people.keys()].join(', ')}`)
    return submitAs(log, config.environment, by, key.signer)(deployment, request, id)
  }

  const parts = runParts()
  // The port first: a second Interlock on the same port must end before it has touched anything.
  const page = await openConsole(wiring, {
    token: options.token,
    demo: options.demo,
    submit: (request, id) => submit(config.operator, request.deployment, request, id),
  }).catch(async (error: unknown) => {
    await log.close()
    throw error
  })
  const stop = async (): Promise<void> => {
    await Promise.all([parts.stop(), page.close()])
    await log.close()
  }
  try {
    for (const part of [
      ...profilerParts(wiring),
      ...evaluatorParts(wiring),
      ...governorParts(wiring, { governor: keys.governor.signer, fleet: keys.fleet.signer, rootKey: keys.rootKey }),
      agentPart(wiring, { agent: keys.agent.signer }),
      notifierPart(wiring, { notifier: keys.notifier.signer }),
      ...page.parts,
      ...living,
    ]) {
      parts.add(part)
    }
    await recordKeyset(log, keys.envelope)
    if (probe !== undefined) {
      const { probeAgentUntil: until } = options
      parts.add(probe.probe)
      parts.add((signal) => probe.agent(until === undefined ? signal : AbortSignal.any([signal, until])))
    }
    const registrations = await introduce(introductions, (deployment, request, id) =>
      submit(config.operator, deployment, request, id),
    )
    const follow: Embedded['follow'] = (processor, take) => parts.add(followPart(wiring, processor, take))
    return { url: page.url, token: options.token, log, config, registrations, submit, follow, done: parts.done, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function probeKeys({ liveness: own, keyset }: EmbeddedKeys): ProbeKeys {
  const signerOf = (holder: string) => own.get(holder)!.signer
  const { deployer, approver } = probePeople
  return {
    deployer: signerOf(deployer.id),
    approver: signerOf(approver.id),
    agent: signerOf(probeAgent),
    keyset: () => keyset,
  }
}
