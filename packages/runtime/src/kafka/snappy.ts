import { Growing } from './growing.ts'

/** First bytes of snappy-java's stream, which Kafka's own clients write: blocks with their lengths. */
const streamMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const streamHeaderBytes = 16

/**
 * Decompresses Snappy: snappy-java's framing, or one bare block, as other clients write it.
 *
 * @throws Error where the bytes are neither, or more than `most` bytes come out
 * @source github.com/google/snappy format_description.txt; snappy-java SnappyOutputStream
 */
export async function decompressSnappy(bytes: Buffer, most: number): Promise<Buffer> {
  if (!bytes.subarray(0, streamMagic.length).equals(streamMagic)) {
    const out = new Growing(bytes.length * 4, most)
    snappyBlock(bytes, out)
    return out.bytes()
  }
  const out = new Growing(bytes.length * 4, most)
  for (let at = streamHeaderBytes; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    at += 4
    if (at + length > bytes.length) throw new Error('Snappy stream is torn')
    snappyBlock(bytes.subarray(at, at + length), out)
    await out.turn()
    at += length
  }
  return out.bytes()
}

function snappyBlock(block: Buffer, out: Growing): void {
  let at = 0
  const little = (count: number): number => {
    const value = block.readUIntLE(at, count)
    at += count
    return value
  }
  // The uncompressed length; the output grows by itself.
  while (little(1) & 0x80);
  while (at < block.length) {
    const tag = block[at++]!
    const kind = tag & 3
    if (kind === 0) {
      const short = tag >>> 2
      const length = (short < 60 ? short : little(short - 59)) + 1
      if (at + length > block.length) throw new Error('Snappy block is torn')
      out.literals(block, at, at + length)
      at += length
    } else if (kind === 1) {
      const distance = ((tag >>> 5) << 8) | little(1)
      out.repeat(distance, ((tag >>> 2) & 7) + 4)
    } else {
      out.repeat(little(kind === 2 ? 2 : 4), (tag >>> 2) + 1)
    }
  }
}
