/** Seeded randomness: one stream for shuffles, and keyed draws that do not depend on the order of requests. */

/** A source of uniform numbers in [0, 1). */
export type Uniform = () => number

/**
 * xoshiro128**, 32 bits a draw, seeded through splitmix32.
 *
 * @param seed any integers; different lists give unrelated streams
 * @source Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021
 */
export function xoshiro128(...seed: readonly number[]): Uniform {
  let mixed = 0x9e3779b9
  for (const part of seed) mixed = finalize(mixed ^ (part | 0)) + 0x9e3779b9
  const state = new Uint32Array(4)
  for (let word = 0; word < 4; word++) {
    mixed = (mixed + 0x9e3779b9) | 0
    state[word] = finalize(mixed)
  }
  if (state.every((word) => word === 0)) state[0] = 1
  return xoshiro128From(state)
}

/** xoshiro128** from a state of four words, of which at least one is not 0. The state is used up in place. */
export function xoshiro128From(state: Uint32Array): Uniform {
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(state[1]!, 5), 7), 9) >>> 0
    const shifted = state[1]! << 9
    state[2]! ^= state[0]!
    state[3]! ^= state[1]!
    state[1]! ^= state[2]!
    state[0]! ^= state[3]!
    state[2]! ^= shifted
    state[3] = rotateLeft(state[3]!, 11)
    return result / 2 ** 32
  }
}

/**
 * A uniform number in [0, 1) that is a function of its arguments alone: the draw for one flight and one purpose is
 * the same whatever was drawn before, so injected errors do not depend on batching or on the number of connections.
 */
export function keyedUniform(seed: number, key: number, purpose: number): number {
  return (finalize(finalize(finalize(seed ^ 0x9e3779b9) ^ key) ^ Math.imul(purpose + 1, 0x85ebca6b)) >>> 0) / 2 ** 32
}

/** A keyed lognormal draw: `median` times exp(`sigma` times a standard normal), by Box and Muller. */
export function keyedLogNormal(seed: number, key: number, purpose: number, median: number, sigma: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - keyedUniform(seed, key, 2 * purpose)))
  return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * keyedUniform(seed, key, 2 * purpose + 1)))
}

/** Shuffles in place (Fisher and Yates) and returns the same array. */
export function shuffle(values: Uint32Array, uniform: Uniform): Uint32Array {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1))
    const kept = values[last]!
    values[last] = values[other]!
    values[other] = kept
  }
  return values
}

/** murmur3's 32-bit finaliser: each bit of the input touches every bit of the output. */
function finalize(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
