import {
  type AgentId,
  type Command,
  compareOrders,
  type DeploymentId,
  decodeOut,
  type Out,
  type Signer,
  signCommand,
} from '@interlock/contracts'
import {
  beginningOfLog,
  type Clock,
  type EventLog,
  firstKnownValid,
  followShard,
  offsetAt,
  type ShardLog,
} from '@interlock/runtime'
import type { Answer, Send } from './https-sender.ts'

export interface SecondPathOptions {
  readonly log: EventLog
  /** Shard log of a governor. */
  readonly shardLog: ShardLog
  readonly clock: Clock
  readonly signer: Signer
  /** Where each agent's endpoint is, and how it is reached. Escalated commands of other agents have one path only. */
  readonly agents: ReadonlyMap<AgentId, { readonly url: URL; readonly send: Send }>
  readonly tell: (level: 'info' | 'warn', message: string, details: Readonly<Record<string, unknown>>) => void
}

/** Waits between attempts; after the last one the governor's own resend, each minute, is the next attempt. */
const attemptsAfterMs = [1_000, 2_000, 4_000, 8_000, 15_000, 25_000] as const
/** After a start, commands that escalated so long ago are sent once more: nobody knows whether they were. */
const lookBackMs = 120_000

/**
 * The second path (docs/reliability.md §2): follows the valid entries of a governor's shard and posts each escalated command,
 * signed, straight to its agent. The agent's order law makes every repetition harmless, so nothing is remembered. Runs until
 * `signal` is aborted; a command that is replaced or proven is no longer tried.
 */
export async function runSecondPath(options: SecondPathOptions, signal: AbortSignal): Promise<void> {
  const { log, shardLog, clock } = options
  const underWay = new Map<DeploymentId, Delivery>()
  const after = await startOf(options)
  try {
    for await (const { entry } of followShard(log, shardLog, after, clock, signal)) {
      for (const out of entry.outs) take(options, underWay, out, signal)
    }
  } finally {
    for (const { stop } of underWay.values()) stop.abort()
    await Promise.allSettled([...underWay.values()].map(({ done }) => done))
  }
}

interface Delivery {
  readonly command: Command
  readonly stop: AbortController
  readonly done: Promise<void>
}

async function startOf({ log, shardLog, clock }: SecondPathOptions): Promise<bigint> {
  const from = await offsetAt(log, shardLog, clock.now() - lookBackMs)
  return (await firstKnownValid(log, shardLog, from)) ?? (await firstKnownValid(log, shardLog)) ?? beginningOfLog
}

function take(options: SecondPathOptions, underWay: Map<DeploymentId, Delivery>, out: Out, signal: AbortSignal): void {
  if (out.kind !== 'command' && out.kind !== 'state') return
  const decoded = decodeOut(out)
  if (decoded.kind === 'state') {
    const current = underWay.get(decoded.deployment)
    if (decoded.command?.state !== 'escalated') current?.stop.abort()
    return
  }
  if (decoded.kind !== 'command') return
  const { command } = decoded
  const current = underWay.get(command.deployment)
  if (current !== undefined && compareOrders(command.order, current.command.order) < 0) return
  current?.stop.abort()
  if (decoded.escalated !== true) return
  const stop = new AbortController()
  const done = deliver(options, command, AbortSignal.any([signal, stop.signal])).finally(() => {
    if (underWay.get(command.deployment)?.stop === stop) underWay.delete(command.deployment)
  })
  underWay.set(command.deployment, { command, stop, done })
}

/** Posts until the agent answers with a word about the command. Never rejects: what fails is told and tried again. */
async function deliver(options: SecondPathOptions, command: Command, signal: AbortSignal): Promise<void> {
  const { agents, signer, clock, tell } = options
  const { deployment, order, audience } = command
  const about = { deployment, order: order.join('.'), agent: audience }
  const agent = agents.get(audience)
  if (agent === undefined) {
    tell('warn', 'a command is stuck, and no second path to its agent is configured', about)
    return
  }
  const envelope = signCommand(command, signer)
  const url = new URL('/v1/commands', agent.url)
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const answer = await agent.send(url, envelope, signal)
      if (isFinal(answer)) {
        const [level, what] =
          answer.status === 200 ? (['info', 'was taken'] as const) : (['warn', 'was refused'] as const)
        tell(level, `a stuck command ${what} by the second path`, { ...about, ...answer })
        return
      }
      tell('warn', 'the second path answers without a word about the command', { ...about, ...answer })
    } catch (error) {
      if (signal.aborted) return
      tell('warn', 'the second path does not reach the agent', { ...about, error: String(error) })
    }
    const wait = attemptsAfterMs[attempt]
    if (wait === undefined) return
    await clock.sleep(wait, signal)
  }
}

/** 429 and what a server or a proxy says of itself are no word about the command. */
function isFinal({ status }: Answer): boolean {
  return status === 200 || status === 409 || status === 413 || status === 422
}
