import { cutDetail } from '@interlock/columns'
import { type DeadLetterOut, type DeadReason, type LogRecord, sha256 } from '@interlock/contracts'

/**
 * Dead letters of a batch: one for each record and reason, naming its first row and how many rows died alike, so that a
 * message of 65,536 bad rows cannot make an entry that no log takes. The progress out counts every row.
 */
export class Letters {
  readonly #letters = new Map<
    string,
    { record: LogRecord; row: number; reason: DeadReason; detail: string; rows: number }
  >()
  readonly #rows: Partial<Record<DeadReason, number>> = {}

  /** @param row −1 where the whole record is dead */
  add(record: LogRecord, row: number, reason: DeadReason, detail: string, rows = 1): void {
    this.#rows[reason] = (this.#rows[reason] ?? 0) + rows
    const key = `${record.topic}/${record.partition}/${record.offset}/${reason}`
    const known = this.#letters.get(key)
    if (known === undefined) {
      this.#letters.set(key, { record, row: Math.max(0, row), reason, detail, rows })
      return
    }
    known.rows += rows
    if (row >= known.row) return
    known.row = row
    known.detail = detail
  }

  get rows(): Readonly<Partial<Record<DeadReason, number>>> {
    return this.#rows
  }

  /** In the order of topic, partition, offset and reason. */
  outs(): DeadLetterOut[] {
    return [...this.#letters.values()].sort(byPlace).map(({ record, row, reason, detail, rows }) => ({
      kind: 'dead-letter',
      topic: record.topic,
      partition: record.partition,
      offset: record.offset,
      row,
      reason,
      detail: rows > 1 ? cutDetail(`${rows} rows of this message; the first: ${detail}`) : detail,
      payload: sha256(record.value ?? new Uint8Array()),
    }))
  }
}

type Placed = { readonly record: LogRecord; readonly reason: string }

function byPlace(a: Placed, b: Placed): number {
  if (a.record.topic !== b.record.topic) return a.record.topic < b.record.topic ? -1 : 1
  if (a.record.partition !== b.record.partition) return a.record.partition - b.record.partition
  if (a.record.offset !== b.record.offset) return a.record.offset < b.record.offset ? -1 : 1
  return a.reason < b.reason ? -1 : a.reason > b.reason ? 1 : 0
}
