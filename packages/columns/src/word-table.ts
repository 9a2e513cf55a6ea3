import { bounds } from './bounds.ts'

/** Code of a word that the table does not know. */
export const unknownWord = -1

/**
 * A frozen list of words and the way back: word → its place in the list, from text or straight from UTF-8 bytes without
 * making a string. It never grows, so a million new categories cost no memory: they are all `unknownWord`.
 *
 * Complexity: one hash over the bytes and, nearly always, one comparison (open addressing, at most half full).
 */
export class WordTable {
  readonly words: readonly string[]
  readonly #codes: ReadonlyMap<string, number>
  readonly #bytes: Uint8Array
  readonly #starts: Int32Array
  readonly #slots: Int32Array

  constructor(words: readonly string[]) {
    this.words = words
    this.#codes = new Map(words.map((word, code) => [word, code]))
    if (this.#codes.size !== words.length) throw new RangeError('a word table names a word twice')
    const encoded = words.map((word) => new TextEncoder().encode(word))
    this.#starts = new Int32Array(words.length + 1)
    encoded.forEach((bytes, code) => {
      this.#starts[code + 1] = this.#starts[code]! + bytes.length
    })
    this.#bytes = new Uint8Array(this.#starts[words.length]!)
    let size = 8
    while (size < words.length * 2) size *= 2
    this.#slots = new Int32Array(size).fill(unknownWord)
    encoded.forEach((bytes, code) => {
      this.#bytes.set(bytes, this.#starts[code]!)
      if (bytes.length > bounds.wordBytes) return
      let slot = hashOf(bytes, 0, bytes.length) & (size - 1)
      while (this.#slots[slot] !== unknownWord) slot = (slot + 1) & (size - 1)
      this.#slots[slot] = code
    })
  }

  /** @returns the word's place, or `unknownWord`. */
  codeOf(text: string): number {
    return this.#codes.get(text) ?? unknownWord
  }

  /** The same for the UTF-8 bytes `from` … `to` (exclusive). Bytes that are no UTF-8 are unknown. */
  codeOfBytes(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from
    if (length > bounds.wordBytes) return unknownWord
    const mask = this.#slots.length - 1
    for (let slot = hashOf(bytes, from, to) & mask; ; slot = (slot + 1) & mask) {
      const code = this.#slots[slot]!
      if (code === unknownWord) return unknownWord
      if (this.isWord(code, bytes, from, to)) return code
    }
  }

  /** Whether the bytes are the word of this code: without a hash, where a guess is likely to be right. */
  isWord(code: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[code]!
    const length = to - from
    if (this.#starts[code + 1]! - start !== length) return false
    let at = 0
    while (at < length && this.#bytes[start + at] === bytes[from + at]) at++
    return at === length
  }
}

/** FNV-1a over the bytes. The table's words come from approved documents, so nobody can aim for collisions in it. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 ^ (to - from)
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  return hash ^ (hash >>> 15)
}
