/**
 * A table of a flatbuffer, read in place (https://flatbuffers.dev/internals). Every access goes through a DataView, so
 * a position outside the bytes is a RangeError and never memory of somebody else.
 */
export class FlatTable {
  readonly #view: DataView
  readonly #at: number
  readonly #offsets: number
  readonly #offsetsEnd: number

  constructor(view: DataView, at: number) {
    this.#view = view
    this.#at = at
    this.#offsets = at - view.getInt32(at, true)
    this.#offsetsEnd = this.#offsets + view.getUint16(this.#offsets, true)
  }

  /** The root table of the flatbuffer that `view` holds. */
  static root(view: DataView): FlatTable {
    return new FlatTable(view, view.getUint32(0, true))
  }

  has(field: number): boolean {
    return this.#place(field) !== 0
  }
  uint8(field: number): number {
    const at = this.#place(field)
    return at === 0 ? 0 : this.#view.getUint8(at)
  }
  int16(field: number): number {
    const at = this.#place(field)
    return at === 0 ? 0 : this.#view.getInt16(at, true)
  }
  int32(field: number): number {
    const at = this.#place(field)
    return at === 0 ? 0 : this.#view.getInt32(at, true)
  }
  int64(field: number): number {
    const at = this.#place(field)
    return at === 0 ? 0 : Number(this.#view.getBigInt64(at, true))
  }
  table(field: number): FlatTable | null {
    const at = this.#place(field)
    return at === 0 ? null : new FlatTable(this.#view, this.#follow(at))
  }
  text(field: number): string {
    const at = this.#place(field)
    if (at === 0) return ''
    const start = this.#follow(at)
    const length = this.#view.getUint32(start, true)
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + start + 4, length))
  }
  tables(field: number): FlatTable[] {
    return this.#vector(field, 4, (at) => new FlatTable(this.#view, this.#follow(at)))
  }
  /** A vector of structs of two 64-bit numbers. */
  pairs(field: number): (readonly [number, number])[] {
    return this.#vector(field, 16, (at) => [
      Number(this.#view.getBigInt64(at, true)),
      Number(this.#view.getBigInt64(at + 8, true)),
    ])
  }

  #vector<Item>(field: number, bytes: number, read: (at: number) => Item): Item[] {
    const at = this.#place(field)
    if (at === 0) return []
    const start = this.#follow(at)
    const length = this.#view.getUint32(start, true)
    // Before anything is made of it: a length is only as good as the bytes behind it.
    if (start + 4 + length * bytes > this.#view.byteLength) throw new RangeError('a vector ends outside the flatbuffer')
    return Array.from({ length }, (_, index) => read(start + 4 + index * bytes))
  }

  #follow(at: number): number {
    return at + this.#view.getUint32(at, true)
  }

  #place(field: number): number {
    const at = this.#offsets + 4 + field * 2
    if (at + 2 > this.#offsetsEnd) return 0
    const offset = this.#view.getUint16(at, true)
    return offset === 0 ? 0 : this.#at + offset
  }
}
