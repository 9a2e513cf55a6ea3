import { createPrivateKey, createPublicKey } from 'node:crypto'
import { commandCheck, memoryPlatform, runAgent } from '@interlock/agent'
import {
  type AgentId,
  contentHash,
  type DeploymentDocument,
  type DeploymentId,
  type KeyEntry,
  type KeyRole,
  type KeysetDocument,
  keyIdOf,
  type Observed,
  type PersonId,
  type PolicyDocument,
  type Prediction,
  type Request,
  type Signer,
  sha256,
  signerOf,
  signFact,
  signRequest,
  topics,
} from '@interlock/contracts'
import { check } from '@interlock/policy'
import { type EventLog, isTransient, type Membership, seededRandom, staticMembership } from '@interlock/runtime'
import pino from 'pino'
import { loadConfig } from '../../packages/cli/src/config.ts'
import { evaluatorParts, governorParts, profilerParts } from '../../packages/cli/src/parts/hosting.ts'
import { recordKeyset, submitAs } from '../../packages/cli/src/parts/introduce.ts'
import { plannedTopics } from '../../packages/cli/src/parts/topics.ts'
import { runParts, type Shards, type Wiring } from '../../packages/cli/src/parts/wiring.ts'
import type { Recording } from './recording.ts'
import { timedLog } from './timed-log.ts'
import { VirtualClock } from './virtual-clock.ts'

export const deployment = 'flight-delay' as DeploymentId
const environment = 'demo'
const agent = `agent-${environment}` as AgentId

/** One way to run the same input. */
export interface Setting {
  readonly log: EventLog
  readonly shards: Shards
  /** Partitions of the events' topic. */
  readonly partitions: number
  /** Rows of one message, and records of one step: none is a whole quantum and the runtime's own. */
  readonly messageRows: number | null
  readonly stepRecords: number | null
  /** Name of the events' topic: one that is this run's own. */
  readonly events: string
  /** Quanta in which nobody owns the profiler's shard 0, and its input waits; default: none. */
  readonly lags?: (quantum: number) => boolean
}

/** Rows that are sent at a quantum; told what the platform serves then. */
export type Traffic = (quantum: number, serves: Observed) => readonly Prediction[]

/**
 * Plays a recording's people and the given traffic through all processors, publishers and an agent with a platform in
 * memory, on a real log at virtual times. Every shard steps at least once a quantum.
 */
export async function play(
  { log: real, shards, partitions, messageRows, stepRecords, events, lags = () => false }: Setting,
  recording: Omit<Recording, 'batches'>,
  traffic: Traffic,
): Promise<void> {
  const { startMs, quantumMs, quanta, rolloutAt } = recording
  const clock = new VirtualClock(startMs)
  const log = timedLog(real, clock)
  for (const { name, ...options } of [...plannedTopics(shards), { name: events, partitions }]) {
    await made(() => log.createTopic(name, options))
  }

  const logger = pino({ level: process.env.INTERLOCK_LOG ?? 'silent' })
  const document = documentOf(recording, events)
  const profilers = new Owned(shards.profiler)
  const wiring: Wiring = {
    config: loadConfig(undefined, { INTERLOCK_ENVIRONMENT: environment, INTERLOCK_DATA: '/nowhere' }),
    deployments: [{ document } as Wiring['deployments'][number]],
    log,
    clock,
    logger,
    build: 'equality',
    shards,
    eventPartitions: new Map([[events, partitions]]),
    random: seededRandom(1),
    membership: (name) => {
      if (name === 'profiler') return profilers
      const count = name === 'fleet' ? 1 : shards.deployments
      return staticMembership(Array.from({ length: count }, (_, shard) => shard))
    },
    // Rows come each quantum; a shard without any steps a moment later.
    limits: { tickMs: 1.2 * quantumMs, lingerMs: 0, ...(stepRecords === null ? {} : { maxRecords: stepRecords }) },
  }
  const keys = keysOf()
  const platform = memoryPlatform({
    generation: 0,
    stable: recording.stable.manifest.digest,
    candidate: null,
    share: 0,
    shadow: false,
    fallback: false,
  })
  const mine = { environment, agent, deployments: new Set([deployment]) }
  const parts = runParts()
  for (const part of [
    ...profilerParts(wiring),
    ...evaluatorParts(wiring),
    ...governorParts(wiring, {
      governor: keys.governor.signer,
      fleet: keys.fleet.signer,
      rootKey: keys.root.entry.publicKey,
    }),
    (signal: AbortSignal) =>
      runAgent(
        {
          ...{ log, topics, clock, agent, environment },
          platforms: new Map([[deployment, platform]]),
          verify: commandCheck(mine, () => keys.keyset, clock.now),
          sign: (fact) => signFact(fact, keys.agent.signer),
          tell: (level, message, details) => logger[level](details, message),
        },
        signal,
      ),
  ]) {
    parts.add(part)
  }
  const failed = parts.done.then(() => undefined)
  const submit = (person: 'author' | 'approver', request: Request, id: string) =>
    submitAs(log, environment, person, keys[person].signer, clock.now)(deployment, request, id)

  const policy = policyOf(recording)
  const rollout: Request = {
    kind: 'rollout',
    deployment,
    candidate: recording.candidate.manifest.version,
    manifest: contentHash(recording.candidate.manifest),
    policy: contentHash(policy),
  }
  const send = async (document: Parameters<typeof contentHash>[0], id: string): Promise<void> => {
    await submit('author', { kind: 'document', document: document as PolicyDocument }, id)
  }
  for (let quantum = 0; quantum < quanta; quantum++) {
    if (quantum === 0) {
      await recordKeyset(log, keys.envelope)
      for (const { manifest, baseline } of [recording.stable, recording.candidate]) {
        await send(baseline, `baseline-${manifest.version}`)
        await send(manifest, `manifest-${manifest.version}`)
      }
      await send(policy, 'policy')
      await send(document, 'deployment')
      await submit('author', { kind: 'register', deployment, document: contentHash(document) }, 'register')
      for (const object of [contentHash(document), contentHash(policy)]) {
        await submit('approver', { kind: 'approve', deployment, object, comment: 'read' }, `approve-${object}`)
      }
    }
    profilers.withoutFirst(lags(quantum))
    if (quantum === rolloutAt) await submit('author', rollout, 'rollout')
    const rows = traffic(quantum, await platform.observe())
    await sendRows(log, { events, partitions, messageRows }, rows)
    await Promise.race([clock.advance(quantumMs, log.isBusy), failed])
  }
  // Time goes on while the parts end: none waits for a tick that never comes.
  const ending = parts.stop()
  let isOver = false
  ending.finally(() => {
    isOver = true
  })
  while (!isOver) await clock.advance(quantumMs, log.isBusy)
  await ending
}

/** All shards are owned here, but for the first one while it lags. */
class Owned implements Membership {
  private readonly told = new Set<(owned: readonly number[]) => void>()
  private readonly all: readonly number[]
  private lacksFirst = false

  constructor(shards: number) {
    this.all = Array.from({ length: shards }, (_, shard) => shard)
  }

  on(change: (owned: readonly number[]) => void): () => void {
    this.told.add(change)
    change(this.all)
    return () => this.told.delete(change)
  }

  withoutFirst(lacksFirst: boolean): void {
    if (lacksFirst === this.lacksFirst) return
    this.lacksFirst = lacksFirst
    for (const change of this.told) change(lacksFirst ? this.all.slice(1) : this.all)
  }
}

/** A broker on a busy machine may take longer than a client waits; what it made by then is found the next time. */
async function made(create: () => Promise<void>, triesLeft = 5): Promise<void> {
  try {
    await create()
  } catch (error) {
    if (!isTransient(error) || triesLeft === 0) throw error
    await made(create, triesLeft - 1)
  }
}

/** Every partition gets its part of the rows, in one message or in several. */
async function sendRows(
  log: EventLog,
  { events, partitions, messageRows }: Pick<Setting, 'events' | 'partitions' | 'messageRows'>,
  rows: readonly Prediction[],
): Promise<void> {
  await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const own = rows.filter((_, index) => index % partitions === partition)
      const size = messageRows ?? Math.max(1, own.length)
      for (let from = 0; from < own.length; from += size) {
        const value = Buffer.from(JSON.stringify({ records: own.slice(from, from + size) }))
        await log.append(events, partition, { value, headers: { 'content-type': 'application/json' } })
      }
    }),
  )
}

function documentOf({ stable }: Pick<Recording, 'stable'>, events: string): DeploymentDocument {
  const segments = stable.baseline.spec.segments.map(({ name }) => name)
  return {
    kind: 'deployment',
    ...{ deployment, environment, tenant: 'local', riskClass: 'medium', segments, mapping: {} },
    ...{ owner: 'author' as PersonId, onCall: 'author' as PersonId, approver: 'approver' as PersonId },
    stable: stable.manifest.version,
    topics: { predictions: events },
    platform: { kind: 'memory', agent },
  }
}

function policyOf({ policy: source, stable }: Pick<Recording, 'policy' | 'stable'>): PolicyDocument {
  const { policy, problems } = check(source, 'policy.yaml')
  if (policy === null)
    throw new Error(`${stable.manifest.version}: ${problems.map(({ happened }) => happened).join('; ')}`)
  return { kind: 'policy', policy, author: 'author' as PersonId, source }
}

interface TestKey {
  readonly signer: Signer
  readonly entry: KeyEntry
}

/** PKCS #8 of an Ed25519 key, up to its 32 bytes. */
const keyHead = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The same in every run: signatures are part of what is compared. */
function keyOf(holder: string, roles: readonly KeyRole[], may: readonly string[] = []): TestKey {
  const seed = Buffer.from(sha256(`equality of ${holder}`), 'hex')
  const key = createPrivateKey({ key: Buffer.concat([keyHead, seed]), format: 'der', type: 'pkcs8' })
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return {
    signer: signerOf(key),
    entry: { keyId: keyIdOf(der), publicKey: der.toString('base64'), roles, holder, may },
  }
}

function keysOf() {
  const root = keyOf('root', ['person'], ['key-custodian'])
  const own = {
    governor: keyOf('governor', ['governor']),
    fleet: keyOf('fleet', ['fleet']),
    agent: keyOf(agent, ['agent']),
    author: keyOf('author', ['person'], ['deployer', 'policy-author', 'on-call']),
    approver: keyOf('approver', ['person'], ['policy-approver', 'release-approver', 'on-call']),
  }
  const keyset: KeysetDocument = { kind: 'keyset', version: 1, keys: Object.values(own).map(({ entry }) => entry) }
  const request = { kind: 'document', document: keyset } as const
  const record = { v: 1, id: 'keyset-1', environment, by: 'root' as PersonId, request } as const
  return { root, ...own, keyset, envelope: signRequest(record, root.signer) }
}
