import type { Membership } from '@interlock/runtime'
import type { Part } from './wiring.ts'

/** Runs `work` for each shard that this process owns, as long as it owns it. Rejects when one cannot go on. */
export function ownedShards(membership: Membership, work: (shard: number, signal: AbortSignal) => Promise<void>): Part {
  return async (signal) => {
    const running = new Map<number, { readonly stop: AbortController; readonly done: Promise<void> }>()
    const failed = Promise.withResolvers<never>()
    const ended = Promise.withResolvers<void>()
    const start = (shard: number): void => {
      const stop = new AbortController()
      const done = work(shard, stop.signal)
      running.set(shard, { stop, done })
      done.catch(failed.reject)
    }
    const change = (owned: readonly number[]): void => {
      if (signal.aborted) return
      for (const [shard, { stop }] of running) {
        if (owned.includes(shard)) continue
        stop.abort()
        running.delete(shard)
      }
      for (const shard of owned) if (!running.has(shard)) start(shard)
    }
    const leave = membership.on(change)
    const onAbort = () => ended.resolve()
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([ended.promise, failed.promise])
    } finally {
      for (const { stop } of running.values()) stop.abort()
      await Promise.allSettled([...running.values()].map(({ done }) => done))
      leave()
    }
  }
}
