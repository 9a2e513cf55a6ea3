import { createHash } from 'node:crypto'
import { type Hash, sha256 } from '@interlock/contracts'

/**
 * Merkle tree hash of an append-only log.
 *
 *   MTH({}) = SHA-256();  leaf: SHA-256(0x00 ‖ bytes);  node: SHA-256(0x01 ‖ left ‖ right)
 *
 * @source RFC 6962 §2.1 (the same tree as RFC 9162 §2.1)
 */

/** Root of the log without leaves. */
export const emptyRoot: Hash = sha256('')

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

export function leafHash(leaf: Uint8Array): Hash {
  return createHash('sha256').update(leafPrefix).update(leaf).digest('hex') as Hash
}

export function nodeHash(left: Hash, right: Hash): Hash {
  return createHash('sha256').update(nodePrefix).update(left, 'hex').update(right, 'hex').digest('hex') as Hash
}

/**
 * All that appending needs of a log: its size and the roots of the full subtrees on its right edge, largest first, one for each
 * 1 in the binary form of `size`. At most 53 hashes.
 */
export interface Frontier {
  readonly size: number
  readonly roots: readonly Hash[]
}

export const emptyFrontier: Frontier = { size: 0, roots: [] }

/** Appends one leaf: two full subtrees of the same size become one, as a binary counter carries. O(log size). */
export function append({ size, roots }: Frontier, leaf: Hash): Frontier {
  const kept = [...roots]
  let last = leaf
  for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) last = nodeHash(kept.pop() as Hash, last)
  return { size: size + 1, roots: [...kept, last] }
}

/** Root of the whole log. O(log size). */
export function rootOf({ roots }: Frontier): Hash {
  return (
    roots.reduceRight<Hash | null>((right, left) => (right === null ? left : nodeHash(left, right)), null) ?? emptyRoot
  )
}

/** Root of the first `size` of these leaf hashes. */
export function rootAt(leaves: readonly Hash[], size: number): Hash {
  return rootOf(leaves.slice(0, size).reduce(append, emptyFrontier))
}
