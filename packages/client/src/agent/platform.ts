import type { Command, Desired, Hash, Observed, Order, Readiness } from '@interlock/contracts'
import { type Clock, within } from '@interlock/runtime'

/** Outcome of one try to change the platform. `conflict`: surely nothing was changed. */
export type Applied = 'applied' | 'conflict' | { readonly refused: string }

/**
 * What an agent needs of a serving platform. Implementations talk to the platform only; they never decide.
 *
 * `apply` is a compare-and-set: it changes the platform only if its state still has the version token `ifVersion`, so
 * two agents, or an agent that was asleep, cannot undo each other's work.
 */
export interface Platform {
  readonly kind: string
  /** What the platform says it does now. Throws when it cannot be asked. */
  observe(): Promise<Observed>
  /** Artifacts that the platform could serve; the agent reports the readiness of each. */
  targets(): Promise<readonly Hash[]>
  /** Is this artifact whole (its bytes hash to `target`), loaded and warm? */
  ready(target: Hash): Promise<Readiness>
  /**
   * Brings the platform to `desired`.
   *
   * @param signed the signed command's exact bytes, for platforms that verify it themselves
   */
  apply(desired: Desired, command: Command, signed: Uint8Array, ifVersion: string): Promise<Applied>
  /**
   * Platforms without compare-and-set only: may an earlier change be half done, though what is observed looks right?
   * Then the agent applies what is desired once more.
   */
  unfinished?(): Promise<boolean>
}

/** Does the platform already do what is desired of it? Shares are equal within a thousandth of a point. */
export function satisfies(observed: Observed, desired: Desired, generation: number): boolean {
  return (
    observed.generation === generation &&
    observed.stable === desired.target &&
    observed.candidate === desired.candidate &&
    observed.shadow === desired.shadow &&
    observed.fallback === desired.fallback &&
    Math.abs(observed.share - desired.shareMax) < 1e-5
  )
}

/** What a platform that follows a command says of itself, but for its own version token. */
export function following(desired: Desired, order: Order): Omit<Observed, 'version'> {
  const { target, candidate, shareMax, shadow, fallback } = desired
  return { generation: order[0], stable: target, candidate, share: shareMax, shadow, fallback, order }
}

/** Longest that a platform may take to answer a question, and to change: an adapter's own bounds are narrower. */
export const platformDeadlines = { askMs: 15_000, applyMs: 90_000 } as const

/** The platform with a deadline on every call: one that hangs must not keep an agent from its next turn. */
export function bounded(platform: Platform, clock: Clock): Platform {
  const ask = <T>(what: string, work: Promise<T>): Promise<T> =>
    within(clock, platformDeadlines.askMs, `${platform.kind} platform, ${what}`, work)
  return {
    kind: platform.kind,
    observe: () => ask('observe', platform.observe()),
    targets: () => ask('targets', platform.targets()),
    ready: (target) => ask('ready', platform.ready(target)),
    apply: (...change) =>
      within(clock, platformDeadlines.applyMs, `${platform.kind} platform, apply`, platform.apply(...change)),
    unfinished: async () => (await platform.unfinished?.()) ?? false,
  }
}
