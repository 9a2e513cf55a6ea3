/** Bounds of the shard protocol; every loop and buffer of shard.ts has one. */
export interface ShardLimits {
  /** Of one step and input: offsets, or entries of a shard log. */
  readonly maxRecords: number
  readonly maxBytes: number
  /** An entry is written at least so often, with nothing in it if need be: that is how time passes. */
  readonly tickMs: number
  /** How long a step waits for company after its first record. */
  readonly lingerMs: number
  readonly snapshotMs: number
  /** A snapshot at the latest after so many entries: bounds the replay of who owns next. */
  readonly snapshotEntries: number
}

export const shardLimits = {
  maxRecords: 2_000,
  maxBytes: 2 * 1_048_576,
  tickMs: 1_000,
  lingerMs: 20,
  snapshotMs: 60_000,
  snapshotEntries: 10_000,
  /** Outs of one entry: leaves room for ranges and framing under the log's 1 MiB. */
  maxOutBytes: 900 * 1_024,
  /** Appends of one entry before the shard is left to who may reach the log. */
  appendAttempts: 5,
} as const satisfies ShardLimits & Record<string, number>
