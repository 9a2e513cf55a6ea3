import { putVarint, sampleIds, VarintReader } from '@interlock/contracts'
import { keys } from './murmur3.ts'

/**
 * Bottom-k sample: the k ids with the smallest keys, and how many rows each had. Keys are hashes, so these are k ids drawn
 * uniformly and without replacement; which ones does not depend on how often an id came, in which order, or in how many parts.
 * An id of the sample of all rows is in the sample of every part that holds it, so its rows are counted exactly.
 *
 * Merging adds: commutative, associative, and equal samples are equal bytes. Parts cannot be subtracted.
 *
 * @source Cohen & Kaplan, "Summarizing data using bottom-k sketches", PODC 2007
 */
export class IdSample {
  readonly #rows = new Map<number, number>()
  /** No key beyond it can enter any more. */
  #limit = keys

  /** @param key `keyOf` the id */
  add(key: number, rows = 1): void {
    if (key > this.#limit) return
    this.#rows.set(key, (this.#rows.get(key) ?? 0) + rows)
    // Cut only when it has doubled: sorting then costs each row next to nothing.
    if (this.#rows.size > 2 * sampleIds) this.#cut()
  }

  /** @throws RangeError when the bytes are no sample */
  addPacked(packed: Uint8Array): void {
    const numbers = new VarintReader(packed)
    let key = -1
    while (numbers.hasMore) {
      key += numbers.next() + 1
      const rows = numbers.next()
      if (key >= keys || rows === 0) throw new RangeError('packed sample: a key beyond 2^53, or an id without a row')
      this.add(key, rows)
    }
  }

  /** Keys in rising order with their rows, as varint pairs (gap to the key before, rows): about 8 bytes an id. */
  pack(): Uint8Array {
    this.#cut()
    const bytes: number[] = []
    let last = -1
    for (const key of sorted(this.#rows.keys())) {
      putVarint(bytes, key - last - 1)
      putVarint(bytes, this.#rows.get(key)!)
      last = key
    }
    return Uint8Array.from(bytes)
  }

  /** Keys of the sample, rising. */
  get keys(): Float64Array {
    this.#cut()
    return sorted(this.#rows.keys())
  }

  /** Rows of the sample's ids, and how many of them repeat an id that came before. */
  get tally(): { readonly rows: number; readonly repeated: number } {
    this.#cut()
    let rows = 0
    for (const count of this.#rows.values()) rows += count
    return { rows, repeated: rows - this.#rows.size }
  }

  #cut(): void {
    if (this.#rows.size <= sampleIds) return
    const all = sorted(this.#rows.keys())
    for (let index = sampleIds; index < all.length; index++) this.#rows.delete(all[index]!)
    this.#limit = all[sampleIds - 1]!
  }
}

/** Sample of all rows from the samples of their parts. @throws RangeError when a part is no sample */
export function mergeSamples(parts: readonly Uint8Array[]): Uint8Array {
  const merged = new IdSample()
  for (const part of parts) merged.addPacked(part)
  return merged.pack()
}

/** @throws RangeError when the bytes are no sample */
export function tallyOfSamples(parts: readonly Uint8Array[]): IdSample['tally'] {
  const merged = new IdSample()
  for (const part of parts) merged.addPacked(part)
  return merged.tally
}

function sorted(numbers: Iterable<number>): Float64Array {
  return Float64Array.from(numbers).sort()
}
