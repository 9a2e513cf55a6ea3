import {
  bounds,
  Columns,
  hasRow,
  IdSample,
  packSlices,
  type RowBits,
  rowBits,
  Tally,
  tags,
  withoutRows,
} from '@interlock/columns'
import type { CountsOut, Hash, LogRecord, ReplayedOut } from '@interlock/contracts'
import type { Compiled } from './compiled.ts'
import { fitsEntry, messageRoomBytes, type PlacedRow } from './entry-room.ts'
import type { Dying, Letters } from './letters.ts'
import { type Place, Placer, placeKey } from './placing.ts'
import { type ReplayOf, type Replays, replayOf } from './replays.ts'

/** What is gathered for a place: its spec's tally, and the smallest span of offsets that holds its rows. */
interface Cell {
  readonly tally: Tally<Place>
  /** Null where the policy does not ask for ids. */
  readonly ids: IdSample | null
  from: bigint
  to: bigint
}

/** Hears of every row that is counted, while the columns hold it. */
export type Witness = (columns: Columns, row: number, record: LogRecord, place: Place) => void

/** A record of the batch; of a copy of a dead record also which rows it stands for, and how many it has. */
interface Taken extends Dying {
  readonly replay: ReplayOf | null
  rows: number
}

/** Rows that were decoded under one set of watches, from records to counts. */
export class Batch {
  readonly #compiled: Compiled
  readonly #letters: Letters
  readonly #replays: Replays
  readonly #witness: Witness | null
  readonly #records: Taken[] = []
  readonly #columns: Columns
  readonly #placer: Placer
  #cells = new Map<Place, Cell>()
  #tallies = new Map<Hash, Tally<Place>>()
  readonly #outs: CountsOut[] = []
  /** Dead rows of before that were counted now. */
  readonly replayed: ReplayedOut[] = []
  /**
   * Rows seen so far, good and bad, and those that belong to no pane although they decode well: of features and outcomes
   * topics, and of copies of dead records the rows that did not die or were counted by an earlier copy.
   */
  taken = 0
  setAside = 0

  constructor(compiled: Compiled, letters: Letters, replays: Replays, records: number, witness: Witness | null = null) {
    this.#compiled = compiled
    this.#letters = letters
    this.#replays = replays
    this.#witness = witness
    this.#placer = new Placer(compiled)
    this.#columns = new Columns(compiled.wanted, Math.min(records, bounds.rows))
  }

  get isFull(): boolean {
    return this.#columns.rows >= bounds.rows
  }

  /** Decodes a record into the columns. */
  take(record: LogRecord): void {
    const replay = replayOf(record)
    if (replay !== null && 'wrong' in replay) {
      this.taken++
      this.#letters.addWhole({ record, offset: record.offset }, 'malformed', replay.wrong)
      return
    }
    const taken: Taken = { record, offset: replay?.offset ?? record.offset, replay, rows: 0 }
    const columns = this.#columns
    const before = columns.rows
    const { kind, reader } = this.#compiled.readerOf(record.topic)
    this.#records.push(taken)
    taken.rows = reader.read(record, columns, this.#records.length - 1)
    this.taken += taken.rows
    if (kind === 'predictions') return
    // Features and outcomes are checked and accounted here; what they say is joined to predictions elsewhere.
    this.setAside += columns.rows - before
    const well = replay === null ? [] : Array.from(columns.place.subarray(before, columns.rows))
    this.#settle(
      taken,
      well.filter((row) => this.#isMeant(taken, row)),
    )
    columns.truncate(before)
  }

  /** Counts what was taken. */
  counts(): readonly CountsOut[] {
    const columns = this.#columns
    for (const { record, row, reason, detail } of columns.faults) {
      const taken = this.#records[record]!
      if (row < 0) this.#dieWhole(taken, reason, detail)
      else if (this.#isMeant(taken, row)) this.#letters.add(taken, [row], reason, detail)
      else this.setAside++
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

  /** Whether a row may be counted: always, but of a copy only a row that died and was not counted since. */
  #isMeant({ record, replay }: Taken, row: number): boolean {
    if (replay === null) return true
    if (replay.rows !== null && !hasRow(replay.rows, row)) return false
    const counted = this.#replays.countedOf(partitionOf(record), replay.offset)
    return counted === 'forgotten' || (counted !== 'all' && !hasRow(counted, row))
  }

  #dieWhole(taken: Taken, reason: Parameters<Letters['addWhole']>[1], detail: string): void {
    const { record, replay } = taken
    const counted = replay === null ? null : this.#replays.countedOf(partitionOf(record), replay.offset)
    if (replay?.rows == null || counted === null || counted === 'forgotten') {
      if (counted === 'all') this.setAside++
      else this.#letters.addWhole(taken, reason, detail, replay?.rows ?? null)
      return
    }
    const left: RowBits = counted === 'all' ? new Uint8Array() : withoutRows(replay.rows, counted)
    if (left.length === 0) this.setAside++
    else this.#letters.addWhole(taken, reason, detail, left)
  }

  /** Places rows `from` … `end` (exclusive), which are all of one record. */
  #place(taken: Taken, from: number, end: number): void {
    const columns = this.#columns
    const { record, replay } = taken
    const isForgotten = replay !== null && this.#replays.countedOf(partitionOf(record), replay.offset) === 'forgotten'
    const placed: PlacedRow[] = []
    for (let row = from; row < end; row++) {
      const within = columns.place[row]!
      if (!this.#isMeant(taken, within)) {
        this.setAside++
        continue
      }
      if (isForgotten) {
        this.#letters.add(taken, [within], 'replay-forgotten', forgottenDetail)
        continue
      }
      const place = this.#placer.placeOf(columns, row, record)
      if ('reason' in place) this.#letters.add(taken, [within], place.reason, place.detail)
      else placed.push({ row, place, counter: this.#compiled.counters.get(place.watch.specHash)! })
    }
    const rows = placed.map(({ row }) => columns.place[row]!)
    if (placed.length > 1 && !fitsEntry(columns, placed)) {
      const detail = `the counts of these rows would take more than ${messageRoomBytes} bytes of an entry: send smaller batches`
      this.#letters.add(taken, rows, 'oversized', detail)
      return
    }
    for (const row of placed) this.#add(record, row)
    this.#settle(taken, rows)
  }

  /** Remembers and tells which rows of a copy are accounted for now. */
  #settle({ record, replay, rows: rowsOfMessage }: Taken, rows: readonly number[]): void {
    if (replay === null || rows.length === 0) return
    const bits = rowBits(rows)
    const { topic, partition, offset: copy } = record
    this.#replays.add(partitionOf(record), replay.offset, bits, rowsOfMessage)
    this.replayed.push({ kind: 'replayed', topic, partition, offset: replay.offset, copy, rows: bits })
  }

  #add(record: LogRecord, { row, place, counter }: PlacedRow): void {
    const { offset } = record
    this.#witness?.(this.#columns, row, record, place)
    let cell = this.#cells.get(place)
    if (cell === undefined) {
      const { specHash } = place.watch
      const tally = this.#tallies.get(specHash) ?? new Tally<Place>(counter)
      this.#tallies.set(specHash, tally)
      cell = { tally, ids: place.watch.ids === true ? new IdSample() : null, from: offset, to: offset + 1n }
      this.#cells.set(place, cell)
    }
    if (offset < cell.from) cell.from = offset
    if (offset >= cell.to) cell.to = offset + 1n
    cell.tally.add(this.#columns, row, place)
    const { id } = this.#columns
    if (cell.ids !== null && id?.tags[row] === tags.number) cell.ids.add(id.numbers[row]!)
    if (cell.tally.isFull) this.#drain()
  }

  /** Puts out what the tallies hold, in the order of places, and begins new ones. */
  #drain(): void {
    const outs: (readonly [key: string, out: CountsOut])[] = []
    for (const tally of this.#tallies.values()) {
      for (const [place, slices] of tally.count(this.#columns)) {
        const { watch, generation, version, variant, pane, topic, partition } = place
        const { ids, from, to } = this.#cells.get(place)!
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
          ...(ids === null ? {} : { ids: ids.pack() }),
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

const forgottenDetail =
  'it was submitted again so late that nobody remembers whether it was counted before: it is not counted'

function partitionOf({ topic, partition }: LogRecord): string {
  return `${topic}/${partition}`
}
