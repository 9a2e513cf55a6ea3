import { createHash } from 'node:crypto'
import type { Landed, Seen } from './runs.ts'
import type { Accuse } from './violation.ts'

/**
 * S8, leaf by leaf: every decision of every governor shard is in the ledger once, in the order of its shard; leaves are numbered
 * without a gap; and each checkpoint's root is the RFC 6962 root of the leaves up to its size, by a recursion of our own.
 */
export class LedgerChecks {
  private readonly landed: Landed
  private readonly accuse: Accuse
  private readonly leaves: Buffer[] = []
  /** Newest decision of each deployment that has its leaf. */
  private readonly taken = new Map<string, number>()

  constructor(landed: Landed, accuse: Accuse) {
    this.landed = landed
    this.accuse = accuse
  }

  take({ outs, offset }: Seen): void {
    const { leaves } = this
    const say = (text: string): void => this.accuse('S8', 'ledger', `fleet entry ${offset}: ${text}`)
    for (const out of outs) {
      if (out.kind === 'leaf') {
        if (out.index !== leaves.length) say(`leaf ${out.index} comes where ${leaves.length} is due`)
        leaves.push(sha256(Buffer.from([0]), Buffer.from(out.leaf, 'utf8')))
        const due = (this.taken.get(out.deployment) ?? 0) + 1
        if (out.sequence !== due) say(`decision ${out.sequence} of ${out.deployment} comes where ${due} is due`)
        this.taken.set(out.deployment, out.sequence)
      }
      if (out.kind !== 'checkpoint') continue
      if (out.size !== leaves.length) say(`a checkpoint of ${out.size} leaves comes after ${leaves.length}`)
      else if (rootOf(leaves).toString('hex') !== out.root) say(`the root of ${out.size} leaves is another`)
    }
  }

  /** Whether every decision has its leaf: asked when all is quiet. */
  missing(): void {
    for (const [name, run] of this.landed.runs) {
      if (!name.startsWith('governor/')) continue
      const last = new Map<string, number>()
      for (const { outs } of run.entries)
        for (const out of outs) if (out.kind === 'decision') last.set(out.deployment, out.sequence)
      for (const [deployment, made] of last) {
        const found = this.taken.get(deployment) ?? 0
        if (found !== made) this.accuse('S8', deployment, `${made} decisions were made, and ${found} are in the ledger`)
      }
    }
  }
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
