import type { LogTime } from './time.ts'

/**
 * What a process does, each second: not that it lives, but how far it came (docs/reliability.md "Dead-man's switch").
 * Travels to the watchers by HTTP and lies on `heartbeats`, as a DSSE envelope signed by the process's own key.
 */
export interface Heartbeat {
  readonly v: 1
  readonly environment: string
  /** The component: holder of the key that signs. */
  readonly by: string
  /** Fresh id of the process. */
  readonly instance: string
  /** Counts the beats of the instance from 1: an older one is a repetition. */
  readonly beat: number
  /** The sender's own clock, ms since 1970. For people; nobody judges by it. */
  readonly at: number
  /** The last beat of a process that ends in order and is expected back soon. */
  readonly leaving: boolean
  readonly process: ProcessHealth
  /** Every shard that this process should own. */
  readonly shards: readonly ShardProgress[]
  readonly probe: ProbeProgress | null
  /** Of a watcher: the troubles that people were told of by it. Null for everybody else. */
  readonly paged: readonly string[] | null
}

export interface ProcessHealth {
  readonly rssBytes: number
  readonly heapBytes: number
  readonly heapLimitBytes: number
  /** Longest time in the last second that the event loop kept a timer waiting. */
  readonly loopDelayMs: number
}

/** How far a shard is. Null where it has made no valid entry in this process yet. */
export interface ShardProgress {
  readonly processor: string
  readonly shard: number
  /** It makes entries: its first one was valid. False while it is being taken over, or could not go on. */
  readonly owned: boolean
  /** Offset of its last valid entry: what must move. */
  readonly seq: number | null
  /** Time of the step that made it. */
  readonly time: LogTime | null
  /** Milliseconds since it was known to be valid, on a monotonic clock. */
  readonly ageMs: number | null
  /** Offsets of its inputs that it has not taken; 0 once it was caught up. Null where the log did not tell. */
  readonly behind: number | null
  /** Void entries that this process saw in its shard log. */
  readonly voids: number
}

/** How the synthetic deployment fares. */
export interface ProbeProgress {
  readonly rounds: number
  /** Rounds whose rollback was verified: what must move. */
  readonly verified: number
  /** When the last one was, by the probe's own clock, and how long after its breach. */
  readonly verifiedAt: number | null
  readonly tookMs: number | null
  /** How long the present round is beyond what was promised for it; 0 while it is in time. */
  readonly overdueMs: number
  /** In words, what it waits for. */
  readonly waitsFor: string
}
