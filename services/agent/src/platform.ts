import type { Command, Desired, Hash, Observed, Readiness } from '@interlock/contracts'

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
