/** Uniform numbers in [0, 1). Injected wherever the shell needs chance: backoff, simulation. */
export type Random = () => number

/**
 * Seeded generator of the simulation and of tests: 32 bits of state, full period.
 *
 * @source mulberry32, T. Ettinger 2017 (public domain); ample for schedules, not for statistics
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
