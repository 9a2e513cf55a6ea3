import { bounds, Columns, packSlices, Tally } from '@interlock/columns'
import type { CountsOut, Hash, LogRecord } from '@interlock/contracts'
import type { Compiled } from './compiled.ts'
import { fitsEntry, messageRoomBytes, type PlacedRow } from './entry-room.ts'
import type { Letters } from './letters.ts'
import { type Place, Placer, placeKey } from './placing.ts'

/** What is gathered for a place: its spec's tally, and the smallest span of offsets that holds its rows. */
interface Cell {
  readonly tally: Tally<Place>
  from: bigint
  to: bigint
}

/** Rows that were decoded under one set of watches, from records to counts. */
export class Batch {
  readonly #compiled: Compiled
  readonly #letters: Letters
  readonly #records: LogRecord[] = []
  readonly #columns: Columns
  readonly #placer: Placer
  #cells = new Map<Place, Cell>()
  #tallies = new Map<Hash, Tally<Place>>()
  readonly #outs: CountsOut[] = []
  /** Rows seen so far, good and bad, and those of features and outcomes topics that decode well. */
  taken = 0
  setAside = 0

  constructor(compiled: Compiled, letters: Letters, records: number) {
    this.#compiled = compiled
    this.#letters = letters
    this.#placer = new Placer(compiled)
    this.#columns = new Columns(compiled.wanted, Math.min(records, bounds.rows))
  }

  get isFull(): boolean {
    return this.#columns.rows >= bounds.rows
  }

  /** Decodes a record into the columns. */
  take(record: LogRecord): void {
    const columns = this.#columns
    const before = columns.rows
    const { kind, reader } = this.#compiled.readerOf(record.topic)
    this.#records.push(record)
    this.taken += reader.read(record, columns, this.#records.length - 1)
    if (kind === 'predictions') return
    // Features and outcomes are checked and accounted here; what they say is joined to predictions elsewhere.
    this.setAside += columns.rows - before
    columns.truncate(before)
  }

  /** Counts what was taken. */
  counts(): readonly CountsOut[] {
    const columns = this.#columns
    for (const { record, row, reason, detail } of columns.faults) {
      this.#letters.add(this.#records[record]!, row, reason, detail)
    }
    for (let row = 0; row < columns.rows; ) {
      const record = columns.record[row]!
      let end = row + 1
      while (end < columns.rows && columns.record[end] === record) end++
      this.#place(this.#records[record]!, row, end)
      row = end
    }
    this.#drain()
    return this.#outs
  }

  /** Places rows `from` … `end` (exclusive), which are all of one record. */
  #place(record: LogRecord, from: number, end: number): void {
    const columns = this.#columns
    const placed: PlacedRow[] = []
    for (let row = from; row < end; row++) {
      const place = this.#placer.placeOf(columns, row, record)
      if ('reason' in place) this.#letters.add(record, columns.place[row]!, place.reason, place.detail)
      else placed.push({ row, place, counter: this.#compiled.counters.get(place.watch.specHash)! })
    }
    if (placed.length > 1 && !fitsEntry(columns, placed)) {
      const first = columns.place[placed[0]!.row]!
      const detail = `the counts of these rows would take more than ${messageRoomBytes} bytes of an entry: send smaller batches`
      this.#letters.add(record, first, 'oversized', detail, placed.length)
      return
    }
    for (const row of placed) this.#add(record, row)
  }

  #add({ offset }: LogRecord, { row, place, counter }: PlacedRow): void {
    let cell = this.#cells.get(place)
    if (cell === undefined) {
      const { specHash } = place.watch
      const tally = this.#tallies.get(specHash) ?? new Tally<Place>(counter)
      this.#tallies.set(specHash, tally)
      cell = { tally, from: offset, to: offset + 1n }
      this.#cells.set(place, cell)
    }
    if (offset < cell.from) cell.from = offset
    if (offset >= cell.to) cell.to = offset + 1n
    cell.tally.add(this.#columns, row, place)
    if (cell.tally.isFull) this.#drain()
  }

  /** Puts out what the tallies hold, in the order of places, and begins new ones. */
  #drain(): void {
    const outs: (readonly [key: string, out: CountsOut])[] = []
    for (const tally of this.#tallies.values()) {
      for (const [place, slices] of tally.count(this.#columns)) {
        const { watch, generation, version, variant, pane, topic, partition } = place
        const { from, to } = this.#cells.get(place)!
        const rows = slices
          .filter(({ dimension }) => dimension === 'producer')
          .reduce((sum, { vector }) => sum + vector[tally.counter.layout.rows]!, 0)
        const out: CountsOut = {
          kind: 'counts',
          deployment: watch.deployment,
          generation,
          version,
          variant,
          pane,
          spec: watch.specHash,
          rows,
          slices: packSlices(slices),
          span: { topic, partition, from, to },
        }
        outs.push([placeKey(place), out])
      }
    }
    this.#outs.push(...outs.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, out]) => out))
    this.#cells = new Map()
    this.#tallies = new Map()
  }
}
