import { countRowBits, type RowBits, rowBits, unionRows, withoutRows } from '@interlock/columns'
import type { LetterGroup, LetterSelection, LetterShown } from '@interlock/console'
import { type DeadLetterOut, type DeadReason, type LogTime, type ReplayedOut, topics } from '@interlock/contracts'

/** One word about why rows of a record died. */
interface Letter {
  readonly at: LogTime
  readonly reason: DeadReason
  readonly detail: string
  readonly row: number
  readonly count: number
  /** null: the record as a whole. */
  rows: RowBits | null
}

/** Why a record cannot be submitted again. */
export type Impossible = 'sent again by its sender only' | 'the letter is of an older build'

/** A dead record, by its letters and by what was counted of it since. */
export interface DeadRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly payload: string
  readonly letters: Letter[]
  replayed: RowBits
  readonly impossible: Impossible | null
}

/** Records that are looked at; of more, the newest letters'. */
export const bookBound = 50_000

/**
 * What the topic of dead letters says, in its order. A record's open rows are those of its letters, each under the newest
 * letter that names it, without what was counted when it was submitted again.
 */
export class LetterBook {
  readonly #records = new Map<string, DeadRecord>()
  #dropped = 0

  get isWhole(): boolean {
    return this.#dropped === 0
  }

  letter(out: DeadLetterOut, at: LogTime): void {
    const place = placeOf(out)
    const known = this.#records.get(place)
    const { topic, partition, offset, payload, reason, detail, row, count, rows = null } = out
    const record: DeadRecord = known ?? {
      ...{ topic, partition, offset, payload, letters: [], replayed: rowBits([]) },
      impossible: whyImpossible(out),
    }
    // Newest last, so that the oldest is dropped where there are too many.
    this.#records.delete(place)
    this.#records.set(place, record)
    for (const earlier of record.letters) earlier.rows = stillOpen(earlier, rows)
    record.letters.push({ at, reason, detail, row, count: count ?? 1, rows })
    if (this.#records.size <= bookBound) return
    this.#records.delete(this.#records.keys().next().value!)
    this.#dropped++
  }

  replayed(out: ReplayedOut): void {
    const record = this.#records.get(placeOf(out))
    if (record === undefined) return
    record.replayed = unionRows(record.replayed, out.rows)
    for (const letter of record.letters) letter.rows = stillOpen(letter, out.rows)
  }

  /** Records that the selection names, in the order of topic, partition and offset. */
  selected(selection: LetterSelection): readonly DeadRecord[] {
    return [...this.#records.values()].filter((record) => lettersIn(record, selection).length > 0).sort(byPlace)
  }

  get(place: string): DeadRecord | undefined {
    return this.#records.get(place)
  }

  groups(selection: LetterSelection): readonly LetterGroup[] {
    const groups = new Map<string, LetterGroup>()
    for (const record of this.selected(selection)) {
      for (const { reason, detail, at, rows, count } of lettersIn(record, selection)) {
        const key = `${record.topic} ${reason}`
        const place = placeOf(record)
        const old = groups.get(key)
        const open = openCount(rows)
        const done = rows === null ? 0 : count - open
        groups.set(key, {
          topic: record.topic,
          reason,
          records: (old?.records ?? 0) + (open > 0 ? 1 : 0),
          rows: (old?.rows ?? 0) + open,
          replayed: (old?.replayed ?? 0) + done,
          first: Math.min(old?.first ?? at, at),
          last: Math.max(old?.last ?? at, at),
          example: old !== undefined && old.last > at ? old.example : { place, detail },
        })
      }
    }
    return [...groups.keys()].sort().map((key) => groups.get(key)!)
  }
}

export function placeOf({ topic, partition, offset }: Pick<DeadRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}/${partition}/${offset}`
}

/** Rows of a record that are open under the selection; null: the record as a whole; empty: none. */
export function openRows(record: DeadRecord, selection: LetterSelection): RowBits | null {
  let rows: RowBits = rowBits([])
  for (const letter of lettersIn(record, selection)) {
    if (letter.rows === null) return null
    rows = unionRows(rows, letter.rows)
  }
  return rows
}

/** A record that died as a whole counts as one row. */
export function openCount(rows: RowBits | null): number {
  return rows === null ? 1 : countRowBits(rows)
}

export function shown(record: DeadRecord): Omit<LetterShown, 'record'> {
  return {
    place: placeOf(record),
    letters: record.letters.map(({ at, reason, detail, row, count, rows }) => ({
      ...{ at, reason, detail, row, rows: count },
      open: openCount(rows),
      whole: rows === null,
    })),
    replayed: countRowBits(record.replayed),
    payload: record.payload,
  }
}

function lettersIn(record: DeadRecord, { topic, reason, since, until, place }: LetterSelection): readonly Letter[] {
  if (topic !== undefined && topic !== record.topic) return []
  if (place !== undefined && place !== placeOf(record)) return []
  return record.letters.filter(
    (letter) =>
      (reason === undefined || letter.reason === reason) &&
      (since === undefined || letter.at >= since) &&
      (until === undefined || letter.at < until),
  )
}

/** A later word about the same rows takes them over. Rows are named only once the record reads: then it is dead no more as a whole. */
function stillOpen({ rows }: Letter, later: RowBits | null): RowBits | null {
  if (later === null) return rowBits([])
  return rows === null ? rowBits([]) : withoutRows(rows, later)
}

function whyImpossible({ topic, count }: DeadLetterOut): Impossible | null {
  if (topic === topics.requests || topic === topics.facts) return 'sent again by its sender only'
  return count === undefined ? 'the letter is of an older build' : null
}

function byPlace(a: DeadRecord, b: DeadRecord): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  if (a.partition !== b.partition) return a.partition - b.partition
  return a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0
}
