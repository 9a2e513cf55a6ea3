/** Writes the fields of a request as Kafka lays them out. */
export class Writer {
  private readonly parts: Buffer[] = []

  int8(value: number): this {
    const bytes = Buffer.allocUnsafe(1)
    bytes.writeInt8(value)
    return this.bytes(bytes)
  }
  int16(value: number): this {
    const bytes = Buffer.allocUnsafe(2)
    bytes.writeInt16BE(value)
    return this.bytes(bytes)
  }
  int32(value: number): this {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeInt32BE(value)
    return this.bytes(bytes)
  }
  int64(value: bigint): this {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigInt64BE(value)
    return this.bytes(bytes)
  }
  string(value: string | null): this {
    if (value === null) return this.int16(-1)
    const bytes = Buffer.from(value, 'utf8')
    return this.int16(bytes.length).bytes(bytes)
  }
  bytes(value: Buffer): this {
    this.parts.push(value)
    return this
  }
  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length)
    for (const item of items) write(item)
    return this
  }
  done(): Buffer {
    return Buffer.concat(this.parts)
  }
}

/** Reads the fields of an answer, in order. A field beyond the end throws RangeError. */
export class Reader {
  private at = 0
  private readonly buffer: Buffer
  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  int8(): number {
    this.at += 1
    return this.buffer.readInt8(this.at - 1)
  }
  int16(): number {
    this.at += 2
    return this.buffer.readInt16BE(this.at - 2)
  }
  int32(): number {
    this.at += 4
    return this.buffer.readInt32BE(this.at - 4)
  }
  int64(): bigint {
    this.at += 8
    return this.buffer.readBigInt64BE(this.at - 8)
  }
  string(): string {
    const length = this.int16()
    return length < 0 ? '' : this.slice(length).toString('utf8')
  }
  /** A view. */
  bytes(): Buffer {
    return this.slice(Math.max(0, this.int32()))
  }
  list<T>(read: () => T): T[] {
    const items: T[] = []
    for (let left = this.int32(); left > 0; left--) items.push(read())
    return items
  }

  private slice(length: number): Buffer {
    const end = this.at + length
    if (end > this.buffer.length) throw new RangeError(`an answer ends within a field of ${length} bytes`)
    const slice = this.buffer.subarray(this.at, end)
    this.at = end
    return slice
  }
}
