import { Readable } from 'node:stream'
import {
  canonicalJson,
  type DecisionOut,
  type EventTime,
  type Hash,
  type LogTime,
  type Order,
  type Range,
  type Variant,
  type VersionId,
} from '@interlock/contracts'

/** How the beginning of an exposure is known. */
export type OnsetSource =
  /** The evidence of the decision itself names the likeliest onset. */
  | 'evidence'
  /** An earlier decision of the same generation named it. */
  | 'earlier-evidence'
  /** Nothing named one: everything since the version could answer. */
  | 'whole-exposure'
  /** Whoever asked for the receipt named it. */
  | 'asked'

/** Whose answers a receipt lists: of which version, from when on, and until what. */
export interface ReceiptPlan {
  readonly deployment: string
  readonly environment: string
  /** Its predictions' topic, and the length of its panes in force. */
  readonly topic: string
  readonly paneMs: number
  readonly generation: number
  readonly decision: Hash
  readonly decidedAt: LogTime
  readonly outcome: DecisionOut['outcome']
  readonly text: string
  readonly order: Order
  /** The version that was withdrawn, and the one that took over. */
  readonly from: VersionId
  readonly to: VersionId | null
  readonly onset: {
    readonly from: EventTime
    readonly to: EventTime | null
    readonly source: OnsetSource
    readonly guardrail: string | null
    /** Decision whose evidence named it. */
    readonly decision: Hash | null
  }
  readonly verified: { readonly decision: Hash; readonly at: LogTime; readonly by: string } | null
  /** When two people put the version back: from then on it is another exposure. */
  readonly until: EventTime | null
}

/** One answer that a user got, as a line of a receipt. What a producer does not send is null. */
export interface ReceiptRow {
  readonly id: string | number | null
  readonly unit: string | number | null
  /** Event time. */
  readonly at: EventTime
  readonly version: VersionId
  readonly variant: Variant
  readonly generation: number
  readonly status: string
  readonly output: { readonly prediction: string | number | null; readonly score: number | string | null }
  readonly segments: Readonly<Record<string, string | number | null>>
  readonly producer: string | number | null
  /** `<topic>/<partition>/<offset>/<row of the message>`. */
  readonly place: string
  /** It came after its pane was closed: answered, and in no evidence. Absent: it came in time. */
  readonly late?: true
}

/** What a receipt rests on, known once every row was listed. */
export interface ReceiptEnd {
  readonly rows: number
  readonly late: number
  /** Event times of the first and the last answer. */
  readonly first: EventTime | null
  readonly last: EventTime | null
  /** Rows by dimension and value: `producer`, `segment:<name>`, `status`. Values beyond the bound are summed under null. */
  readonly sums: readonly {
    readonly dimension: string
    readonly value: string | number | null
    readonly rows: number
  }[]
  /** Spans of input that were read again. Offsets as text. */
  readonly read: readonly OffsetSpan[]
  /** Spans that the log no longer holds, and how many answers the counts say lay in them. */
  readonly expired: { readonly rows: number; readonly spans: readonly OffsetSpan[] }
  /**
   * Rows of the topic that became dead letters from the onset until a minute after the proof, by reason: which version
   * answered them is not known, or not believed. `interlock dlq list` names them.
   */
  readonly dead: Readonly<Record<string, number>>
}

export interface OffsetSpan {
  readonly topic: string
  readonly partition: number
  readonly from: string
  readonly to: string
}

export function offsetSpan({ topic, partition, from, to }: Range): OffsetSpan {
  return { topic, partition, from: String(from), to: String(to) }
}

export type ReceiptPart = { readonly row: ReceiptRow } | { readonly end: ReceiptEnd }

/** Lists the answers of a plan, one at a time, and then what they rest on. */
export type ListReceipt = (plan: ReceiptPlan) => AsyncIterable<ReceiptPart>

/** Line of a row: canonical JSON. It is what the receipt's hash is over, with its line end. */
export function receiptLine(row: ReceiptRow): string {
  return canonicalJson(row)
}

/**
 * A receipt on the wire, JSON a line: `{"plan":…}`, each row, `{"end":…}`. Without the last line it is not whole. Reads no
 * faster than it is written.
 */
export function receiptStream(plan: ReceiptPlan, list: ListReceipt): Readable {
  return Readable.from(lines(plan, list), { objectMode: false })
}

/** Rows of one chunk: fewer, larger writes. */
const chunkBytes = 65_536

async function* lines(plan: ReceiptPlan, list: ListReceipt): AsyncGenerator<string> {
  let chunk = `${canonicalJson({ plan })}\n`
  for await (const part of list(plan)) {
    chunk += 'row' in part ? `${receiptLine(part.row)}\n` : `${canonicalJson({ end: part.end })}\n`
    if (chunk.length < chunkBytes) continue
    yield chunk
    chunk = ''
  }
  yield chunk
}
