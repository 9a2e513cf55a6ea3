/** Seeded uniform numbers for the tests of this package (mulberry32). Nothing but tests may import it. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Hits of `n` trials with chance `p`. */
export function hits(n: number, p: number, next: () => number): number {
  let count = 0
  for (let i = 0; i < n; i++) if (next() < p) count++
  return count
}

/** Rows of `n` that fall into each bin. */
export function rowsIn(n: number, p: readonly number[], next: () => number): number[] {
  const counts = p.map(() => 0)
  for (let i = 0; i < n; i++) {
    let rest = next()
    let bin = 0
    while (bin < p.length - 1 && rest >= (p[bin] as number)) rest -= p[bin++] as number
    counts[bin] = (counts[bin] as number) + 1
  }
  return counts
}
