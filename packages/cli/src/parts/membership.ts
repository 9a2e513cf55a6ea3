import type { Membership } from '@interlock/runtime'

/**
 * One membership for several who go together, such as the host of a processor and the publishers of its shard logs: each
 * hears the same shards, and the group is left when the last of them has ended.
 */
export function sharedMembership(own: Membership): Membership {
  const listeners = new Set<(owned: readonly number[]) => void>()
  let owned: readonly number[] | null = null
  let leave: (() => void) | null = null
  return {
    on(change) {
      const listener = (shards: readonly number[]): void => change(shards)
      listeners.add(listener)
      if (leave === null) {
        leave = () => undefined
        leave = own.on((shards) => {
          owned = shards
          for (const each of [...listeners]) each(shards)
        })
      } else if (owned !== null) listener(owned)
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return
        leave?.()
        leave = null
        owned = null
      }
    },
  }
}
