import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { decompressLz4 } from './lz4.ts'
import { decompressSnappy } from './snappy.ts'

/** What one record batch may become: a broker bounds its compressed size only. */
export const maxDecompressedBytes = 128 * 1_048_576

/**
 * Decompresses the records of one batch.
 *
 * @param codec the lowest three bits of a batch's attributes
 * @throws Error where the bytes are not what the codec writes, or more than `most` come out
 * @source Kafka protocol, record batch attributes
 */
export function decompress(codec: number, bytes: Buffer, most: number = maxDecompressedBytes): Buffer {
  switch (codec) {
    case 0:
      return bytes
    case 1:
      return gunzipSync(bytes, { maxOutputLength: most })
    case 2:
      return decompressSnappy(bytes, most)
    case 3:
      return decompressLz4(bytes, most)
    case 4:
      return zstdDecompressSync(bytes, { maxOutputLength: most })
    default:
      throw new Error(`compression codec ${codec} is not known; this build knows gzip, Snappy, LZ4 and Zstandard`)
  }
}
