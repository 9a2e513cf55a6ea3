/** Bytes that end early, or hold what no writer writes. The record is malformed; the partition moves on. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Appends Avro primitives to a buffer that grows. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(256)
  #length = 0

  /** A copy of what was written. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length))
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  /** A long as zigzag varint. */
  long(value: number | bigint): void {
    if (typeof value === 'number' && value >= -0x3fff_ffff && value <= 0x3fff_ffff) {
      let rest = ((value << 1) ^ (value >> 31)) >>> 0
      while (rest >= 0x80) {
        this.byte((rest & 0x7f) | 0x80)
        rest >>>= 7
      }
      this.byte(rest)
      return
    }
    const wide = BigInt(value)
    let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n))
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.byte(Number(rest))
  }

  float(value: number): void {
    this.#room(4)
    this.#length = this.#bytes.writeFloatLE(value, this.#length)
  }

  double(value: number): void {
    this.#room(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  string(text: string): void {
    const length = Buffer.byteLength(text, 'utf8')
    this.long(length)
    this.#room(length)
    this.#length += this.#bytes.write(text, this.#length, 'utf8')
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

/** Reads Avro primitives; every length is checked against the bytes that are there before anything is allocated. */
export class ByteReader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  byte(): number {
    const value = this.#bytes[this.#at]
    if (value === undefined) throw new Malformed(`ends at byte ${this.#at} in the middle of a value`)
    this.#at++
    return value
  }

  wideLong(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        if (value > 0xffff_ffff_ffff_ffffn) break
        return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
      }
    }
    throw new Malformed(`the number that ends at byte ${this.#at} is longer than 64 bits`)
  }

  long(): number {
    const from = this.#at
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    this.#at = from
    const wide = Number(this.wideLong())
    if (!Number.isSafeInteger(wide)) throw new Malformed(`the number at byte ${from} is beyond 2^53 − 1`)
    return wide
  }

  int(): number {
    const value = this.long()
    if (value !== (value | 0)) throw new Malformed(`the number before byte ${this.#at} is longer than 32 bits`)
    return value
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#take(4))
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8))
  }

  string(): string {
    const at = this.#take(this.long())
    const text = this.#bytes.toString('utf8', at, this.#at)
    // The replacement character is lawful text; only the strict decoder can tell it from broken bytes.
    if (text.includes('\ufffd')) {
      try {
        return strictUtf8.decode(this.#bytes.subarray(at, this.#at))
      } catch {
        throw new Malformed(`the text at byte ${at} is not UTF-8`)
      }
    }
    return text
  }

  /** A copy of the next `length` bytes. */
  raw(length: number): Uint8Array {
    const at = this.#take(length)
    return new Uint8Array(this.#bytes.subarray(at, this.#at))
  }

  skip(length: number): void {
    this.#take(length)
  }

  /** Moves on by `length` bytes and says where they begin. */
  #take(length: number): number {
    if (length < 0 || length > this.left) {
      throw new Malformed(`at byte ${this.#at} there should be ${length} bytes, and there are ${this.left}`)
    }
    const at = this.#at
    this.#at += length
    return at
  }
}
