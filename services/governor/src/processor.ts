import {
  type AnyOut,
  canonicalJson,
  type DeadLetterOut,
  type DeadReason,
  type DeploymentId,
  defaultTimes,
  type Input,
  keyIdOf,
  type LogRecord,
  type LogTime,
  type Processor,
  type RequestRecord,
  type Step,
  sha256,
  shardOf,
  topics,
  type Verified,
  verifyFact,
  verifyRequest,
} from '@interlock/contracts'
import type { Desk, GovernorConfig } from './desk.ts'
import { storeDocument } from './documents.ts'
import { follow } from './follow.ts'
import { foresee } from './foresight.ts'
import { braked, heed } from './heed.ts'
import { hasExpired, heedExpiry, isAlwaysTaken } from './keyset.ts'
import { takeLeaf } from './ledger.ts'
import { type DeploymentRecord, recordDefaults } from './record.ts'
import { type Refusable, refuse } from './refuse.ts'
import { knownRequest, signedAheadMs, withRequest } from './replay.ts'
import { decideRequest, register } from './requests.ts'
import { show } from './shown.ts'
import { emptyState, type GovernorState } from './state.ts'
import { patienceMs, tick } from './timers.ts'
import { goOn, takeReady, takeServed, weigh } from './weigh.ts'

/** The governor: evidence, requests and facts in; decisions and commands out. Pure: same input, same bytes. */
export function createGovernor(config: GovernorConfig): Processor<GovernorState> {
  return {
    name: 'governor',
    version: 2,
    empty: emptyState,
    step: (state, batch, time, caughtUp) => step(config, state, batch, time, caughtUp),
    save: (state) => Buffer.from(canonicalJson(state), 'utf8'),
    load,
  }
}

/** Version 1 knew no ledger, no pulse of the fleet and no signing times: all of them begin anew. */
function load(bytes: Uint8Array, version: number): GovernorState {
  if (version !== 1 && version !== 2) {
    throw new Error(
      `governor: a snapshot of version ${version}; this build reads versions 1 and 2. Start the build that wrote it.`,
    )
  }
  const state = JSON.parse(Buffer.from(bytes).toString('utf8'))
  if (version === 2) return state as GovernorState
  const { requestIds, ...old } = state as GovernorState & { readonly requestIds: readonly string[] }
  const deployments = Object.entries(old.deployments).map(([id, record]) => {
    const ledger = { ...recordDefaults.ledger, sequence: record.sequence }
    return [id, { ...record, ...recordDefaults, ledger }] as const
  })
  return {
    ...old,
    deployments: Object.fromEntries(deployments),
    fleetSeenAt: null,
    requests: { floor: -1, newest: requestIds.map((id) => ({ id, at: 0 })) },
  }
}

function step(
  config: GovernorConfig,
  state: GovernorState,
  batch: readonly Input[],
  time: LogTime,
  caughtUp: boolean,
): Step<GovernorState> {
  const outs: AnyOut[] = []
  let next = state
  for (const input of batch) next = take(next, input, { config, time, outs, shard: next })
  // A jump of time, such as the first entry after an outage, counts as little: the answers of the outage come next.
  const behindMs = caughtUp ? 0 : state.behindMs + Math.min(time - state.time, 2 * defaultTimes.tickMs)
  next = { ...next, time, behindMs }
  // With inputs still waiting, an answer may lie among them: timers wait for it, but not for ever.
  const timersRun = caughtUp || behindMs >= patienceMs
  for (const deployment of Object.keys(next.deployments).sort()) {
    const desk: Desk = { config, time, outs, shard: next }
    next = change(next, deployment, (record) => {
      const held = heedExpiry(next.brake?.on === true ? braked(record, next.brake, desk) : record, desk)
      return show(timersRun ? goOn(tick(held, desk), desk) : held, desk)
    })
  }
  return [next, outs]
}

/** One input: what the evaluator saw, what a person asks for, what an agent did, what the fleet says. */
function take(state: GovernorState, input: Input, desk: Desk): GovernorState {
  if (input.kind === 'record') return takeRecord(state, input.record, desk)
  const { out } = input
  switch (out.kind) {
    case 'evidence':
      return change(state, out.deployment, (record) => weigh(record, out, desk))
    case 'served':
      return change(state, out.deployment, (record) => takeServed(record, out, desk))
    case 'provisional':
      return change(state, out.deployment, (record) => foresee(record, out, desk))
    case 'ready-to-count':
      return change(state, out.deployment, (record) => takeReady(record, out, desk))
    case 'brake':
      return heed(state, out, desk)
    case 'leaf':
      return change(state, out.deployment, (record) => takeLeaf(record, out, desk))
    case 'pulse':
      return { ...state, fleetSeenAt: Math.max(out.at, state.fleetSeenAt ?? 0) }
    default:
      return state
  }
}

function takeRecord(state: GovernorState, record: LogRecord, desk: Desk): GovernorState {
  if (record.value === null) return state
  return record.topic.endsWith(topics.requests)
    ? takeRequest(state, record, record.value, desk)
    : takeFact(state, record, record.value, desk)
}

function takeFact(state: GovernorState, record: LogRecord, value: Uint8Array, desk: Desk): GovernorState {
  const verified = verifyFact(value, state.keyset?.keys ?? [])
  if (!verified.ok) return bury(state, record, desk, deadReason(verified), verified.detail)
  const { environment, deployment, by, fact } = verified.value
  const known = recordOf(state, deployment)
  const misplaced = placeProblem(environment, deployment, desk)
  if (misplaced !== null) return bury(state, record, desk, misplaced, `a fact about ${deployment} in ${environment}`)
  if (known === undefined) return bury(state, record, desk, 'unregistered', `${deployment} is not registered here`)
  if (fact.kind !== 'delivered' && by !== known.document.platform.agent) {
    return bury(state, record, desk, 'bad-signature', `${by} is not the agent of ${deployment}`)
  }
  return change(state, deployment, (one) => goOn(follow(one, fact, record.at, desk), desk))
}

function takeRequest(state: GovernorState, record: LogRecord, value: Uint8Array, desk: Desk): GovernorState {
  const verified = verifyPerson(value, state, desk.config)
  if (!verified.ok) return bury(state, record, desk, deadReason(verified), verified.detail)
  const { id, environment, by, request, at = 0 } = verified.value
  const deployment = 'deployment' in request ? request.deployment : null
  const misplaced = placeProblem(environment, deployment, desk)
  if (misplaced !== null) return bury(state, record, desk, misplaced, `a request "${request.kind}" in ${environment}`)
  const { only } = verified.key
  if (deployment !== null && only !== undefined && !only.includes(deployment)) {
    return bury(state, record, desk, 'bad-signature', `${by}'s key may ask about ${only.join(', ')} only`)
  }
  const isExpired = hasExpired(state.keyset, desk.time)
  // Documents are known by their content and keysets by their version: to take one again changes nothing.
  if (request.kind === 'document') {
    const { document } = request
    if (document.kind === 'keyset') return takeKeyset(state, verified.value, record, desk)
    if (isExpired) return bury(state, record, desk, 'bad-signature', 'the keyset has expired')
    const stored = storeDocument(state, document, by, desk.time)
    return 'refused' in stored
      ? bury(state, record, desk, 'malformed', `the ${document.kind} was refused: ${stored.refused}`)
      : stored
  }
  const known = knownRequest(state.requests, id, at)
  if (known === 'retry') return state
  if (known === 'replayed') {
    return bury(state, record, desk, 'replayed', `the request ${id} is older than those that are remembered`)
  }
  if (at > record.at + signedAheadMs) {
    return bury(state, record, desk, 'future', `the request ${id} was signed by a clock that is ahead`)
  }
  const taken = { ...state, requests: withRequest(state.requests, id, at) }
  const answering: Desk = { ...desk, request: id }
  const one = recordOf(state, request.deployment)
  if (request.kind === 'register') {
    if (isExpired) return bury(taken, record, desk, 'bad-signature', 'the keyset has expired')
    const registered = register(one, by, request, answering)
    if ('refused' in registered)
      return bury(state, record, desk, 'malformed', `the registration was refused: ${registered.refused}`)
    return { ...taken, deployments: { ...taken.deployments, [request.deployment]: registered } }
  }
  if (one === undefined)
    return bury(state, record, desk, 'unregistered', `${request.deployment} is not registered here`)
  return change(taken, request.deployment, (same) =>
    isExpired && !isAlwaysTaken(request)
      ? refuse(same, answering, by, refusalNames[request.kind], 'the list of keys has run out', 'ask for a new one')
      : decideRequest(same, verified.value, answering),
  )
}

/** How a refused request is called in its sentence. */
const refusalNames = {
  approve: 'approval',
  rollout: 'rollout',
  rollback: 'rollback',
  hold: 'hold',
  'release-hold': 'release',
  halt: 'halt',
  restore: 'restore',
} as const satisfies Record<string, Refusable>

/** Holder of the root key: may write keysets and nothing else. */
export const rootHolder = 'root'

/** Verifies a request by the keyset in force, or by the root key, whose only request is a keyset. */
function verifyPerson(value: Uint8Array, state: GovernorState, { rootKey }: GovernorConfig): Verified<RequestRecord> {
  const keyId = keyIdOf(Buffer.from(rootKey, 'base64'))
  const root = { keyId, publicKey: rootKey, roles: ['person'], holder: rootHolder, may: ['key-custodian'] } as const
  const verified = verifyRequest(value, [root, ...(state.keyset?.keys ?? [])])
  if (!verified.ok) return verified
  const { request } = verified.value
  const isKeyset = request.kind === 'document' && request.document.kind === 'keyset'
  const isByRoot = verified.key === root
  if (isByRoot === isKeyset) return verified
  const detail = isByRoot ? 'the root key signs keysets only' : 'a keyset is signed by the root key'
  return { ok: false, reason: 'wrong-role', detail }
}

/** Keysets only ever move forward: an older one, also when it is rightly signed, is refused. */
function takeKeyset(state: GovernorState, { request }: RequestRecord, record: LogRecord, desk: Desk): GovernorState {
  if (request.kind !== 'document' || request.document.kind !== 'keyset') return state
  const { document } = request
  const now = state.keyset?.version ?? -1
  if (document.version < now) {
    return bury(
      state,
      record,
      desk,
      'bad-signature',
      `a keyset of version ${document.version}; version ${now} is in force`,
    )
  }
  return document.version === now ? state : { ...state, keyset: document }
}

function placeProblem(environment: string, deployment: DeploymentId | null, desk: Desk): DeadReason | null {
  if (environment !== desk.config.environment) return 'wrong-environment'
  if (deployment !== null && shardOf(deployment, desk.config.shards) !== desk.shard.shard) return 'wrong-partition'
  return null
}

function deadReason(refused: Extract<Verified<unknown>, { ok: false }>): DeadReason {
  switch (refused.reason) {
    case 'oversized':
      return 'oversized'
    case 'malformed':
      return 'malformed'
    case 'wrong-shape':
      return 'wrong-type'
    default:
      return 'bad-signature'
  }
}

/** What cannot be taken becomes a dead letter with its place and reason, and changes nothing else. */
function bury(state: GovernorState, record: LogRecord, desk: Desk, reason: DeadReason, detail: string): GovernorState {
  const { topic, partition, offset, value } = record
  const letter: DeadLetterOut = {
    kind: 'dead-letter',
    topic,
    partition,
    offset,
    row: 0,
    reason,
    detail,
    payload: sha256(value ?? new Uint8Array()),
  }
  desk.outs.push(letter)
  return state
}

function change(
  state: GovernorState,
  deployment: string,
  by: (record: DeploymentRecord) => DeploymentRecord,
): GovernorState {
  const record = recordOf(state, deployment)
  if (record === undefined) return state
  const next = by(record)
  return next === record ? state : { ...state, deployments: { ...state.deployments, [deployment]: next } }
}

/** Ids come from outside: `__proto__` is no deployment. */
function recordOf(state: GovernorState, deployment: string): DeploymentRecord | undefined {
  return Object.hasOwn(state.deployments, deployment) ? state.deployments[deployment] : undefined
}
