import { countRowBits, cutDetail, type RowBits, rowBits, rowsIn } from '@interlock/columns'
import { type DeadLetterOut, type DeadReason, type LogRecord, sha256, type Unreadable } from '@interlock/contracts'

/** A record whose rows die, and where the letter says that they lie: of a copy, the dead record that it is a copy of. */
export interface Dying {
  readonly record: LogRecord
  readonly offset: bigint
}

interface Letter {
  readonly dying: Dying
  readonly reason: DeadReason
  row: number
  detail: string
  /** A row may stand here twice. null: the record as a whole. */
  rows: number[] | null
  /** Records that the log could not give out and that died as one; 1 otherwise. */
  readonly records: number
}

/**
 * Dead letters of a batch: one for each record and reason, naming which rows died alike, so that a message of 65,536 bad
 * rows cannot make an entry that no log takes. The progress out counts every row.
 */
export class Letters {
  readonly #letters = new Map<string, Letter>()
  readonly #rows: Partial<Record<DeadReason, number>> = {}

  /** One row, or more that die alike, in order. */
  add(dying: Dying, rows: readonly number[], reason: DeadReason, detail: string): void {
    this.#count(reason, rows.length)
    this.#put(dying, rows, reason, detail)
  }

  /** The record as a whole, whatever rows it may hold; of a copy, the rows that it stands for. It counts as one row. */
  addWhole(dying: Dying, reason: DeadReason, detail: string, rows: RowBits | null = null): void {
    this.#count(reason, 1)
    this.#put(dying, rows === null ? null : rowsIn(rows), reason, detail)
  }

  /** Records that the log holds and cannot give out: they have no rows that anybody could tell, and count as one each. */
  addUnreadable(record: LogRecord, { reason, detail, records }: Unreadable): void {
    this.#count(reason, records)
    this.#put({ record, offset: record.offset }, null, reason, cutDetail(detail), records)
  }

  get rows(): Readonly<Partial<Record<DeadReason, number>>> {
    return this.#rows
  }

  /** In the order of topic, partition, offset and reason. */
  outs(): DeadLetterOut[] {
    return [...this.#letters.values()]
      .sort(byPlace)
      .map(({ dying: { record, offset }, row, reason, detail, rows: all, records }) => {
        const rows = all === null ? null : rowBits(all)
        const count = rows === null ? records : countRowBits(rows)
        return {
          kind: 'dead-letter',
          topic: record.topic,
          partition: record.partition,
          offset,
          row,
          reason,
          detail:
            rows !== null && count > 1 ? cutDetail(`${count} rows of this message; the first: ${detail}`) : detail,
          payload: sha256(record.value ?? new Uint8Array()),
          count,
          ...(rows === null ? {} : { rows }),
        }
      })
  }

  #count(reason: DeadReason, rows: number): void {
    this.#rows[reason] = (this.#rows[reason] ?? 0) + rows
  }

  #put(dying: Dying, rows: readonly number[] | null, reason: DeadReason, detail: string, records = 1): void {
    const { record, offset } = dying
    const key = `${record.topic}/${record.partition}/${offset}/${reason}`
    const row = rows?.[0] ?? 0
    const known = this.#letters.get(key)
    if (known === undefined) {
      this.#letters.set(key, { dying, row, reason, detail, rows: rows === null ? null : [...rows], records })
      return
    }
    if (rows === null) known.rows = null
    else for (const one of rows) known.rows?.push(one)
    if (row >= known.row) return
    known.row = row
    known.detail = detail
  }
}

function byPlace(a: Letter, b: Letter): number {
  const [one, other] = [a.dying, b.dying]
  if (one.record.topic !== other.record.topic) return one.record.topic < other.record.topic ? -1 : 1
  if (one.record.partition !== other.record.partition) return one.record.partition - other.record.partition
  if (one.offset !== other.offset) return one.offset < other.offset ? -1 : 1
  return a.reason < b.reason ? -1 : a.reason > b.reason ? 1 : 0
}
