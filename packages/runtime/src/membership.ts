/** Ends what it was returned for. */
export type Stop = () => void

/**
 * Who should own which shards: liveness only. Who did write is decided by the log, so a wrong or late answer costs
 * void entries and time, never truth.
 */
export interface Membership {
  /** Calls `change` with all shards that this process should own, at once where known, then at each change. */
  on(change: (owned: readonly number[]) => void): Stop
}

/** Embedded: this process owns all. */
export function staticMembership(shards: readonly number[]): Membership {
  return {
    on: (change) => {
      change(shards)
      return () => {}
    },
  }
}
