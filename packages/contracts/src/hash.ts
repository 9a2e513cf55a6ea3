import { hash } from 'node:crypto'
import type { Hash } from './ids.ts'

/** SHA-256 of bytes or of UTF-8 text. */
export function sha256(data: Uint8Array | string): Hash {
  return hash('sha256', data, 'hex') as Hash
}

/**
 * SHA-256 over length-prefixed fields (4 bytes big-endian length, then the bytes), so that no two lists of
 * fields share an encoding.
 */
export function hashFields(...fields: readonly (string | number | Uint8Array)[]): Hash {
  const parts: Uint8Array[] = []
  for (const field of fields) {
    const bytes = typeof field === 'object' ? field : Buffer.from(String(field), 'utf8')
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32BE(bytes.length)
    parts.push(length, bytes)
  }
  return hash('sha256', Buffer.concat(parts), 'hex') as Hash
}

/**
 * Shard of a deployment or prediction id: first 8 bytes of SHA-256(UTF-8 id), unsigned big-endian, mod `shards`.
 * The number of shards is fixed when the topics are created.
 */
export function shardOf(id: string, shards: number): number {
  return Number(hash('sha256', id, 'buffer').readBigUInt64BE(0) % BigInt(shards))
}
