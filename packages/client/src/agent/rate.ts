/** How many requests an address may make: a burst, then so many a second. */
export const requestRate = { burst: 400, perSecond: 100, addresses: 1_024 } as const

/**
 * A token bucket for each remote address, bounded in number. So a flood from one address costs little, and does not keep
 * out the governor's command from another.
 */
export function requestLimiter(monotonic: () => number): (address: string) => boolean {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return (address) => {
    const now = monotonic()
    const bucket = buckets.get(address) ?? { tokens: requestRate.burst, at: now }
    bucket.tokens = Math.min(requestRate.burst, bucket.tokens + ((now - bucket.at) / 1_000) * requestRate.perSecond)
    bucket.at = now
    buckets.delete(address)
    buckets.set(address, bucket)
    if (buckets.size > requestRate.addresses) {
      const [longestSilent] = buckets.keys()
      if (longestSilent !== undefined) buckets.delete(longestSilent)
    }
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}
