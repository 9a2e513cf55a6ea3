import type { Command, DeploymentId, Desired, Fact, Hash, Observed } from '@interlock/contracts'
import { compareOrders } from '@interlock/contracts'
import { desiredNow, type GrantClock, lapsedMs } from './grant.ts'
import { type Platform, satisfies } from './platform.ts'

/** A command whose signature, role, environment and audience were verified, with the bytes that were signed. */
export interface VerifiedCommand {
  readonly command: Command
  readonly signed: Uint8Array
}

/** A command that comes again and again makes the agent repeat its last fact no more often than this. */
const repeatEveryMs = 1_000
/** Bound on attempts that met a conflict within one turn; the next turn starts afresh. */
const conflictsPerTurn = 3

export interface ReconcilerOptions {
  readonly deployment: DeploymentId
  readonly platform: Platform
  /** Monotonic milliseconds. */
  readonly monotonic: () => number
  /** Records what was seen and done; resolves when it is durable. */
  readonly report: (fact: Fact) => Promise<void>
  /** Writes a command down, so that a restart finds it; resolves when it is durable: whether it is. */
  readonly remember?: (kept: VerifiedCommand) => Promise<boolean>
  readonly observeEveryMs: number
  readonly readinessEveryMs: number
}

/** Does the platform follow a higher order than this one? */
function outranks({ order }: Observed, own: Command['order']): boolean {
  return order !== undefined && compareOrders(order, own) > 0
}

/**
 * Keeps one deployment's platform at the highest command that was verified (docs/architecture.md §7).
 *
 * Commands may come late, twice or in any order: only a higher order than the one kept changes anything, and what it
 * changes is the whole desired state, by compare-and-set.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  #kept: VerifiedCommand | undefined
  /** The kept command while no disk has taken it: a restart would not know it. */
  #unsaved: VerifiedCommand | undefined
  #clock: GrantClock
  #reported: { readonly order: Command['order']; readonly fact: Fact } | undefined
  /** The command whose lapse was reported. */
  #lapseOf: VerifiedCommand | undefined
  #repeatedAt = Number.NEGATIVE_INFINITY
  #observedAt = Number.NEGATIVE_INFINITY
  #readyAt = Number.NEGATIVE_INFINITY

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#clock = { kind: 'restarted', at: options.monotonic() }
  }

  /** The order that this agent keeps, or undefined before the first command. */
  get order(): Command['order'] | undefined {
    return this.#kept?.command.order
  }

  /** Is the grant of the kept command over? False without one. */
  get lapsed(): boolean {
    return this.#kept !== undefined && lapsedMs(this.#kept.command, this.#clock, this.#options.monotonic()) >= 0
  }

  /**
   * Takes a verified command. A higher order replaces the kept one; an equal or lower one has no effect, and its last
   * fact is sent again, so that a governor that missed it hears it.
   *
   * Severity 0 is written down first, and has no effect while the disk does not take it: a grant before it runs out then, as
   * the policy says, and the next renewal is another try. What raises severity waits for no disk; it is written down later.
   *
   * @param live false for commands that were on the topic before this process started: they grant nothing
   * @param isOnDisk true for what was found there: it need not be written
   */
  async take(received: VerifiedCommand, live: boolean, isOnDisk = false): Promise<'kept' | 'ignored'> {
    const { order } = received.command
    if (!this.#isHigher(order)) {
      const now = this.#options.monotonic()
      if (live && this.#reported !== undefined && now - this.#repeatedAt >= repeatEveryMs) {
        this.#repeatedAt = now
        await this.#options.report(this.#reported.fact)
      }
      return 'ignored'
    }
    const mayWait = order[2] === 0
    if (mayWait && !isOnDisk && !(await this.#remember(received))) return 'ignored'
    // A higher one may have come while this one was written.
    if (!this.#isHigher(order)) return 'ignored'
    this.#kept = received
    this.#reported = undefined
    if (live) this.#clock = { kind: 'granted', at: this.#options.monotonic() }
    this.#unsaved = mayWait || isOnDisk || (await this.#remember(received)) ? undefined : received
    if (live) {
      await this.#options.report({ kind: 'received', order })
    }
    return 'kept'
  }

  /** One turn: observe, compare, apply if need be, observe again, report. Throws when the platform cannot be asked. */
  async turn(): Promise<void> {
    const { platform, monotonic, report } = this.#options
    let observed = await platform.observe()
    const kept = this.#kept
    if (kept !== undefined) {
      observed = await this.#reconcile(kept, observed)
    }
    if (this.#unsaved !== undefined && this.#unsaved === kept && (await this.#remember(kept))) this.#unsaved = undefined
    const now = monotonic()
    if (now - this.#observedAt >= this.#options.observeEveryMs) {
      this.#observedAt = now
      // A platform that keeps its order tells the governor of commands that this agent, or the governor, does not know.
      const own = kept?.command.order ?? null
      const order = observed.order !== undefined && (own === null || outranks(observed, own)) ? observed.order : own
      await report({ kind: 'observed', order, observed })
    }
    if (now - this.#readyAt >= this.#options.readinessEveryMs) {
      this.#readyAt = now
      for (const target of await platform.targets()) {
        await report({ kind: 'readiness', target, ready: await platform.ready(target) })
      }
    }
  }

  #isHigher(order: Command['order']): boolean {
    return this.#kept === undefined || compareOrders(order, this.#kept.command.order) > 0
  }

  async #remember(received: VerifiedCommand): Promise<boolean> {
    return (await this.#options.remember?.(received)) ?? true
  }

  async #reconcile(kept: VerifiedCommand, first: Observed): Promise<Observed> {
    const { platform, monotonic, report } = this.#options
    const { command } = kept
    let observed = first
    for (let attempt = 0; attempt < conflictsPerTurn; attempt++) {
      const now = monotonic()
      // Another agent carried out what this one has not heard of: it is nobody's to undo.
      if (outranks(observed, command.order)) return observed
      const desired = desiredNow(command, this.#clock, now, observed)
      const halfDone = (await platform.unfinished?.()) ?? false
      if (satisfies(observed, desired, command.order[0]) && !halfDone) {
        await this.#reportReached(kept, desired, observed, now)
        return observed
      }
      const obstacle = await this.#obstacle(desired)
      // A higher command has come while we asked: this one has no effect any more.
      if (kept !== this.#kept) return observed
      if (obstacle !== undefined) {
        await this.#reportOnce(command, { kind: 'failed', order: command.order, reason: obstacle })
        return observed
      }
      const outcome = await platform.apply(desired, command, kept.signed, observed.version)
      if (typeof outcome === 'object') {
        await this.#reportOnce(command, { kind: 'failed', order: command.order, reason: outcome.refused })
        return observed
      }
      observed = await platform.observe()
      if (outcome === 'applied' && !satisfies(observed, desired, command.order[0])) {
        // It said yes and does something else. Report what is seen; the governor compares and escalates.
        await report({ kind: 'progress', order: command.order, observed })
        return observed
      }
    }
    return observed
  }

  /** An artifact is activated only when it is the one that was approved, whole and warm, at this moment. */
  async #obstacle(desired: Desired): Promise<string | undefined> {
    const needed: Hash[] = []
    if (!desired.fallback) needed.push(desired.target)
    if (desired.candidate !== null && (desired.shareMax > 0 || desired.shadow)) needed.push(desired.candidate)
    for (const target of needed) {
      const ready = await this.#options.platform.ready(target)
      if (!ready.ok) {
        const failed = ready.checks.filter((check) => !check.ok).map((check) => `${check.name} (${check.detail})`)
        return `artifact ${target.slice(0, 8)} is not ready: ${failed.join(', ') || 'the platform says so without a reason'}`
      }
    }
    return undefined
  }

  async #reportReached(kept: VerifiedCommand, desired: Desired, observed: Observed, now: number): Promise<void> {
    const { command } = kept
    if (kept !== this.#kept) return
    if (lapsedMs(command, this.#clock, now) >= 0) {
      if (this.#lapseOf !== kept) {
        this.#lapseOf = kept
        await this.#options.report({ kind: 'lapsed', order: command.order, desired })
      }
      return
    }
    await this.#reportOnce(command, { kind: 'applied', order: command.order, observed })
  }

  async #reportOnce(command: Command, fact: Fact): Promise<void> {
    const last = this.#reported
    // What was seen of a command that is no longer kept is not news of the one that is.
    if (this.#kept?.command !== command) return
    if (last !== undefined && compareOrders(last.order, command.order) === 0 && last.fact.kind === fact.kind) return
    this.#reported = { order: command.order, fact }
    await this.#options.report(fact)
  }
}
