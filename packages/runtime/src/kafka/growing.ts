import { setImmediate } from 'node:timers/promises'

/** More comes out of a batch than is taken. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
}

/** How much is made before others get their turn. */
const turnBytes = 4 * 1_048_576

/** Output of a decompressor: grows by doubling, never beyond a bound. */
export class Growing {
  private buffer: Buffer
  private length = 0
  private turnAt = turnBytes
  private readonly most: number

  constructor(expected: number, most: number) {
    this.buffer = Buffer.allocUnsafe(Math.min(most, Math.max(64, expected)))
    this.most = most
  }

  literals(from: Buffer, start: number, end: number): void {
    this.ensure(end - start)
    from.copy(this.buffer, this.length, start, end)
    this.length += end - start
  }

  /** The `count` bytes that begin `distance` before the end; they may overlap what they make. */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.length) throw new Error('compressed data points before its beginning')
    this.ensure(count)
    const { buffer } = this
    let at = this.length
    if (distance >= count) buffer.copyWithin(at, at - distance, at - distance + count)
    else for (const end = at + count; at < end; at++) buffer[at] = buffer[at - distance]!
    this.length += count
  }

  /** Called between blocks: a large output must not hold the process up. */
  async turn(): Promise<void> {
    if (this.length < this.turnAt) return
    this.turnAt = this.length + turnBytes
    await setImmediate()
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  private ensure(more: number): void {
    const needed = this.length + more
    if (needed > this.most) throw new TooLarge(`more than ${this.most} bytes come out of one compressed batch`)
    if (needed <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.min(this.most, Math.max(needed, this.buffer.length * 2)))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}
