/**
 * A uniform number that follows from its keys alone, 0 ≤ x < 1: the same row meets the same chance whatever was drawn
 * before it. Integer mixing only (the finalizer of MurmurHash3), so it is the same on every machine.
 *
 * @param purpose what the number is for: another one for each
 */
export function draw(seed: number, number: number, purpose = 0): number {
  let state = mixed(0x9e37_79b9 ^ Math.imul(seed | 0, 0x85eb_ca6b))
  state = mixed(state + Math.imul(number | 0, 0xc2b2_ae35))
  return (mixed(state + Math.imul(purpose | 0, 0x27d4_eb2f)) >>> 0) / 4_294_967_296
}

/** Uniform numbers of one row, one after the other (mulberry32): begun by its keys, and so independent of all other rows. */
export function drawsOf(seed: number, number: number): () => number {
  let state = Math.imul(seed | 0, 0x85eb_ca6b) ^ mixed(number + 0x9e37_79b9)
  return () => {
    state = (state + 0x6d2b_79f5) | 0
    let next = Math.imul(state ^ (state >>> 15), state | 1)
    next ^= next + Math.imul(next ^ (next >>> 7), next | 61)
    return ((next ^ (next >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A whole number that follows from a text (FNV-1a, then mixed): a key for `draw`. */
export function keyOfText(text: string): number {
  let state = 0x811c_9dc5
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x0100_0193)
  return mixed(state)
}

function mixed(value: number): number {
  let state = value | 0
  state = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2_ae35)
  return state ^ (state >>> 16)
}
