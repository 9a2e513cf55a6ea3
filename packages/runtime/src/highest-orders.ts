import { compareOrders, type LogRecord, type Order } from '@interlock/contracts'
import type { AppendRecord, EventLog } from './event-log.ts'
import { compareSources, orderHeader, type Source, seenHeader } from './public-record.ts'
import type { ShardLog } from './shard-reader.ts'

interface Standing {
  readonly record: AppendRecord
  readonly order: Order
}

/**
 * Keeps a deployment's highest order last on the commands topic, which is compacted: whoever reads only the newest
 * record must find the highest. Looks at what others (or our own late appends) wrote before it writes, and after.
 */
export class HighestOrders {
  private readonly log: EventLog
  private readonly target: ShardLog
  private readonly orderOf: (record: LogRecord) => Order | null
  private readonly put: (record: AppendRecord) => Promise<bigint>
  private readonly highest = new Map<string, Standing>()
  /**
   * What landed last, by deployment, and its order, null where it is no command of ours: by compaction that erases one all the
   * same. The order was found out once, since that may mean to verify a signature.
   */
  private readonly last = new Map<string, { readonly record: LogRecord; readonly order: Order | null }>()
  private seen: bigint | null = null

  constructor(
    log: EventLog,
    target: ShardLog,
    orderOf: (record: LogRecord) => Order | null,
    put: (record: AppendRecord) => Promise<bigint>,
  ) {
    this.log = log
    this.target = target
    this.orderOf = orderOf
    this.put = put
  }

  /** Reads what was added to the topic since the last look; at first, all of it. */
  async look(): Promise<void> {
    const { begin, end } = await this.log.bounds(this.target.topic, this.target.partition)
    const from = this.seen === null || this.seen < begin ? begin : this.seen
    for await (const { records } of this.log.read({ ...this.target, from, to: end })) {
      for (const record of records) {
        const order = record.value ? this.orderOf(record) : null
        if (!record.key) continue
        this.last.set(keyOf(record), { record, order })
        if (order) this.recall(record, order)
      }
    }
    this.seen = end
  }

  /** What landed where the writer of the newest copy had not looked yet, although it is older: others may hide behind. */
  suspects(sourceIn: (record: LogRecord) => Source | null): readonly Source[] {
    const copies = [...this.last.values()].flatMap(({ record, order }) => {
      const source = order && sourceIn(record)
      return source ? [{ record, source }] : []
    })
    const newest = copies.sort((a, b) => compareSources(b.source, a.source))[0]
    const trusted = BigInt(newest?.record.headers[seenHeader] ?? '0')
    return copies.slice(1).flatMap(({ record, source }) => (record.offset >= trusted ? [source] : []))
  }

  /** Whether something that is no command of ours landed last for a deployment: its command may be erased. */
  get hasStrangers(): boolean {
    return [...this.last.values()].some(({ order }) => order === null)
  }

  /** Learns of an order without publishing it. */
  recall(record: AppendRecord, order: Order): void {
    const key = keyOf(record)
    const before = this.highest.get(key)
    if (!before || compareOrders(order, before.order) > 0) this.highest.set(key, { record, order })
  }

  /** Publishes the next command, unless a higher one is out already: then it has no meaning any more. */
  async publish(record: AppendRecord, order: Order): Promise<void> {
    await this.putRight()
    const highest = this.highest.get(keyOf(record))
    if (highest && compareOrders(order, highest.order) < 0) return
    this.recall(record, order)
    await this.write({ record, order })
  }

  /** Publishes the highest order again of each deployment where a lower one, or none of ours, landed last. */
  async putRight(): Promise<void> {
    await this.look()
    for (const [key, standing] of this.highest) {
      const last = this.last.get(key)
      if (last && (!last.order || compareOrders(last.order, standing.order) < 0)) await this.write(standing)
    }
  }

  private async write({ record, order }: Standing): Promise<void> {
    const headers = { ...record.headers, [orderHeader]: order.join('.'), [seenHeader]: String(this.seen ?? 0n) }
    await this.put({ key: record.key ?? null, value: record.value, headers })
    await this.look()
  }
}

const keyOf = ({ key }: { readonly key?: Uint8Array | null }): string => Buffer.from(key ?? []).toString('utf8')
