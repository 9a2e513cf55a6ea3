import { bounds } from './bounds.ts'
import { Unreadable } from './fault.ts'

/** Items of a block that may take no bytes. */
const mostEmptyItems = 1_024

/** A place in Avro binary (Apache Avro 1.12 specification, "Binary Encoding"). Every move is checked against the end. */
export class AvroCursor {
  readonly bytes: Uint8Array
  readonly #view: DataView
  at: number
  depth = 0

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
  }

  /** A zigzag varint of at most 64 bits; the nearest double where it is beyond 2^53. */
  long(): number {
    const first = this.#byte()
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    let low = first & 0x7f
    let factor = 0x80
    for (let length = 2; length <= 4; length++) {
      const byte = this.#byte()
      low += (byte & 0x7f) * factor
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
      factor *= 0x80
    }
    return this.#wide(low, factor)
  }

  /** Above 28 bits: doubles are exact up to 2^53, and beyond it the bytes are read again as a BigInt. */
  #wide(low: number, factor: number): number {
    const start = this.at - 4
    let value = low
    for (let length = 5, times = factor; length <= 10; length++, times *= 0x80) {
      const byte = this.#byte()
      value += (byte & 0x7f) * times
      if (byte >= 0x80) continue
      if (value <= Number.MAX_SAFE_INTEGER) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      let exact = 0n
      for (let at = this.at - 1; at >= start; at--) exact = (exact << 7n) | BigInt(this.bytes[at]! & 0x7f)
      const bits = BigInt.asUintN(64, exact)
      return Number((bits >> 1n) ^ -(bits & 1n))
    }
    throw new Unreadable('malformed', `Avro: a whole number at byte ${this.at} has more than 10 bytes`)
  }

  double(): number {
    const at = this.#move(8)
    return this.#view.getFloat64(at, true)
  }

  float(): number {
    const at = this.#move(4)
    return this.#view.getFloat32(at, true)
  }

  boolean(): void {
    if (this.#byte() > 1) throw new Unreadable('malformed', `Avro: byte ${this.at - 1} is neither true nor false`)
  }

  /** Steps over a length-prefixed run of bytes; they lie from the returned place to `at`. */
  bytesFrom(): number {
    return this.#move(this.long())
  }

  skip(length: number): void {
    this.#move(length)
  }

  /**
   * Number of items in the next block of an array or map, 0 at its end. Items may take no bytes at all (an array of
   * nulls), so far more of them than bytes that are left are refused: it would be a loop without end.
   */
  block(): number {
    let count = this.long()
    if (count < 0) {
      count = -count
      this.long()
    }
    if (count > this.bytes.length - this.at + mostEmptyItems)
      throw new Unreadable('malformed', `Avro: a block at byte ${this.at} names more items than there are bytes`)
    return count
  }

  enter(): void {
    if (++this.depth > bounds.depth)
      throw new Unreadable('malformed', `Avro: records are nested deeper than ${bounds.depth}`)
  }

  leave(): void {
    this.depth--
  }

  #byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw new Unreadable('malformed', `Avro: the bytes end early, at ${this.bytes.length}`)
    return byte
  }

  #move(length: number): number {
    const at = this.at
    if (!(length >= 0) || at + length > this.bytes.length)
      throw new Unreadable(
        'malformed',
        `Avro: ${length} bytes are named at byte ${at}, and ${this.bytes.length - at} are left`,
      )
    this.at = at + length
    return at
  }
}
