/** How far something that must move is. Times are the watcher's own, ms. */
export interface Unit {
  /** What it said last of how far it is; null before it said anything. */
  readonly mark: string | number | null
  /** When that changed. */
  readonly movedAt: number
  /** No trouble before: it is starting, or has said that it leaves and comes back. */
  readonly graceUntil: number
  /** Of the probe: how late its round was when it said so, and when it did. */
  readonly overdue: { readonly ms: number; readonly at: number; readonly waitsFor: string } | null
}

/** A process that has beaten: older beats of it are repetitions. */
export interface Instance {
  readonly id: string
  readonly beat: number
  /** By its own clock. */
  readonly at: number
}

export interface Trouble {
  /** Since when it did not move. */
  readonly since: number
  readonly noticedAt: number
  /** Since when it moves again; null while it does not. */
  readonly movesSince: number | null
}

/** Troubles that began together: what people are told of once, then again while it lasts, then that it is over. */
export interface Incident {
  readonly id: string
  readonly openedAt: number
  readonly troubles: Readonly<Record<string, Trouble>>
  /** Every trouble that it had, in the order in which they were noticed. */
  readonly units: readonly string[]
  /** Messages so far, and when the last one was made; 0 and null while nobody was told. */
  readonly told: number
  readonly toldAt: number | null
  /** Units that the last message named. */
  readonly named: number
  /** A message about it reached a receiver. */
  readonly arrived: boolean
}

/** A message for people that has not reached them yet. */
export interface Page {
  /** Equal for every attempt: receivers drop what they have seen. */
  readonly id: string
  readonly incident: string
  readonly kind: 'open' | 'update' | 'repeat' | 'resolved'
  readonly at: number
  readonly sentence: string
  readonly units: readonly string[]
}

/** Everything that a watcher knows. Plain JSON: it outlives a restart. */
export interface WatchState {
  readonly v: 1
  /** The last look. */
  readonly now: number
  readonly units: Readonly<Record<string, Unit>>
  readonly instances: Readonly<Record<string, readonly Instance[]>>
  readonly incidents: readonly Incident[]
  readonly outbox: readonly Page[]
  /** What the other watcher has told people of. */
  readonly peerPaged: readonly string[]
  /** Incidents so far. */
  readonly count: number
}

export const emptyWatch = (now: number): WatchState => ({
  v: 1,
  now,
  units: {},
  instances: {},
  incidents: [],
  outbox: [],
  peerPaged: [],
  count: 0,
})
