import { offsetSpan, type ReceiptEnd } from '@interlock/console'
import type { CountsOut, DeadLetterOut, Range } from '@interlock/contracts'
import type { ListedRow } from '@interlock/profiler'

/** Values of one dimension that are summed apart; the rest is summed together. */
const valuesApart = 200

type Value = string | number | null

/** What a receipt adds up to. Its size depends on segments and partitions, not on rows. */
export class ReceiptSums {
  #rows = 0
  #late = 0
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY
  readonly #sums = new Map<string, Map<Value, number>>()
  readonly #read = new Map<string, Range>()
  readonly #gone = new Map<string, Range>()
  readonly #dead = new Map<string, number>()
  #goneRows = 0

  add({ eventTimeMs, producer, status, segments }: ListedRow, isLate: boolean): void {
    this.#rows++
    if (isLate) this.#late++
    this.#first = Math.min(this.#first, eventTimeMs)
    this.#last = Math.max(this.#last, eventTimeMs)
    this.#sum('producer', producer)
    this.#sum('status', status)
    for (const [name, value] of Object.entries(segments)) this.#sum(`segment:${name}`, value)
  }

  read(ranges: readonly Range[]): void {
    for (const range of ranges) widen(this.#read, range)
  }

  /** Counts whose rows the log no longer holds. */
  expire(counts: readonly CountsOut[]): void {
    for (const { rows, span } of counts) {
      this.#goneRows += rows
      widen(this.#gone, span)
    }
  }

  died(letters: readonly DeadLetterOut[]): void {
    for (const { reason, count = 1 } of letters) this.#dead.set(reason, (this.#dead.get(reason) ?? 0) + count)
  }

  end(): ReceiptEnd {
    const spans = (of: ReadonlyMap<string, Range>) => [...of.keys()].sort().map((key) => offsetSpan(of.get(key)!))
    return {
      rows: this.#rows,
      late: this.#late,
      first: this.#rows === 0 ? null : this.#first,
      last: this.#rows === 0 ? null : this.#last,
      sums: [...this.#sums.keys()]
        .sort()
        .flatMap((dimension) =>
          [...this.#sums.get(dimension)!]
            .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
            .map(([value, rows]) => ({ dimension, value, rows })),
        ),
      read: spans(this.#read),
      expired: { rows: this.#goneRows, spans: spans(this.#gone) },
      dead: Object.fromEntries([...this.#dead].sort(([a], [b]) => (a < b ? -1 : 1))),
    }
  }

  #sum(dimension: string, value: Value): void {
    const sums = this.#sums.get(dimension) ?? new Map<Value, number>()
    this.#sums.set(dimension, sums)
    const apart = sums.has(value) || sums.size < valuesApart ? value : null
    sums.set(apart, (sums.get(apart) ?? 0) + 1)
  }
}

function widen(spans: Map<string, Range>, { topic, partition, from, to }: Range): void {
  if (to <= from) return
  const key = `${topic}/${partition}`
  const old = spans.get(key)
  spans.set(key, {
    topic,
    partition,
    from: old !== undefined && old.from < from ? old.from : from,
    to: old !== undefined && old.to > to ? old.to : to,
  })
}
