import type { LogTime } from '@interlock/contracts'

/**
 * Which requests were taken, so that a retry, and a replay at any later time, changes nothing.
 *
 * The newest by signing time are remembered by id. What is forgotten leaves its signing time behind as `floor`, and nothing
 * signed at or before it is ever taken: so each request that was taken is either remembered or at the floor. That holds whatever
 * the signers' clocks say; a clock that is behind the last 1,024 requests of the shard merely has its request refused.
 */
export interface TakenRequests {
  readonly floor: number
  /** By signing time, oldest first. */
  readonly newest: readonly { readonly id: string; readonly at: LogTime }[]
}

export const noRequests: TakenRequests = { floor: -1, newest: [] }

/** Requests that are remembered by id, a shard. */
export const requestsKept = 1_024

/** A request that was signed so long after it was recorded comes from a clock that is wrong: ms. */
export const signedAheadMs = 300_000

/**
 * @param at  when it was signed; 0 where the request does not say: older than all that do
 * @returns `retry` where it was taken already, `replayed` where it may have been
 */
export function knownRequest(taken: TakenRequests, id: string, at: LogTime): 'new' | 'retry' | 'replayed' {
  if (taken.newest.some((one) => one.id === id)) return 'retry'
  return at <= taken.floor ? 'replayed' : 'new'
}

/** Remembers a request; beyond `requestsKept` the one that was signed first is forgotten, and raises the floor. */
export function withRequest({ floor, newest }: TakenRequests, id: string, at: LogTime): TakenRequests {
  const all = [...newest, { id, at }].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  const [oldest] = all
  if (all.length <= requestsKept || oldest === undefined) return { floor, newest: all }
  return { floor: Math.max(floor, oldest.at), newest: all.slice(1) }
}
