import type { AgentId, DeploymentId, Fact, FactRecord, Order, Range } from '@interlock/contracts'
import { shardOf } from '@interlock/contracts'
import { type Clock, type EventLog, RangeGone, withDeadlines } from '@interlock/runtime'
import type { Verified } from './check-command.ts'
import { FactOutbox, type ReportedFact } from './fact-outbox.ts'
import type { KeptCommands } from './kept-commands.ts'
import { bounded, type Platform } from './platform.ts'
import { Reconciler, type VerifiedCommand } from './reconciler.ts'

export interface AgentOptions {
  /** Where commands come from and facts go; absent: the agent has its HTTPS endpoint only. */
  readonly log?: EventLog
  readonly topics: { readonly commands: string; readonly facts: string }
  readonly clock: Clock
  readonly agent: AgentId
  readonly environment: string
  readonly platforms: ReadonlyMap<DeploymentId, Platform>
  /** Size, signature over the exact bytes, key and role, strict parse, environment and audience (`commandCheck`). */
  readonly verify: (bytes: Uint8Array) => Verified
  readonly sign: (record: FactRecord) => Uint8Array
  readonly tell: (level: 'info' | 'warn', message: string, details: Readonly<Record<string, unknown>>) => void
  /** Commands kept through a restart; needed where commands come by the endpoint. */
  readonly kept?: KeptCommands
  /** How often a platform is looked at without a command; also how soon a lapse of a grant is noticed. */
  readonly turnEveryMs?: number
  readonly observeEveryMs?: number
  readonly readinessEveryMs?: number
}

/** What became of a command: kept, outranked by the one that is kept (`keeps`), or refused. */
export type Taken =
  | { readonly order: Order; readonly outcome: 'kept' | 'ignored'; readonly keeps: Order }
  | { readonly refused: string }

export interface DeploymentState {
  readonly deployment: DeploymentId
  readonly order: Order | null
  readonly lapsed: boolean
  readonly facts: Readonly<Partial<Record<Fact['kind'], Fact>>>
}

/** Longest wait for a command in one call of the log, and after a failure. */
const waitMs = 500
/** Longest that an agent goes on after it was told to stop. */
const lastWorkMs = 3_000

/** Where the reader of the topic stands. Commands below `startedAt` were there before this process. */
interface Place {
  readonly partition: number
  readonly startedAt: bigint
  readonly next: bigint
}

interface Guarded {
  readonly deployment: DeploymentId
  readonly reconciler: Reconciler
  /** Aborted, and replaced, when a command was kept: the next turn begins at once. */
  wake: AbortController
}

/**
 * An agent for one or more deployments: takes verified commands from the topic and from the endpoint alike, keeps each
 * platform at its highest one, and reports what it saw (docs/agent-protocol.md).
 *
 * Three loops that do not wait for each other: one reads the topic, one reconciles each platform, one appends facts. So
 * a command that came by the second path is carried out while the log is away.
 */
export class Agent {
  readonly #options: AgentOptions
  readonly #outbox: FactOutbox
  readonly #guarded: ReadonlyMap<DeploymentId, Guarded>

  constructor(given: AgentOptions) {
    const options = given.log === undefined ? given : { ...given, log: withDeadlines(given.log, given.clock) }
    this.#options = options
    this.#outbox = new FactOutbox(options.environment, options.agent, options.sign)
    this.#guarded = new Map(
      [...options.platforms].map(([deployment, platform]) => [deployment, this.#guard(deployment, platform)]),
    )
  }

  get agent(): AgentId {
    return this.#options.agent
  }

  get environment(): string {
    return this.#options.environment
  }

  /** A command by the second path: the same checks and the same order law as on the topic. */
  async take(signed: Uint8Array): Promise<Taken> {
    const received = this.#options.verify(signed)
    const guarded = 'refused' in received ? undefined : this.#guarded.get(received.command.deployment)
    if ('refused' in received || guarded === undefined) {
      const refused = 'refused' in received ? received.refused : `it is for deployment "${received.command.deployment}"`
      this.#options.tell('warn', 'a command was refused', { reason: refused, path: 'endpoint' })
      return { refused }
    }
    const { order } = received.command
    const outcome = await this.#give(guarded, received, true)
    return { order, outcome, keeps: guarded.reconciler.order ?? order }
  }

  state(): readonly DeploymentState[] {
    return [...this.#guarded.values()].map(({ deployment, reconciler }) => ({
      deployment,
      order: reconciler.order ?? null,
      lapsed: reconciler.lapsed,
      facts: this.#outbox.latest(deployment),
    }))
  }

  /** Signed facts with a number above `n`, oldest first; at most `most`. */
  facts(n: number, most: number): readonly ReportedFact[] {
    return this.#outbox.after(n, most)
  }

  /** Takes up what was kept before the last end of this process. Call once, before anything else. */
  async resume(): Promise<void> {
    const { kept, verify, tell } = this.#options
    for (const [deployment, guarded] of this.#guarded) {
      const signed = await kept?.read(deployment)
      if (!signed) continue
      const found = verify(signed)
      if ('refused' in found) tell('warn', 'the command kept on disk is refused', { deployment, reason: found.refused })
      else if (found.command.deployment === deployment) await guarded.reconciler.take(found, false, true)
    }
  }

  /**
   * Works until `signal` is aborted; then ends the turn that it is in and appends what is still to be reported, within
   * `lastWorkMs`. What is cut off there is what a crash would have cut off.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    const done = new AbortController()
    const work = this.#work(stopped, signal).finally(() => done.abort())
    await Promise.race([work, stopped.then(() => clock.sleep(lastWorkMs, done.signal))])
  }

  async #work(stopped: Promise<void>, signal: AbortSignal): Promise<void> {
    const ended = new AbortController()
    const facts = this.#appendFacts(ended.signal)
    await Promise.all(
      [...this.#guarded.values()].map(async (guarded) => {
        // What the topic holds is taken before the first turn, so that nothing outranked is applied. A log that does not
        // answer is not waited for, neither at the start nor at the end.
        const { promise: adopted, resolve: adopt } = Promise.withResolvers<void>()
        await Promise.all([
          Promise.race([this.#readTopic(guarded, adopt, signal), stopped.then(adopt)]),
          adopted.then(() => this.#keepPlatform(guarded, signal)),
        ])
      }),
    )
    ended.abort()
    await facts
  }

  #guard(deployment: DeploymentId, platform: Platform): Guarded {
    const { clock, kept, tell, observeEveryMs, readinessEveryMs } = this.#options
    let isFull = false
    const reconciler = new Reconciler({
      deployment,
      platform: bounded(platform, clock),
      monotonic: clock.monotonic,
      report: async (fact) => this.#outbox.report(deployment, fact),
      remember: async (command) => {
        try {
          await kept?.write(command)
          if (isFull) tell('info', 'the disk takes commands again', { deployment })
          isFull = false
          return true
        } catch (error) {
          const reason = messageOf(error)
          if (!isFull)
            tell('warn', 'the command could not be written to disk; a restart will not know it', { deployment, reason })
          isFull = true
          return false
        }
      },
      observeEveryMs: observeEveryMs ?? 1_000,
      readinessEveryMs: readinessEveryMs ?? 3_000,
    })
    return { deployment, reconciler, wake: new AbortController() }
  }

  async #give(guarded: Guarded, received: VerifiedCommand, live: boolean): Promise<'kept' | 'ignored'> {
    const outcome = await guarded.reconciler.take(received, live)
    if (outcome === 'kept') guarded.wake.abort()
    return outcome
  }

  async #keepPlatform(guarded: Guarded, signal: AbortSignal): Promise<void> {
    const { clock, tell, turnEveryMs } = this.#options
    const { deployment, reconciler } = guarded
    let complaint: string | undefined
    signal.addEventListener('abort', () => guarded.wake.abort(), { once: true })
    while (!signal.aborted) {
      if (guarded.wake.signal.aborted) guarded.wake = new AbortController()
      const { wake } = guarded
      try {
        await reconciler.turn()
        if (complaint !== undefined) tell('info', 'the platform answers again', { deployment })
        complaint = undefined
      } catch (error) {
        // The platform is away: the world's failure. The kept command stays; the next turn tries again.
        if (complaint === undefined) tell('warn', messageOf(error), { deployment })
        complaint = messageOf(error)
      }
      await clock.sleep(turnEveryMs ?? waitMs, wake.signal)
    }
  }

  async #readTopic(guarded: Guarded, adopt: () => void, signal: AbortSignal): Promise<void> {
    const { log, clock, tell } = this.#options
    if (log === undefined) return adopt()
    const { deployment } = guarded
    let place: Place | undefined
    let away = false
    while (!signal.aborted) {
      try {
        place = await this.#readOn(guarded, log, place ?? (await this.#beginning(log, deployment)), signal)
        if (place.next >= place.startedAt) adopt()
        if (away) tell('info', 'the log answers again', { deployment })
        away = false
      } catch (error) {
        if (!away) tell('warn', messageOf(error), { deployment, topic: this.#options.topics.commands })
        away = true
        if (error instanceof RangeGone && place !== undefined) place = { ...place, next: error.bounds.begin }
        adopt()
        await clock.sleep(waitMs, signal)
      }
    }
    adopt()
  }

  async #beginning(log: EventLog, deployment: DeploymentId): Promise<Place> {
    const { commands } = this.#options.topics
    const partition = shardOf(deployment, await log.partitions(commands))
    const { begin, end } = await log.bounds(commands, partition)
    return { partition, startedAt: end, next: begin }
  }

  async #readOn(guarded: Guarded, log: EventLog, place: Place, signal: AbortSignal): Promise<Place> {
    const { topics, turnEveryMs } = this.#options
    const { partition, next, startedAt } = place
    const wait = next < startedAt ? 0 : Math.min(waitMs, turnEveryMs ?? waitMs)
    const end = await log.wait(topics.commands, partition, next, wait, signal)
    if (end < next) {
      // The log has lost its end, or the topic was made anew: what is there is read again, and has no effect twice.
      const { begin } = await log.bounds(topics.commands, partition)
      return { partition, next: begin, startedAt: end }
    }
    await this.#takeRange(guarded, log, { topic: topics.commands, partition, from: next, to: end }, startedAt)
    return { ...place, next: end }
  }

  async #takeRange(guarded: Guarded, log: EventLog, range: Range, startedAt: bigint): Promise<void> {
    const { verify, tell } = this.#options
    const { deployment } = guarded
    if (range.to <= range.from) return
    for await (const batch of log.read(range)) {
      for (const { key, value, offset } of batch.records) {
        if (value === null || (key !== null && new TextDecoder().decode(key) !== deployment)) continue
        const received = verify(value)
        if ('refused' in received) {
          tell('warn', 'a command was refused', { deployment, offset: String(offset), reason: received.refused })
        } else if (received.command.deployment === deployment) {
          await this.#give(guarded, received, offset >= startedAt)
        }
      }
    }
  }

  /** Appends facts in order until `ended` is aborted and nothing is left, or the log fails after that. */
  async #appendFacts(ended: AbortSignal): Promise<void> {
    const { log, clock, tell } = this.#options
    if (log === undefined) return
    let done = 0
    let away = false
    for (;;) {
      await this.#outbox.news(done, ended)
      const [fact] = this.#outbox.after(done, 1)
      if (fact === undefined) {
        if (ended.aborted) return
        continue
      }
      try {
        if (!this.#outbox.isOutdated(fact)) await this.#append(log, fact)
        done = fact.n
        away = false
      } catch (error) {
        if (!away) tell('warn', messageOf(error), { topic: this.#options.topics.facts })
        away = true
        if (ended.aborted) return
        await clock.sleep(waitMs, ended)
      }
    }
  }

  async #append(log: EventLog, { record, envelope }: ReportedFact): Promise<void> {
    const { topics } = this.#options
    const partition = shardOf(record.deployment, await log.partitions(topics.facts))
    const fact = { key: new TextEncoder().encode(record.deployment), value: envelope }
    // Facts may land twice: the governor's table takes a repeated fact as no news.
    const what = `the fact "${record.fact.kind}" of ${record.deployment}`
    if ((await log.append(topics.facts, partition, fact)) === 'unknown')
      throw new Error(`${what} could not be recorded yet: the log does not say whether it took it`)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
