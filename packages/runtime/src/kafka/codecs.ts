import { promisify } from 'node:util'
import { gunzip, zstdDecompress } from 'node:zlib'
import { TooLarge } from './growing.ts'
import { decompressLz4 } from './lz4.ts'
import { decompressSnappy } from './snappy.ts'

export { TooLarge }

/**
 * What one record batch may become: a broker bounds its compressed size only. 32 times the largest batch that a topic of
 * ours takes: real events do not shrink so well, and a bomb costs no more than this.
 */
export const maxDecompressedBytes = 32 * 1_048_576

const inThread = { gunzip: promisify(gunzip), zstd: promisify(zstdDecompress) } as const
const zlibTooLarge = 'ERR_BUFFER_TOO_LARGE'
/** One at a time: what comes out of a few bytes may be large. */
let queue: Promise<unknown> = Promise.resolve()

/**
 * Decompresses the records of one batch, without holding the process up for long.
 *
 * @param codec the lowest three bits of a batch's attributes
 * @throws TooLarge where more than `most` bytes come out; Error where the bytes are not what the codec writes
 * @source Kafka protocol, record batch attributes
 */
export function decompress(codec: number, bytes: Buffer, most: number = maxDecompressedBytes): Promise<Buffer> {
  const done = queue.then(() => decompressNow(codec, bytes, most))
  queue = done.catch(() => {})
  return done
}

async function decompressNow(codec: number, bytes: Buffer, most: number): Promise<Buffer> {
  switch (codec) {
    case 1:
      return bounded(most, inThread.gunzip(bytes, { maxOutputLength: most }))
    case 2:
      return decompressSnappy(bytes, most)
    case 3:
      return decompressLz4(bytes, most)
    case 4:
      return bounded(most, inThread.zstd(bytes, { maxOutputLength: most }))
    default:
      throw new Error(`compression codec ${codec} is not known; this build knows gzip, Snappy, LZ4 and Zstandard`)
  }
}

async function bounded(most: number, work: Promise<Buffer>): Promise<Buffer> {
  try {
    return await work
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === zlibTooLarge) throw new TooLarge(outgrown(most))
    throw error
  }
}

const outgrown = (most: number): string => `more than ${most} bytes come out of one compressed batch`
