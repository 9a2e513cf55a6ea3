import { createHash } from 'node:crypto'
import type { Landed } from './runs.ts'
import type { Accuse } from './violation.ts'

/**
 * S8: every decision of every governor shard is in the ledger once, in the order of its shard; leaves are numbered without a gap;
 * and each checkpoint's root is the RFC 6962 root of the leaves up to its size, by a recursion of our own.
 */
export function checkLedger(landed: Landed, accuse: Accuse): number {
  const leaves: Buffer[] = []
  const decided = new Map<string, number[]>()
  for (const { outs, offset } of landed.run('fleet', 0).entries) {
    for (const out of outs) {
      if (out.kind === 'leaf') {
        if (out.index !== leaves.length) accuse('S8', 'ledger', `leaf ${out.index} comes where ${leaves.length} is due`)
        leaves.push(sha256(Buffer.from([0]), Buffer.from(out.leaf, 'utf8')))
        decided.set(out.deployment, [...(decided.get(out.deployment) ?? []), out.sequence])
      }
      if (out.kind !== 'checkpoint') continue
      if (out.size !== leaves.length)
        accuse('S8', 'ledger', `a checkpoint of ${out.size} leaves comes after ${leaves.length}`)
      else if (rootOf(leaves).toString('hex') !== out.root) {
        accuse('S8', 'ledger', `the root of ${out.size} leaves at fleet entry ${offset} is another`)
      }
    }
  }
  for (const [name, run] of landed.runs) {
    if (!name.startsWith('governor/')) continue
    const decisions = run.entries.flatMap(({ outs }) => outs.filter((out) => out.kind === 'decision'))
    for (const deployment of new Set(decisions.map((each) => each.deployment))) {
      const due = decisions.filter((each) => each.deployment === deployment).map(({ sequence }) => sequence)
      const found = decided.get(deployment) ?? []
      if (due.join() !== found.join())
        accuse('S8', deployment, `decisions ${due} were made, and ${found} are in the ledger`)
    }
  }
  return leaves.length
}

function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return leaves[0]!
  let left = 1
  while (left * 2 < leaves.length) left *= 2
  return sha256(Buffer.from([1]), rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)))
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
