import { canonicalJson, type LogTime } from '@interlock/contracts'
import type { Account } from './account.ts'
import type { KnownSchema } from './registered.ts'
import type { ReplayedPartition } from './replays.ts'
import type { Watched } from './watched.ts'

/** What a shard of the profiler remembers: small, because rows become counts at once. */
export interface ProfilerState {
  readonly shard: number
  readonly watermark: LogTime
  /** Every row that this shard has ever taken. */
  readonly totals: Account
  readonly watches: readonly Watched[]
  /** Which rows of dead records were counted when they were submitted again. Absent: none ever was. */
  readonly replays?: readonly ReplayedPartition[]
  /** What a schema registry said, by id. Present: ids in Avro messages are the registry's, and no longer ours. */
  readonly schemas?: readonly KnownSchema[]
}

export const stateVersion = 1

/** Canonical JSON. */
export function saveState(state: ProfilerState): Uint8Array {
  return new TextEncoder().encode(canonicalJson(state))
}

/** @throws Error for a version that this build does not read. */
export function loadState(bytes: Uint8Array, version: number): ProfilerState {
  if (version !== stateVersion) {
    throw new Error(
      `a snapshot of the profiler has version ${version}, and this build reads ${stateVersion}: start the build that wrote it, or a newer one`,
    )
  }
  return JSON.parse(new TextDecoder().decode(bytes)) as ProfilerState
}
