export const noHeaders: Readonly<Record<string, string>> = Object.freeze({})

/** Reads a record's fields: variable-length integers in zigzag, lengths before bytes, −1 for absent. */
export class RecordCursor {
  position: number
  private readonly bytes: Buffer
  private readonly words: DataView
  private headersStart = 0
  private headersLength = -1
  private lastHeaders = noHeaders
  constructor(bytes: Buffer, position: number) {
    this.bytes = bytes
    this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.position = position
  }

  recordEnd(): number {
    const length = this.varint()
    const end = this.position + length
    if (length < 0 || end > this.bytes.length) throw new Error('a record is longer than its batch')
    this.position += 1 // attributes: none are in use
    return end
  }

  skipToKey(): void {
    this.recordEnd()
    this.varlong()
    this.varint()
  }

  varint(): number {
    // Most lengths and deltas are of one or two bytes.
    const { bytes, position } = this
    const first = bytes[position]!
    if (first < 0x80) {
      this.position = position + 1
      return (first >>> 1) ^ -(first & 1)
    }
    const second = bytes[position + 1]!
    if (second < 0x80) {
      this.position = position + 2
      const raw = (first & 0x7f) | (second << 7)
      return (raw >>> 1) ^ -(raw & 1)
    }
    const value = this.varlong()
    if (value !== (value | 0)) throw new Error('an integer is too large')
    return value
  }

  varlong(): number {
    let byte = this.bytes[this.position++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let raw = byte & 0x7f
    let scale = 128
    do {
      if (this.position >= this.bytes.length || scale > 2 ** 49) throw new Error('an integer does not end')
      byte = this.bytes[this.position++]!
      raw += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80)
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }

  field(): Buffer | null {
    const length = this.varint()
    if (length < 0) return null
    const start = this.position
    this.position += length
    if (this.position > this.bytes.length) throw new Error('a field is longer than its batch')
    return this.bytes.subarray(start, this.position)
  }

  /** Up to `end`, where the record ends. Records mostly have the headers of the one before, and share them then. */
  headers(end: number): Readonly<Record<string, string>> {
    const start = this.position
    const { bytes } = this
    if (bytes[start] === 0) return noHeaders
    const length = end - start
    if (length === this.headersLength && this.isSame(start, this.headersStart, length)) return this.lastHeaders
    this.headersStart = start
    this.headersLength = length
    // Without a prototype: a header may be called `__proto__`.
    const headers: Record<string, string> = Object.create(null)
    for (let left = this.varint(); left > 0; left--) {
      const name = this.field()?.toString('utf8') ?? ''
      headers[name] = this.field()?.toString('utf8') ?? ''
    }
    if (this.position > end) throw new Error('headers are longer than their record')
    this.lastHeaders = headers
    return headers
  }

  private isSame(a: number, b: number, length: number): boolean {
    const { bytes, words } = this
    let index = 0
    for (; index + 4 <= length; index += 4) if (words.getInt32(a + index) !== words.getInt32(b + index)) return false
    for (; index < length; index++) if (bytes[a + index] !== bytes[b + index]) return false
    return true
  }
}
