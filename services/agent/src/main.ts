import type { AgentId, DeploymentId, Fact, FactRecord } from '@interlock/contracts'
import { shardOf } from '@interlock/contracts'
import type { Clock, EventLog } from '@interlock/runtime'
import type { Platform } from './platform.ts'
import { Reconciler, type VerifiedCommand } from './reconciler.ts'

/** A command that was not accepted, with the reason; counted and logged, never acted on. */
export type Verified = VerifiedCommand | { readonly refused: string }

export interface AgentOptions {
  readonly log: EventLog
  readonly topics: { readonly commands: string; readonly facts: string }
  readonly clock: Clock
  readonly agent: AgentId
  readonly environment: string
  readonly platforms: ReadonlyMap<DeploymentId, Platform>
  /** Size, signature over the exact bytes, key and role, strict parse, environment and audience. */
  readonly verify: (bytes: Uint8Array) => Verified
  readonly sign: (record: FactRecord) => Uint8Array
  readonly tell: (level: 'info' | 'warn', message: string, details: Readonly<Record<string, unknown>>) => void
  /** How often a platform is looked at without a command; also how soon a lapse of a grant is noticed. */
  readonly turnEveryMs?: number
  readonly observeEveryMs?: number
  readonly readinessEveryMs?: number
}

/** Longest wait for a command in one call of the log. */
const waitMs = 500

/**
 * Runs an agent until `signal` is aborted: tails the commands topic, keeps each deployment's platform at its highest
 * verified command, and appends what it saw to the facts topic.
 */
export async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const loops = [...options.platforms].map(([deployment, platform]) => guard(options, deployment, platform, signal))
  await Promise.all(loops)
}

async function guard(
  options: AgentOptions,
  deployment: DeploymentId,
  platform: Platform,
  signal: AbortSignal,
): Promise<void> {
  const { log, topics, clock, tell } = options
  const reconciler = new Reconciler({
    deployment,
    platform,
    monotonic: clock.monotonic,
    report: (fact) => report(options, deployment, fact),
    observeEveryMs: options.observeEveryMs ?? 1_000,
    readinessEveryMs: options.readinessEveryMs ?? 3_000,
  })
  const partition = shardOf(deployment, await log.partitions(topics.commands))
  const { begin, end: startedAt } = await log.bounds(topics.commands, partition)
  let next = begin
  let platformDown = false
  while (!signal.aborted) {
    try {
      const end = await log.wait(
        topics.commands,
        partition,
        next,
        next < startedAt ? 0 : Math.min(waitMs, options.turnEveryMs ?? waitMs),
        signal,
      )
      for await (const batch of log.read({ topic: topics.commands, partition, from: next, to: end })) {
        for (const record of batch.records) {
          if (record.value === null || (record.key !== null && new TextDecoder().decode(record.key) !== deployment))
            continue
          const received = options.verify(record.value)
          if ('refused' in received) {
            tell('warn', 'a command was refused', {
              deployment,
              offset: String(record.offset),
              reason: received.refused,
            })
          } else if (received.command.deployment === deployment) {
            await reconciler.take(received, record.offset >= startedAt)
          }
        }
      }
      if (end > next) next = end
      await reconciler.turn()
      if (platformDown) {
        platformDown = false
        tell('info', 'the platform answers again', { deployment })
      }
    } catch (error) {
      // The platform or the log is away: the world's failure. The kept command stays; the next turn tries again.
      if (!platformDown) tell('warn', error instanceof Error ? error.message : String(error), { deployment })
      platformDown = true
      await clock.sleep(waitMs, signal)
    }
  }
}

async function report(options: AgentOptions, deployment: DeploymentId, fact: Fact): Promise<void> {
  const { log, topics, environment, agent } = options
  const record: FactRecord = { v: 1, environment, deployment, by: agent, fact }
  const partition = shardOf(deployment, await log.partitions(topics.facts))
  const key = new TextEncoder().encode(deployment)
  const value = options.sign(record)
  // Facts may land twice: the governor's table takes a repeated fact as no news.
  for (let attempt = 0; attempt < 3; attempt++) {
    if ((await log.append(topics.facts, partition, { key, value })) !== 'unknown') return
  }
  throw new Error(
    `the fact "${fact.kind}" of ${deployment} could not be recorded: the log does not say whether it took it`,
  )
}
