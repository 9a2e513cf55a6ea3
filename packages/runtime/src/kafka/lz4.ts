import { Growing } from './growing.ts'

const frameMagic = 0x184d2204
const skippableMagic = 0x184d2a50
const blockBytes = [0, 0, 0, 0, 65_536, 262_144, 1_048_576, 4_194_304] as const

/**
 * Decompresses LZ4 frames, as Kafka writes them. Blocks may depend on one another. Checksums are not looked at: the
 * record batch has its own.
 *
 * @throws Error where the bytes are no such frame, or more than `most` bytes come out
 * @source LZ4 frame format 1.6.4 and block format, github.com/lz4/lz4/tree/dev/doc
 */
export async function decompressLz4(frame: Buffer, most: number): Promise<Buffer> {
  const out = new Growing(frame.length * 4, most)
  for (let at = 0; at < frame.length; ) {
    const magic = frame.readUInt32LE(at)
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      at += 8 + frame.readUInt32LE(at + 4)
      continue
    }
    if (magic !== frameMagic) throw new Error('not an LZ4 frame')
    const flags = frame.readUInt8(at + 4)
    if (flags >>> 6 !== 1) throw new Error(`LZ4 frame of version ${flags >>> 6}`)
    const blockChecksum = (flags & 0x10) !== 0
    const contentSize = (flags & 0x08) !== 0
    const contentChecksum = (flags & 0x04) !== 0
    if (flags & 0x01) throw new Error('LZ4 frame with a dictionary')
    const mostInBlock = blockBytes[(frame.readUInt8(at + 5) >>> 4) & 7]!
    at += 7 + (contentSize ? 8 : 0)
    for (;;) {
      const size = frame.readUInt32LE(at)
      at += 4
      if (size === 0) break
      const length = size & 0x7fffffff
      if (length > mostInBlock || at + length > frame.length) throw new Error('LZ4 block is longer than its frame says')
      if (size >>> 31) out.literals(frame, at, at + length)
      else lz4Block(frame, at, at + length, out)
      await out.turn()
      at += length + (blockChecksum ? 4 : 0)
    }
    if (contentChecksum) at += 4
  }
  return out.bytes()
}

function lz4Block(block: Buffer, start: number, end: number, out: Growing): void {
  let at = start
  const more = (length: number): number => {
    if (length !== 15) return length
    for (let sum = length; ; ) {
      if (at >= end) throw new Error('LZ4 block is torn')
      const byte = block[at++]!
      sum += byte
      if (byte !== 255) return sum
    }
  }
  while (at < end) {
    const token = block[at++]!
    const literals = more(token >>> 4)
    if (at + literals > end) throw new Error('LZ4 block is torn')
    out.literals(block, at, at + literals)
    at += literals
    if (at === end) return // the last sequence has literals only
    if (at + 2 > end) throw new Error('LZ4 block is torn')
    const distance = block[at]! | (block[at + 1]! << 8)
    at += 2
    out.repeat(distance, more(token & 15) + 4)
  }
}
