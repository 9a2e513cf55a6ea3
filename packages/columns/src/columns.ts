import type { DeadReason } from '@interlock/contracts'
import { predictionStatuses } from '@interlock/contracts'
import { bounds } from './bounds.ts'
import { cutDetail, type Fault, quoted } from './fault.ts'
import { keyOf } from './sketches/murmur3.ts'
import { unknownWord, WordTable } from './word-table.ts'

const noWords = new WordTable([])

/** What stands in a cell. `other` is a value of a kind that no column takes: a boolean, a list, an object. */
export const tags = { missing: 0, number: 1, word: 2, other: 3 } as const

/**
 * One column of a batch. Row r holds nothing, a number (`numbers[r]`, may be NaN or infinite), a word (`codes[r]`, place
 * in `table` or `unknownWord`) or something else, as `tags[r]` says: the same column takes a number where a word is due,
 * so that a wrong type can be counted instead of costing the row.
 */
export class Column {
  readonly name: string
  readonly table: WordTable
  tags: Uint8Array
  numbers: Float64Array
  codes: Int32Array
  /** Texts of unknown words by row, kept for names that a dead letter shows, or where whoever reads asks for them. */
  readonly strangers: Map<number, string> | null
  readonly #strangerBytes: number

  /** @param strangerBytes how much of an unknown word is kept; 0: nothing */
  constructor(name: string, table: WordTable, capacity: number, strangerBytes: number) {
    this.name = name
    this.table = table
    this.#strangerBytes = strangerBytes
    this.tags = new Uint8Array(capacity)
    this.numbers = new Float64Array(capacity)
    this.codes = new Int32Array(capacity)
    this.strangers = strangerBytes > 0 ? new Map() : null
  }

  putNothing(row: number): void {
    this.tags[row] = tags.missing
  }
  putNumber(row: number, value: number): void {
    this.tags[row] = tags.number
    this.numbers[row] = value
  }
  putOther(row: number): void {
    this.tags[row] = tags.other
  }
  putText(row: number, text: string): void {
    const code = this.table.codeOf(text)
    this.tags[row] = tags.word
    this.codes[row] = code
    if (code === unknownWord && this.strangers !== null) this.strangers.set(row, text.slice(0, this.#strangerBytes))
  }
  putBytes(row: number, bytes: Uint8Array, from: number, to: number): void {
    this.putKnownBytes(row, this.table.codeOfBytes(bytes, from, to), bytes, from, to)
  }
  /** The same for a word whose code was looked up before. */
  putKnownBytes(row: number, code: number, bytes: Uint8Array, from: number, to: number): void {
    this.tags[row] = tags.word
    this.codes[row] = code
    if (code === unknownWord && this.strangers !== null) {
      this.strangers.set(row, new TextDecoder().decode(bytes.subarray(from, Math.min(to, from + this.#strangerBytes))))
    }
  }
  grow(capacity: number): void {
    this.tags = grown(this.tags, new Uint8Array(capacity))
    this.numbers = grown(this.numbers, new Float64Array(capacity))
    this.codes = grown(this.codes, new Int32Array(capacity))
  }
}

function grown<A extends Uint8Array | Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from as Uint8Array & Float64Array & Int32Array)
  return to
}

/**
 * A column of event ids, of which only the key is kept (`keyOf`): a row with an id holds its key as a number. An id that is
 * empty, no text and no whole number of ours, is missing: two that became one by rounding would look like a repetition.
 */
export class KeyColumn extends Column {
  constructor(name: string, capacity: number) {
    super(name, noWords, capacity, 0)
  }

  override putText(row: number, text: string): void {
    const bytes = new TextEncoder().encode(text)
    this.putBytes(row, bytes, 0, bytes.length)
  }
  override putNumber(row: number, value: number): void {
    if (Number.isSafeInteger(value)) this.putText(row, String(value))
    else this.putNothing(row)
  }
  override putOther(row: number): void {
    this.putNothing(row)
  }
  override putBytes(row: number, bytes: Uint8Array, from: number, to: number): void {
    if (from === to) this.putNothing(row)
    else super.putNumber(row, keyOf(bytes, from, to))
  }
  override putKnownBytes(row: number, _: number, bytes: Uint8Array, from: number, to: number): void {
    this.putBytes(row, bytes, from, to)
  }
}

/** Which columns a decoder fills, and which words of them are known. Made once per set of specs in force: `wantedOf`. */
export interface Wanted {
  readonly environments: WordTable
  readonly tenants: WordTable
  readonly deployments: WordTable
  readonly versions: WordTable
  readonly producers: WordTable
  readonly classes: WordTable
  readonly features: readonly { readonly name: string; readonly table: WordTable }[]
  readonly segments: readonly { readonly name: string; readonly table: WordTable }[]
  /**
   * Fields beyond those that are counted, kept as they stand in the record, and with them the whole text of every answer,
   * segment and producer. For whoever lists rows; absent where rows are only counted.
   */
  readonly kept?: readonly string[]
  /** Whether the keys of event ids are wanted. */
  readonly ids?: boolean
}

export const variants = ['stable', 'candidate', 'shadow'] as const
const variantTable = new WordTable(variants)
const statusTable = new WordTable(predictionStatuses)

/** Fields that each kind of event must have; all others may be absent and count as missing. */
export const requiredFields = {
  predictions: ['environment', 'deployment', 'generation', 'version', 'variant', 'eventTimeMs', 'status'],
  features: ['environment', 'deployment', 'eventTimeMs'],
  outcomes: ['environment', 'deployment', 'eventTimeMs'],
} as const
export type EventKind = keyof typeof requiredFields
const numberFields: readonly string[] = ['generation', 'eventTimeMs']

/**
 * A growing batch of rows in columns. Decoders fill the cells of row `rows` and call `endRow`; a row that turns out bad
 * is wiped and costs nothing but a fault. `record[r]` and `place[r]` say which message, and which row of it, row r was.
 */
export class Columns {
  rows = 0
  record: Int32Array
  place: Int32Array
  readonly environment: Column
  readonly tenant: Column
  readonly deployment: Column
  readonly generation: Column
  readonly version: Column
  readonly variant: Column
  readonly status: Column
  readonly eventTimeMs: Column
  readonly producer: Column
  readonly prediction: Column
  readonly score: Column
  readonly latencyMs: Column
  readonly features: readonly Column[]
  readonly segments: readonly Column[]
  /** In the order of `Wanted.kept`. */
  readonly kept: readonly Column[]
  /** Null where nobody wants the ids of events. */
  readonly id: KeyColumn | null
  readonly faults: Fault[] = []
  readonly all: readonly Column[]
  readonly required: Readonly<Record<EventKind, readonly Column[]>>
  #capacity: number

  constructor(wanted: Wanted, capacity: number) {
    this.#capacity = Math.max(1, capacity)
    const column = (name: string, table: WordTable, strangerBytes = 0): Column =>
      new Column(name, table, this.#capacity, strangerBytes)
    const named = bounds.wordBytes
    const whole = wanted.kept === undefined ? 0 : bounds.recordBytes
    this.record = new Int32Array(this.#capacity)
    this.place = new Int32Array(this.#capacity)
    this.environment = column('environment', wanted.environments, named)
    this.tenant = column('tenant', wanted.tenants, named)
    this.deployment = column('deployment', wanted.deployments, named)
    this.generation = column('generation', noWords)
    this.version = column('version', wanted.versions, named)
    this.variant = column('variant', variantTable, named)
    this.status = column('status', statusTable, named)
    this.eventTimeMs = column('eventTimeMs', noWords)
    this.producer = column('producer', wanted.producers, whole)
    this.prediction = column('prediction', wanted.classes, whole)
    this.score = column('score', noWords)
    this.latencyMs = column('latencyMs', noWords)
    this.features = wanted.features.map(({ name, table }) => column(`features.${name}`, table))
    this.segments = wanted.segments.map(({ name, table }) => column(`segments.${name}`, table, whole))
    this.kept = (wanted.kept ?? []).map((name) => column(name, noWords, whole))
    this.id = wanted.ids === true ? new KeyColumn('id', this.#capacity) : null
    const core = [
      this.environment,
      this.tenant,
      this.deployment,
      this.generation,
      this.version,
      this.variant,
      this.status,
      this.eventTimeMs,
      this.producer,
      this.prediction,
      this.score,
      this.latencyMs,
    ]
    this.all = [...core, ...this.features, ...this.segments, ...this.kept, ...(this.id === null ? [] : [this.id])]
    const needed = (kind: EventKind): Column[] =>
      core.filter(({ name }) => (requiredFields[kind] as readonly string[]).includes(name))
    this.required = {
      predictions: needed('predictions'),
      features: needed('features'),
      outcomes: needed('outcomes'),
    }
  }

  /** Makes room for `more` rows beyond those that are there. */
  reserve(more: number): void {
    if (this.rows + more <= this.#capacity) return
    while (this.#capacity < this.rows + more) this.#capacity *= 2
    this.record = grown(this.record, new Int32Array(this.#capacity))
    this.place = grown(this.place, new Int32Array(this.#capacity))
    for (const column of this.all) column.grow(this.#capacity)
  }

  /** Takes the filled row, or writes down why not and wipes it. Returns whether it was taken. */
  endRow(kind: EventKind, record: number, place: number): boolean {
    const row = this.rows
    const wrong = this.#wrong(kind, row)
    if (wrong !== null) {
      this.wipe()
      this.fault(record, place, 'wrong-type', wrong)
      return false
    }
    this.record[row] = record
    this.place[row] = place
    this.rows++
    return true
  }

  /** Forgets whatever was put into the row that is being filled. */
  wipe(): void {
    for (const column of this.all) {
      column.tags[this.rows] = tags.missing
      column.strangers?.delete(this.rows)
    }
  }

  /** Takes back the rows from `rows` on. */
  truncate(rows: number): void {
    while (this.rows > rows) {
      this.rows--
      this.wipe()
    }
  }

  fault(record: number, row: number, reason: DeadReason, detail: string): void {
    this.faults.push({ record, row, reason, detail: cutDetail(detail) })
  }

  /** What stands in a cell, as it was sent; null for nothing and for what no column takes. Unknown words only if kept. */
  valueOf(column: Column, row: number): string | number | null {
    if (column.tags[row] === tags.number) return column.numbers[row]!
    if (column.tags[row] !== tags.word) return null
    const code = column.codes[row]!
    return code === unknownWord ? (column.strangers?.get(row) ?? null) : column.table.words[code]!
  }

  #wrong(kind: EventKind, row: number): string | null {
    for (const column of this.required[kind]) {
      const tag = column.tags[row]
      const due = numberFields.includes(column.name) ? tags.number : tags.word
      if (tag === due) continue
      const lacks = tag === tags.missing
      return `field ${column.name} is ${lacks ? 'missing' : 'of the wrong type'}: a ${due === tags.number ? 'number' : 'text'} is needed`
    }
    for (const column of [this.variant, this.status]) {
      if (kind !== 'predictions' || column.codes[row] !== unknownWord) continue
      return `field ${column.name} is ${quoted(column.strangers?.get(row) ?? '')}: one of ${column.table.words.join(', ')} is needed`
    }
    return null
  }
}
