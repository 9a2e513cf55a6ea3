import {
  contentHash,
  type DeploymentId,
  type Document,
  decodeOut,
  type Hash,
  type Observed,
  type ProbeProgress,
  probeDeployment,
  type Request,
  shardLog,
  shardOf,
} from '@interlock/contracts'
import {
  beginningOfLog,
  type Clock,
  type EventLog,
  firstKnownValid,
  followShard,
  isTransient,
  keepRunning,
  type Random,
  RangeGone,
  type ShardLog,
  withDeadlines,
} from '@interlock/runtime'
import type { Logger } from 'pino'
import { digestOf, probeCandidate, probeDocument, probePolicy, probeStable, releaseOf } from './documents.ts'
import { firstRound, hearGovernor, nextWish, progressOf, type Rounds, type Wish } from './rounds.ts'
import { Traffic, trafficTimes } from './traffic.ts'

/** Signs as one of the probe's people and records; resolves when it is durable. */
export type ProbeSubmit = (deployment: DeploymentId, request: Request, id?: string) => Promise<unknown>

export interface ProbeOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly environment: string
  readonly tenant: string
  readonly deployer: ProbeSubmit
  readonly approver: ProbeSubmit
  /** What its platform says of itself; an agent keeps the platform. */
  readonly observe: () => Promise<Observed>
}

export interface Probe {
  /** For the heartbeat. */
  progress(): ProbeProgress
  /** Artifacts that its platform could serve now: the agent reports the readiness of each. */
  targets(): readonly Hash[]
  /** Breaches each minute until `signal` is aborted. */
  run(signal: AbortSignal): Promise<void>
}

/** How far back in its governor's log a probe that starts looks for what was said of it. */
const tailEntries = 2_000n
const lookEveryMs = 250

/**
 * The synthetic deployment (docs/reliability.md "Dead-man's switch"): a rollout each minute whose candidate answers errors, which
 * Interlock must take back, verified, within 15 s. Everything on its way is real: documents, approvals, events, evidence, commands,
 * an agent. Its absence is the alarm.
 */
export function createProbe(options: ProbeOptions): Probe {
  const { clock, logger } = options
  const log = withDeadlines(options.log, clock)
  const now = (): number => clock.monotonic()
  let state: Rounds = firstRound(now(), Math.floor(clock.now() / 60_000))
  let verifiedAt: number | null = null
  const traffic = new Traffic({ ...options, log })
  const requests = requestsOf(options)

  const move = (next: Rounds): void => {
    if (next.verified > state.verified) verifiedAt = Math.round(clock.now())
    if (next.phase !== state.phase)
      logger.debug({ phase: next.phase, turn: next.turn, tookMs: next.tookMs }, 'the probe goes on')
    state = next
  }

  const follow = async (signal: AbortSignal): Promise<void> => {
    const topic = shardLog('governor')
    const source = { topic, partition: shardOf(probeDeployment, await log.partitions(topic)) }
    let after = await tailOf(log, source)
    for await (const { offset, entry } of followShard(log, source, after, clock, signal)) {
      after = offset
      for (const out of entry.outs) {
        if (out.key === probeDeployment && (out.kind === 'state' || out.kind === 'decision')) {
          move(hearGovernor(state, decodeOut(out), now()))
        }
      }
    }
  }

  const ask = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const [next, wish] = nextWish(state, now())
      move(next)
      if (wish !== null) await requests[wish](state.turn, state.asks > 1)
      await clock.sleep(lookEveryMs, signal)
    }
  }

  const drive = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const { phase, turn } = state
      const isBusy = phase !== 'resting' && phase !== 'introducing'
      await traffic.send({ isBusy, candidate: probeCandidate(turn), candidateFails: phase === 'breaching' })
      await clock.sleep(isBusy ? trafficTimes.busyEveryMs : trafficTimes.idleEveryMs, signal)
    }
  }

  return {
    progress: () => progressOf(state, now(), verifiedAt),
    targets: () => [digestOf(probeStable), digestOf(probeCandidate(state.turn))],
    async run(signal) {
      const again = (error: unknown): boolean => isTransient(error) || error instanceof RangeGone
      const keep = (what: string, work: (signal: AbortSignal) => Promise<void>) =>
        keepRunning(options, `the probe's ${what}`, signal, () => work(signal), again)
      await Promise.all([keep('reader', follow), keep('requests', ask), keep('traffic', drive)])
    },
  }
}

/** Near the end of a shard log, where a reader may start that needs the newest only. */
async function tailOf(log: EventLog, source: ShardLog): Promise<bigint> {
  const { begin, end } = await log.bounds(source.topic, source.partition)
  const from = end - begin > tailEntries ? end - tailEntries : begin
  return (await firstKnownValid(log, source, from)) ?? beginningOfLog
}

/** @param isAgain  what was sent before may be forgotten by now: it is sent once more */
type Ask = (turn: number, isAgain: boolean) => Promise<void>

function requestsOf({ deployer, approver, environment, tenant }: ProbeOptions): Record<Wish, Ask> {
  const registration = probeDocument(environment, tenant)
  const policy = probePolicy()
  const policyHash = contentHash(policy)
  const sent = new Set<string>()
  const send = async (document: Document): Promise<Hash> => {
    await deployer(probeDeployment, { kind: 'document', document })
    return contentHash(document)
  }
  const release = async (version: ReturnType<typeof probeCandidate>, isAgain: boolean): Promise<Hash> => {
    const { baseline, manifest, manifestHash } = releaseOf(version)
    if (isAgain || !sent.has(version)) {
      await send(baseline)
      await send(manifest)
    }
    sent.add(version)
    return manifestHash
  }
  return {
    async introduce() {
      await release(probeStable, true)
      const document = await send(registration)
      await send(policy)
      await deployer(probeDeployment, { kind: 'register', deployment: probeDeployment, document })
      for (const object of [document, policyHash]) {
        const comment = 'the synthetic deployment'
        await approver(probeDeployment, { kind: 'approve', deployment: probeDeployment, object, comment })
      }
    },
    async 'roll-out'(turn, isAgain) {
      const candidate = probeCandidate(turn)
      const manifest = await release(candidate, isAgain)
      if (isAgain) await send(policy)
      const wish = { candidate, manifest, policy: policyHash }
      await deployer(probeDeployment, { kind: 'rollout', deployment: probeDeployment, ...wish })
    },
    async 'roll-back'() {
      const reason = 'a round of the probe was lost'
      await deployer(probeDeployment, { kind: 'rollback', deployment: probeDeployment, reason })
    },
  }
}
