import type { DeadReason } from '@interlock/contracts'

/** Where rows went. Invariant S6 (docs/reliability.md): taken = counted + setAside + Σ dead. */
export interface Account {
  readonly taken: number
  readonly counted: number
  readonly setAside: number
  readonly dead: Readonly<Partial<Record<DeadReason, number>>>
}

export const emptyAccount: Account = { taken: 0, counted: 0, setAside: 0, dead: {} }

export function addAccounts(a: Account, b: Account): Account {
  return {
    taken: a.taken + b.taken,
    counted: a.counted + b.counted,
    setAside: a.setAside + b.setAside,
    dead: addDead(a.dead, b.dead),
  }
}

/** @throws Error when a row was lost or counted twice: a bug of ours, which must not reach the log. */
export function assertBalanced(account: Account): void {
  const dead = Object.values(account.dead).reduce((sum, rows) => sum + rows, 0)
  if (account.taken !== account.counted + account.setAside + dead) {
    throw new Error(
      `the account of rows does not balance: ${account.taken} taken, ${account.counted} counted, ${account.setAside} set aside, ${dead} dead`,
    )
  }
}

function addDead(a: Account['dead'], b: Account['dead']): Account['dead'] {
  const sum: Partial<Record<DeadReason, number>> = {}
  for (const reason of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort() as DeadReason[]) {
    sum[reason] = (a[reason] ?? 0) + (b[reason] ?? 0)
  }
  return sum
}
