import { createHash } from 'node:crypto'
import type { Hash } from './ids.ts'

/** SHA-256 of bytes or of UTF-8 text. */
export function sha256(data: Uint8Array | string): Hash {
  return createHash('sha256').update(data).digest('hex') as Hash
}

/**
 * SHA-256 over length-prefixed fields (4 bytes big-endian length, then the bytes), so that no two lists of
 * fields share an encoding.
 */
export function hashFields(...fields: readonly (string | number | Uint8Array)[]): Hash {
  const hash = createHash('sha256')
  for (const field of fields) {
    const bytes = typeof field === 'object' ? field : Buffer.from(String(field), 'utf8')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    hash.update(length).update(bytes)
  }
  return hash.digest('hex') as Hash
}

/**
 * Shard of a deployment or prediction id: first 8 bytes of SHA-256(UTF-8 id), unsigned big-endian, mod `shards`.
 * The number of shards is fixed when the topics are created.
 */
export function shardOf(id: string, shards: number): number {
  return Number(createHash('sha256').update(id, 'utf8').digest().readBigUInt64BE(0) % BigInt(shards))
}
