import { countRowBits, type RowBits, unionRows } from '@interlock/columns'
import type { LogRecord } from '@interlock/contracts'

/**
 * A dead record that is submitted again is a copy of it on the same partition, with two headers: which record it is a copy
 * of, and which of its rows died (base64 of `RowBits`, or `all` where the record died as a whole). Only these rows are
 * counted, and each of them once, however often and by whomever the copy is appended.
 */
export const replayHeader = 'interlock-replay'
export const replayRowsHeader = 'interlock-replay-rows'
const allRows = 'all'

export interface ReplayOf {
  /** Offset of the dead record on the copy's own partition. */
  readonly offset: bigint
  /** Rows that are meant; null: all. */
  readonly rows: RowBits | null
}

/** Headers of a copy. */
export function replayHeaders(
  { topic, partition, offset }: Pick<LogRecord, 'topic' | 'partition' | 'offset'>,
  rows: RowBits | null,
): Readonly<Record<string, string>> {
  const text = rows === null ? allRows : Buffer.from(rows).toString('base64')
  return { [replayHeader]: `${topic}/${partition}/${offset}`, [replayRowsHeader]: text }
}

/** What a record says it is a copy of; null: it is no copy. `wrong`: its headers name nothing that it could be a copy of. */
export function replayOf(record: LogRecord): ReplayOf | null | { readonly wrong: string } {
  const { headers, topic, partition, offset } = record
  if (!Object.hasOwn(headers, replayHeader)) return null
  const place = headers[replayHeader]!
  const prefix = `${topic}/${partition}/`
  const number = place.startsWith(prefix) ? place.slice(prefix.length) : ''
  if (!/^(0|[1-9]\d{0,15})$/.test(number) || BigInt(number) >= offset) {
    return { wrong: `header ${replayHeader} names no earlier record of this partition` }
  }
  const text = Object.hasOwn(headers, replayRowsHeader) ? headers[replayRowsHeader]! : ''
  if (text === allRows) return { offset: BigInt(number), rows: null }
  const rows = new Uint8Array(Buffer.from(text, 'base64'))
  if (rows.length === 0 || rows.length > maxBitsBytes || Buffer.from(rows).toString('base64') !== text) {
    return { wrong: `header ${replayRowsHeader} is neither "${allRows}" nor the bits of rows` }
  }
  return { offset: BigInt(number), rows }
}

/** Bits of a message with the most rows that are taken. */
const maxBitsBytes = 8_192

/** What was counted of the dead records of one partition. Plain JSON; offsets are below 2^53. */
export interface ReplayedPartition {
  /** `<topic>/<partition>`. */
  readonly of: string
  /** Nothing below it is known any more: what names a record there is not counted. */
  readonly floor: number
  /** Records all of whose rows were counted: spans of offsets, `to` exclusive, in order, never touching. */
  readonly whole: readonly (readonly [from: number, to: number])[]
  /** Rows that were counted of other records, base64 of `RowBits`, in the order of offsets. */
  readonly parts: readonly { readonly offset: number; readonly rows: string }[]
}

/** How much is remembered; beyond it the oldest records are forgotten, and never counted again. */
export const replayBounds = { entries: 4_096, bytes: 262_144 } as const

/** Rows that were counted, all of them, or nobody knows. */
export type Counted = RowBits | 'all' | 'forgotten'

/** The memory of one step: reads the state's, and makes the next one. */
export class Replays {
  #partitions: readonly ReplayedPartition[]
  /** The last answer: all rows of a copy ask for the same. */
  #last: { readonly of: string; readonly offset: bigint; readonly counted: Counted } | null = null

  constructor(partitions: readonly ReplayedPartition[]) {
    this.#partitions = partitions
  }

  get partitions(): readonly ReplayedPartition[] {
    return this.#partitions
  }

  /** Rows of a dead record that were counted already; `all`; or `forgotten`: nobody knows, so none may be counted. */
  countedOf(of: string, offset: bigint): Counted {
    if (this.#last === null || this.#last.of !== of || this.#last.offset !== offset) {
      this.#last = { of, offset, counted: this.#look(of, offset) }
    }
    return this.#last.counted
  }

  #look(of: string, offset: bigint): Counted {
    const known = this.#partitions.find((one) => one.of === of)
    const at = Number(offset)
    if (known === undefined) return nothing
    if (at < known.floor) return 'forgotten'
    if (known.whole.some(([from, to]) => at >= from && at < to)) return 'all'
    const part = known.parts.find((one) => one.offset === at)
    return part === undefined ? nothing : new Uint8Array(Buffer.from(part.rows, 'base64'))
  }

  /** Remembers rows that were counted now, of a message of so many rows. */
  add(of: string, offset: bigint, rows: RowBits, rowsOfMessage: number): void {
    const counted = this.countedOf(of, offset)
    if (typeof counted === 'string') return
    this.#last = null
    const at = Number(offset)
    const known = this.#partitions.find((one) => one.of === of) ?? { of, floor: 0, whole: [], parts: [] }
    const all = unionRows(counted, rows)
    const others = known.parts.filter((one) => one.offset !== at)
    const next =
      countRowBits(all) >= rowsOfMessage
        ? { ...known, whole: withOffset(known.whole, at), parts: others }
        : { ...known, parts: inOrder([...others, { offset: at, rows: Buffer.from(all).toString('base64') }]) }
    const rest = this.#partitions.filter((one) => one.of !== of)
    this.#partitions = bounded([...rest, next].sort((a, b) => (a.of < b.of ? -1 : 1)))
  }
}

const nothing: RowBits = new Uint8Array()

function inOrder(parts: ReplayedPartition['parts']): ReplayedPartition['parts'] {
  return [...parts].sort((a, b) => a.offset - b.offset)
}

function withOffset(spans: ReplayedPartition['whole'], at: number): ReplayedPartition['whole'] {
  const before = spans.filter(([, to]) => to < at)
  const behind = spans.filter(([from]) => from > at + 1)
  const touching = spans.filter(([from, to]) => to >= at && from <= at + 1)
  const from = Math.min(at, ...touching.map(([start]) => start))
  const to = Math.max(at + 1, ...touching.map(([, end]) => end))
  return [...before, [from, to], ...behind]
}

/** Forgets the oldest records of the partition that holds most, until the bounds hold. */
function bounded(partitions: readonly ReplayedPartition[]): readonly ReplayedPartition[] {
  const entriesOf = ({ whole, parts }: ReplayedPartition): number => whole.length + parts.length
  const entries = partitions.reduce((sum, one) => sum + entriesOf(one), 0)
  const bytes = partitions.reduce((sum, { parts }) => sum + parts.reduce((all, { rows }) => all + rows.length, 0), 0)
  if (entries <= replayBounds.entries && bytes <= replayBounds.bytes) return partitions
  const largest = partitions.reduce((most, one) => (entriesOf(one) > entriesOf(most) ? one : most))
  const [span] = largest.whole
  const [part] = largest.parts
  const isSpan = span !== undefined && (part === undefined || span[0] < part.offset)
  const cut: ReplayedPartition = isSpan
    ? { ...largest, floor: span[1], whole: largest.whole.slice(1) }
    : { ...largest, floor: part!.offset + 1, parts: largest.parts.slice(1) }
  return bounded(partitions.map((one) => (one === largest ? cut : one)))
}
