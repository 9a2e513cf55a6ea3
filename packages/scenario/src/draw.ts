/**
 * A uniform number that follows from its keys alone, 0 ≤ x < 1: the same row meets the same chance whatever was drawn
 * before it. Integer mixing only (the finalizer of MurmurHash3), so it is the same on every machine.
 *
 * @param keys whole numbers: a seed, a row's number, what the number is for
 */
export function draw(...keys: readonly number[]): number {
  let state = 0x9e37_79b9
  for (const key of keys) state = mixed((state ^ Math.imul(key | 0, 0x85eb_ca6b)) + 0x9e37_79b9)
  return (state >>> 0) / 4_294_967_296
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
