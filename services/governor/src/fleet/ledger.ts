import type { AnyOut, DecisionOut, LogTime } from '@interlock/contracts'
import { append, type Frontier, type LeafSource, leafHash, leafOf, leafText, rootOf } from '@interlock/ledger'

/** A decision of a governor, and where it lies. */
export interface Decided {
  readonly decision: DecisionOut
  readonly source: LeafSource
}

/**
 * Appends decisions to the ledger, in the order in which they were taken, and puts out their leaves and then the checkpoint
 * behind them. Only the tree's right edge is kept: the leaves are in the log.
 */
export function record(
  ledger: Frontier,
  decided: readonly Decided[],
  time: LogTime,
): readonly [Frontier, readonly AnyOut[]] {
  if (decided.length === 0) return [ledger, []]
  const outs: AnyOut[] = []
  let next = ledger
  for (const { decision, source } of decided) {
    const { deployment, sequence, id } = decision
    const leaf = leafText(leafOf(decision, source))
    outs.push({ kind: 'leaf', index: next.size, deployment, sequence, decision: id, leaf })
    next = append(next, leafHash(Buffer.from(leaf, 'utf8')))
  }
  outs.push({ kind: 'checkpoint', size: next.size, root: rootOf(next), at: time })
  return [next, outs]
}
