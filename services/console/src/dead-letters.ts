import type { DeadReason } from '@interlock/contracts'

/** Which dead letters are meant; what is absent excludes none. */
export interface LetterSelection {
  readonly topic?: string
  readonly reason?: DeadReason
  /** Times of the letters, ms. */
  readonly since?: number
  readonly until?: number
  /** One record: `<topic>/<partition>/<offset>`. */
  readonly place?: string
}

/** Letters of one topic and reason. `open`: dead still, as far as is known. */
export interface LetterGroup {
  readonly topic: string
  readonly reason: DeadReason
  readonly records: number
  readonly rows: number
  /** Rows that were submitted again and are counted now. */
  readonly replayed: number
  readonly first: number
  readonly last: number
  /** One of the newest, to begin with. */
  readonly example: { readonly place: string; readonly detail: string }
}

export interface LetterList {
  readonly groups: readonly LetterGroup[]
  /** False where there were more records than are looked at: then the newest are. */
  readonly whole: boolean
}

/** One record and why it, or which of its rows, died. Never what it holds. */
export interface LetterShown {
  readonly place: string
  readonly letters: readonly {
    readonly at: number
    readonly reason: DeadReason
    readonly detail: string
    /** First row, how many, and how many of them are open still. A record that died as a whole counts as one. */
    readonly row: number
    readonly rows: number
    readonly open: number
    readonly whole: boolean
  }[]
  readonly replayed: number
  /** First 32 hex digits and more of the payload's SHA-256. */
  readonly payload: string
  /** The record, while the log holds it. */
  readonly record: { readonly bytes: number; readonly at: number; readonly contentType: string | null } | null
}

/** What submitting the selected rows again would do, by the rules in force now. */
export interface ReplayPlan {
  readonly records: number
  readonly rows: number
  /** Rows that would be counted, and those of them whose pane is closed or lies before watching began: in no evidence. */
  readonly counted: number
  readonly late: number
  /** Rows that would die again, by reason: the cause is not mended. */
  readonly dead: Readonly<Record<string, number>>
  /** Records that the log no longer holds, and those that cannot be submitted again, with the reason. */
  readonly gone: number
  readonly impossible: readonly { readonly why: string; readonly records: number }[]
  /** Records beyond those that one look takes: they come next. */
  readonly more: number
}

/** What was appended. Only rows that are still dead are counted, each once, however often this is done. */
export interface Replayed {
  readonly records: number
  readonly rows: number
  /** Last copy on each partition: once the profiler has taken it, all is done. */
  readonly copies: readonly { readonly topic: string; readonly partition: number; readonly offset: string }[]
  /** Where the next call goes on, or null where nothing is left. */
  readonly next: string | null
}

/** What the wiring gives the console for dead letters. */
export interface DeadLetterPorts {
  list(selection: LetterSelection): Promise<LetterList>
  show(place: string): Promise<LetterShown | null>
  /** @param closedTo  end of a deployment's last closed pane, ms; null before the first */
  plan(selection: LetterSelection, closedTo: (deployment: string) => number | null): Promise<ReplayPlan>
  /** Appends copies of at most a few hundred records behind `after`, in the order of topic, partition and offset. */
  replay(selection: LetterSelection, after: string | null): Promise<Replayed>
  /** Whether the profiler has taken the copy at this place. */
  taken(topic: string, partition: number, offset: bigint): Promise<boolean>
  /**
   * The payload, for the person who signed the request for it, where that person may.
   *
   * @param envelope  DSSE envelope of a payload request
   */
  payload(envelope: Uint8Array): Promise<{ readonly bytes: Uint8Array } | { readonly refused: string }>
}
