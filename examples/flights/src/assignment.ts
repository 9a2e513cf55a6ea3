import { createHash } from 'node:crypto'

/** The salt of this deployment. It never changes: who is in a share of 5 % is also in any larger share. */
export const deploymentSalt = 'flight-delay:'

/**
 * Where a unit stands in [0, 1): the first 8 bytes of SHA-256(salt ‖ unit) as a big-endian fraction (its first 53 bits,
 * which is what a double holds, so that it is never 1).
 */
export function positionOf(salt: string, unit: string): number {
  const digest = createHash('sha256').update(salt).update(unit).digest()
  return (digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11)) / 2 ** 53
}

/**
 * Whether the candidate decides for a unit: its position lies below the share. Raising the share only moves units to
 * the candidate, lowering it only moves them back; at a given share everyone keeps their version.
 */
export function goesToCandidate(position: number, share: number): boolean {
  return position < share
}
