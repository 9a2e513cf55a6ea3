import { type DeadLetterOut, decodeOut, type LogRecord, type ReplayedOut, topics } from '@interlock/contracts'
import { type EventLog, RangeGone, sourceHeader } from '@interlock/runtime'
import { unhurried } from '../parts/unhurried.ts'
import { LetterBook } from './letter-book.ts'

/** Reads the topic of dead letters, and at each further question what came since. */
export class LetterReader {
  readonly #log: EventLog
  readonly #book = new LetterBook()
  /** Next offset by partition. */
  readonly #next = new Map<number, bigint>()
  /** Place of the newest out taken, by shard log: a publisher copies in order and may start again a little earlier. */
  readonly #newest = new Map<string, readonly [offset: bigint, index: number]>()
  #reading: Promise<unknown> = Promise.resolve()

  constructor(log: EventLog) {
    this.#log = log
  }

  /** The book with everything that the topic holds now. One reads at a time. */
  read(): Promise<LetterBook> {
    const reading = this.#reading.then(() => this.#readOn())
    this.#reading = reading.catch(() => undefined)
    return reading
  }

  async #readOn(): Promise<LetterBook> {
    const partitions = await this.#log.partitions(topics.dlq)
    for (let partition = 0; partition < partitions; partition++) await this.#readPartition(partition)
    return this.#book
  }

  async #readPartition(partition: number): Promise<void> {
    for (;;) {
      const { begin, end } = await this.#log.bounds(topics.dlq, partition)
      let from = this.#next.get(partition) ?? begin
      if (from < begin) from = begin
      if (from >= end) return
      try {
        const batches = this.#log.read({ topic: topics.dlq, partition, from, to: end })
        for await (const { records } of unhurried(batches)) {
          for (const record of records) {
            this.#take(record)
            this.#next.set(partition, record.offset + 1n)
          }
        }
        this.#next.set(partition, end)
        return
      } catch (error) {
        // Retention has overtaken the reader: what is gone is gone, and the rest is there.
        if (!(error instanceof RangeGone)) throw error
      }
    }
  }

  #take({ value, headers, at }: LogRecord): void {
    const { kind = '' } = headers
    if (value === null || (kind !== 'dead-letter' && kind !== 'replayed')) return
    if (this.#isRepeated(headers[sourceHeader] ?? '')) return
    const out = decodeOut({ kind, key: '', value }) as DeadLetterOut | ReplayedOut
    if (out.kind === 'replayed') this.#book.replayed(out)
    else this.#book.letter(out, at)
  }

  #isRepeated(source: string): boolean {
    const [, shardLog = '', offset = '0', index = '0'] = /^(.+)\/(\d+)\/(\d+)$/.exec(source) ?? []
    const [at, place] = [BigInt(offset), Number(index)]
    const last = this.#newest.get(shardLog)
    if (last !== undefined && (at < last[0] || (at === last[0] && place <= last[1]))) return true
    this.#newest.set(shardLog, [at, place])
    return false
  }
}
