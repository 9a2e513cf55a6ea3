import type { LogRecord } from '@interlock/contracts'
import { committed } from './committed.ts'
import { decodeBatch } from './decode-batch.ts'
import type { Fetched } from './fetch.ts'
import { batchesOf, type RecordBatch } from './record-batch.ts'

/** A batch that was fetched, decoded when somebody wants its records. */
export interface PageBatch {
  readonly batch: RecordBatch
  records: readonly LogRecord[] | null
}

/** What one fetch brought: whole batches of data, in order. */
export interface Page {
  from: bigint
  /** Where the next fetch begins: behind the last whole batch, data or not. `from` where nothing came. */
  readonly next: bigint
  /** With what was decompressed. */
  bytes: number
  readonly batches: PageBatch[]
  /** Behind the last record that might be read when it came. */
  readonly stable: bigint
  readonly receivedAt: number
  /** The page behind it, on its way. */
  ahead: Promise<Received> | null
}

/** With when it came, ms of the monotonic clock. */
export type Received = Fetched & { readonly receivedAt: number }

export function pageOf(from: bigint, fetched: Received): Page {
  const batches: PageBatch[] = []
  let next = from
  for (const { batch, data } of committed(batchesOf(fetched.batches), fetched.aborted)) {
    if (data) batches.push({ batch, records: null })
    next = batch.lastOffset + 1n
  }
  const { stable, receivedAt } = fetched
  return { from, next, bytes: fetched.batches.length, batches, stable, receivedAt, ahead: null }
}

/** Decodes a batch of the page. @throws Error where the log is damaged */
export async function open(
  page: Page,
  one: PageBatch,
  topic: string,
  partition: number,
): Promise<readonly LogRecord[]> {
  const { records, decompressedBytes } = await decodeBatch(one.batch, topic, partition)
  one.records = records
  page.bytes += decompressedBytes
  return records
}

/** All pages that are kept between two reads, of all partitions. */
const mostBytes = 64 * 1_048_576
/** A page is kept for the reader that comes back for its next step, and no longer. */
const keepMs = 2_000
const momentMs = 250

/**
 * Pages that a reader left half read: a step takes what it may, and the next one begins where it stopped. Without them
 * each step would fetch, and decompress, the rest of the page again.
 */
export class KeptPages {
  private readonly pages = new Map<string, { readonly page: Page; readonly until: number }>()
  private bytes = 0

  /** The page that holds `from`, taken out; null where there is none. */
  take(partition: string, from: bigint, now: number): Page | null {
    const kept = this.pages.get(partition)
    if (!kept) return null
    this.drop(partition)
    const { page, until } = kept
    if (now > until || from < page.from || from >= page.next) return null
    const passed = page.batches.findIndex(({ batch }) => batch.lastOffset >= from)
    page.batches.splice(0, passed < 0 ? page.batches.length : passed)
    page.from = from
    return page
  }

  /** Whether there is room for pages that nobody has asked for yet. */
  get hasRoom(): boolean {
    return this.bytes < mostBytes / 2
  }

  /** What was said of the partition's end a moment ago; null where it was longer ago. */
  stableOf(partition: string, now: number): bigint | null {
    const kept = this.pages.get(partition)
    return kept && now - kept.page.receivedAt <= momentMs ? kept.page.stable : null
  }

  keep(partition: string, page: Page, now: number): void {
    this.drop(partition)
    this.pages.set(partition, { page, until: now + keepMs })
    this.bytes += page.bytes
    for (const [oldest, { until }] of this.pages) {
      if (this.bytes <= mostBytes && now <= until) break
      this.drop(oldest)
    }
  }

  private drop(partition: string): void {
    this.bytes -= this.pages.get(partition)?.page.bytes ?? 0
    this.pages.delete(partition)
  }
}
