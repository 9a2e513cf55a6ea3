const c1 = 0x239b961b
const c2 = 0xab0e9789
const c3 = 0x38b34ae5
const c4 = 0xa1e38b93
const blockBytes = 16

/** Numbers that a key takes: 53 bits are what one number of ours holds exactly. */
export const keys = 2 ** 53

/**
 * Key of an id for sketches: the first 53 bits of MurmurHash3 (x86, 128 bits, seed 0) over the id's bytes. The same in every
 * process, language and year, so sketches of different partitions merge. Among n ids two share a key with a chance of about
 * n²/2^54: one in 18,000 for a million. Whoever chooses ids can aim for equal keys; nothing but a count hangs on them.
 *
 * @returns a whole number from 0 to 2^53 − 1
 */
export function keyOf(bytes: Uint8Array, from = 0, to = bytes.length): number {
  murmur3(bytes, from, to, 0, hash)
  return hash[0]! * 2 ** 21 + (hash[1]! >>> 11)
}

const hash = new Uint32Array(4)

/**
 * MurmurHash3_x86_128 of the bytes `from` … `to` (exclusive) into four 32-bit words, which stand little-endian one after the
 * other where the hash is written as bytes.
 *
 * @source Austin Appleby, https://github.com/aappleby/smhasher, MurmurHash3.cpp (public domain)
 */
export function murmur3(bytes: Uint8Array, from: number, to: number, seed: number, into: Uint32Array): void {
  let h1 = seed
  let h2 = seed
  let h3 = seed
  let h4 = seed
  let at = from
  for (; at + blockBytes <= to; at += blockBytes) {
    h1 ^= mixed1(word(bytes, at))
    h1 = (Math.imul(rotated(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= mixed2(word(bytes, at + 4))
    h2 = (Math.imul(rotated(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= mixed3(word(bytes, at + 8))
    h3 = (Math.imul(rotated(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= mixed4(word(bytes, at + 12))
    h4 = (Math.imul(rotated(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  // The rest, as if zeros followed: a word of zeros mixes to zero.
  h4 ^= mixed4(wordBefore(bytes, at + 12, to))
  h3 ^= mixed3(wordBefore(bytes, at + 8, to))
  h2 ^= mixed2(wordBefore(bytes, at + 4, to))
  h1 ^= mixed1(wordBefore(bytes, at, to))

  const length = to - from
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = avalanche(h1)
  h2 = avalanche(h2)
  h3 = avalanche(h3)
  h4 = avalanche(h4)
  h1 = (h1 + h2 + h3 + h4) | 0
  into[0] = h1
  into[1] = h2 + h1
  into[2] = h3 + h1
  into[3] = h4 + h1
}

function mixed1(k: number): number {
  return Math.imul(rotated(Math.imul(k, c1), 15), c2)
}
function mixed2(k: number): number {
  return Math.imul(rotated(Math.imul(k, c2), 16), c3)
}
function mixed3(k: number): number {
  return Math.imul(rotated(Math.imul(k, c3), 17), c4)
}
function mixed4(k: number): number {
  return Math.imul(rotated(Math.imul(k, c4), 18), c1)
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

function avalanche(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** Four bytes, the lowest first. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** The same, with zeros for what does not lie before `to`. */
function wordBefore(bytes: Uint8Array, at: number, to: number): number {
  let found = 0
  for (let index = Math.min(at + 4, to) - 1; index >= at; index--) found = (found << 8) | bytes[index]!
  return found
}
