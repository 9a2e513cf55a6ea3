import type { Hash } from '@interlock/contracts'
import { append, emptyFrontier, emptyRoot, nodeHash, rootOf } from './merkle.ts'

/**
 * Proofs that a leaf is in a log, and that a log only grew.
 *
 * @source RFC 6962 §2.1.1, §2.1.2 (making); RFC 9162 §2.1.3.2, §2.1.4.2 (checking)
 */

/** Hashes from the leaf at `index` up to the root of the first `size` leaves. @throws RangeError */
export function inclusionProof(leaves: readonly Hash[], index: number, size = leaves.length): readonly Hash[] {
  checkSize(leaves, size)
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) {
    throw new RangeError(`there is no leaf ${index} among ${size}`)
  }
  const path: Hash[] = []
  let [from, to] = [0, size]
  while (to - from > 1) {
    const middle = from + largestPowerBelow(to - from)
    if (index < middle) {
      path.push(rootBetween(leaves, middle, to))
      to = middle
    } else {
      path.push(rootBetween(leaves, from, middle))
      from = middle
    }
  }
  return path.reverse()
}

/** Whether `leaf` (its hash) is the leaf at `index` of the log of `size` leaves with this root. */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (![index, size].every(Number.isSafeInteger) || index < 0 || index >= size) return false
  let [node, last] = [index, size - 1]
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)]
    } else hash = nodeHash(hash, sibling)
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && hash === root
}

/** Hashes that show that the first `from` leaves of the log of `size` are its log of then. @throws RangeError */
export function consistencyProof(leaves: readonly Hash[], from: number, size = leaves.length): readonly Hash[] {
  checkSize(leaves, size)
  if (!(Number.isSafeInteger(from) && from >= 0 && from <= size)) {
    throw new RangeError(`a log of ${size} leaves never had ${from}`)
  }
  if (from === 0 || from === size) return []
  const path: Hash[] = []
  let [begin, end, isWhole] = [0, size, true]
  while (from !== end) {
    const middle = begin + largestPowerBelow(end - begin)
    if (from <= middle) {
      path.push(rootBetween(leaves, middle, end))
      end = middle
    } else {
      path.push(rootBetween(leaves, begin, middle))
      begin = middle
      isWhole = false
    }
  }
  if (!isWhole) path.push(rootBetween(leaves, begin, end))
  return path.reverse()
}

/** Whether the log with `newRoot` at `newSize` is the one with `oldRoot` at `oldSize`, and only grew. */
export function verifyConsistency(
  oldSize: number,
  oldRoot: Hash,
  newSize: number,
  newRoot: Hash,
  proof: readonly Hash[],
): boolean {
  if (![oldSize, newSize].every(Number.isSafeInteger) || oldSize < 0 || oldSize > newSize) return false
  if (oldSize === newSize) return proof.length === 0 && oldRoot === newRoot
  if (oldSize === 0) return proof.length === 0 && oldRoot === emptyRoot
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof
  let [node, last] = [oldSize - 1, newSize - 1]
  while (node % 2 === 1) [node, last] = [half(node), half(last)]
  const [first, ...rest] = path
  if (first === undefined) return false
  let [older, newer] = [first, first]
  for (const hash of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      older = nodeHash(hash, older)
      newer = nodeHash(hash, newer)
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)]
    } else newer = nodeHash(newer, hash)
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && older === oldRoot && newer === newRoot
}

function rootBetween(leaves: readonly Hash[], from: number, to: number): Hash {
  return rootOf(leaves.slice(from, to).reduce(append, emptyFrontier))
}

/** Largest power of two that is smaller than `size` (≥ 2). */
function largestPowerBelow(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

function isPowerOfTwo(size: number): boolean {
  let power = 1
  while (power < size) power *= 2
  return power === size
}

/** Sizes may pass 32 bits, so no shifts. */
function half(value: number): number {
  return Math.floor(value / 2)
}

function checkSize(leaves: readonly Hash[], size: number): void {
  if (size <= leaves.length) return
  throw new RangeError(`${size} leaves are asked for, and ${leaves.length} are known`)
}
