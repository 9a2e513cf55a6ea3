/** What a watcher is told once: what must move in its environment, and how patient it is. */
export interface WatchRules {
  readonly environment: string
  /** Its own name; how the other watchers call it. */
  readonly self: string
  /** Components that must beat, by the holder of their key; the other watchers among them. */
  readonly components: readonly string[]
  /** The other watcher, if there is one: who has told people already need not be echoed. */
  readonly peer: string | null
  /** How long it waits for the other watcher to tell people first. Zero for one of the two. */
  readonly waitForPeerMs: number
  /** Number of shards of each processor: every one of them must be moved by somebody. */
  readonly shards: Readonly<Record<string, number>>
  /** The synthetic deployment must be rolled back, and verified, again and again. */
  readonly probe: boolean
  readonly times: WatchTimes
}

export interface WatchTimes {
  /** Without progress for so long it is a trouble, on the page of the watcher … */
  readonly noticeMs: number
  /** … and after so long people are told. */
  readonly pageMs: number
  /** Rounds of the probe come so often at the latest; beyond it the probe itself says how late the present one is. */
  readonly probeRoundMs: number
  /** A trouble is over once it has moved, never `movingMs` late, for so long; the probe's after more than a round. */
  readonly movingMs: number
  readonly calmMs: number
  readonly probeCalmMs: number
  /** Troubles that begin within this time are one incident. */
  readonly groupMs: number
  /** An incident that has grown is told of again after so long, and one that goes on after so long. */
  readonly updateMs: number
  readonly repeatMs: number
  /** Before the first start everything may take so long to come up, and after an orderly end to come back. */
  readonly startMs: number
  readonly restartMs: number
}

/**
 * Noticed within 15 s of the last progress, told within 30 s by either watcher (docs/reliability.md F30): a beat each second,
 * a look each second, and the second watcher 5 s behind the first. A shard that another process takes over moves again within
 * 15 s and pages nobody.
 */
export const watchTimes: WatchTimes = {
  noticeMs: 12_000,
  pageMs: 20_000,
  probeRoundMs: 90_000,
  movingMs: 4_000,
  calmMs: 10_000,
  probeCalmMs: 75_000,
  groupMs: 60_000,
  updateMs: 30_000,
  repeatMs: 600_000,
  startMs: 60_000,
  restartMs: 45_000,
}

/** A watcher looks so often. */
export const lookEveryMs = 1_000
/** Between two looks further apart it did not run itself; nobody is blamed for that time. */
export const longestLookMs = 6_000

/** How long the second of two watchers waits for the first. */
export const waitForPeerMs = 5_000

export type UnitKind = 'component' | 'shard' | 'probe'

/** Something that must move. */
export interface UnitName {
  readonly kind: UnitKind
  /** `governor`, `evaluator/3`, `probe`. */
  readonly name: string
}

const units = new WeakMap<WatchRules, ReadonlyMap<string, UnitName>>()

/** Everything that must move under these rules, by its name. */
export function unitsOf(rules: WatchRules): ReadonlyMap<string, UnitName> {
  const known = units.get(rules) ?? namesOf(rules)
  units.set(rules, known)
  return known
}

function namesOf({ components, shards, probe }: WatchRules): ReadonlyMap<string, UnitName> {
  const names: UnitName[] = components.map((name) => ({ kind: 'component', name }))
  for (const [processor, count] of Object.entries(shards)) {
    for (let shard = 0; shard < count; shard++) names.push({ kind: 'shard', name: `${processor}/${shard}` })
  }
  if (probe) names.push({ kind: 'probe', name: 'probe' })
  return new Map(names.map((unit) => [`${unit.kind} ${unit.name}`, unit]))
}
