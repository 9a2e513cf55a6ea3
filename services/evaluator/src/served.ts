import type { CountsOut, DeploymentId, EventTime, LogTime, ServedOut, Variant, VersionId } from '@interlock/contracts'

/** How many rows a version has in one role. */
export interface VersionRows {
  readonly version: VersionId
  readonly variant: Variant
  readonly rows: number
}

/** Who answered in the newest panes, open or closed; independent of what is compared. */
export interface Served {
  /** Log time of the newest outs. */
  readonly at: LogTime
  readonly panes: ReadonlyMap<EventTime, ServedPane>
}

export interface ServedPane {
  readonly rows: readonly VersionRows[]
  /** True until an out has told of all rows. */
  readonly untold: boolean
}

/** Newest panes that are kept and told of. */
const servedPanes = 8

/** A deployment's rows are told of at most so often, ms of log time. */
const servedEveryMs = 1_000

export function addServed(served: Served, counts: readonly CountsOut[]): Served {
  const panes = new Map(served.panes)
  for (const out of counts) {
    panes.set(out.pane, { rows: addRows(panes.get(out.pane)?.rows ?? [], out), untold: true })
  }
  const kept = [...panes.keys()].sort((a, b) => a - b).slice(-servedPanes)
  return { at: served.at, panes: new Map(kept.map((pane) => [pane, panes.get(pane) as ServedPane])) }
}

/** Outs about the panes that changed, oldest first, when it is time again. */
export function tellServed(
  served: Served,
  identity: { readonly deployment: DeploymentId; readonly generation: number },
  time: LogTime,
): readonly [served: Served, outs: readonly ServedOut[]] {
  const untold = [...served.panes].filter(([, pane]) => pane.untold)
  if (untold.length === 0 || time - served.at < servedEveryMs) return [served, []]
  const { deployment, generation } = identity
  const outs = untold.map(
    ([pane, { rows }]): ServedOut => ({ kind: 'served', deployment, generation, pane, counts: rows }),
  )
  const panes = new Map([...served.panes].map(([pane, { rows }]) => [pane, { rows, untold: false }]))
  return [{ at: time, panes }, outs]
}

/** Adds rows of a version; the list stays sorted by version and variant. */
export function addRows(list: readonly VersionRows[], { version, variant, rows }: VersionRows): readonly VersionRows[] {
  const isSame = (each: VersionRows): boolean => each.version === version && each.variant === variant
  if (list.some(isSame)) return list.map((each) => (isSame(each) ? { ...each, rows: each.rows + rows } : each))
  const order = (each: VersionRows): string => `${each.version} ${each.variant}`
  return [...list, { version, variant, rows }].sort((a, b) => (order(a) < order(b) ? -1 : 1))
}
