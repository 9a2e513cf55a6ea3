import { type AnyOut, decodeEntry, decodeOut, type Entry, type LogRecord, type LogTime } from '@interlock/contracts'

/** A valid entry as the oracle reads it: with code of its own, a few lines, so that a bug in the runtime's reader shows. */
export interface Seen {
  readonly processor: string
  readonly shard: number
  readonly offset: bigint
  readonly at: LogTime
  /** Time of its step: append time of the entry before it, never less than the step before. */
  readonly time: LogTime
  readonly entry: Entry
  readonly outs: readonly AnyOut[]
}

/** One partition of a shard log. */
export class Run {
  readonly processor: string
  readonly shard: number
  readonly entries: Seen[] = []
  voids = 0
  readonly owners = new Set<string>()
  private readonly index = new Map<bigint, number>()

  constructor(processor: string, shard: number) {
    this.processor = processor
    this.shard = shard
  }

  get last(): Seen | undefined {
    return this.entries.at(-1)
  }

  /** Takes what landed. @returns the entry when it is valid */
  take(record: LogRecord): Seen | null {
    const entry = decodeEntry(record.value!)
    const { last } = this
    if (entry.prev !== (last?.offset ?? -1n)) {
      this.voids += 1
      return null
    }
    const seen: Seen = {
      processor: this.processor,
      shard: this.shard,
      offset: record.offset,
      at: record.at,
      time: last === undefined ? 0 : Math.max(last.time, last.at),
      entry,
      outs: entry.outs.map(decodeOut),
    }
    this.index.set(record.offset, this.entries.length)
    this.entries.push(seen)
    this.owners.add(entry.owner)
    return seen
  }

  isValid(offset: bigint): boolean {
    return this.index.has(offset)
  }

  at(offset: bigint): Seen | undefined {
    const index = this.index.get(offset)
    return index === undefined ? undefined : this.entries[index]
  }

  /** The first valid entry at or behind an offset. */
  from(offset: bigint): Seen | undefined {
    const { last } = this
    return last === undefined || last.offset < offset ? undefined : this.between(offset, last.offset + 1n)[0]
  }

  /** Valid entries with offsets in [from, to). */
  between(from: bigint, to: bigint): readonly Seen[] {
    if (to <= from) return []
    let low = 0
    let high = this.entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.entries[middle]!.offset < from) low = middle + 1
      else high = middle
    }
    const found: Seen[] = []
    for (let at = low; at < this.entries.length && this.entries[at]!.offset < to; at++) found.push(this.entries[at]!)
    return found
  }
}

/** Everything that has landed, as the oracle sees it: from outside, and never forgotten by retention. */
export class Landed {
  readonly runs = new Map<string, Run>()
  private readonly records = new Map<string, LogRecord[]>()

  take(record: LogRecord): Seen | null {
    const name = `${record.topic}/${record.partition}`
    const all = this.records.get(name)
    if (all === undefined) this.records.set(name, [record])
    else all.push(record)
    if (!record.topic.startsWith('log.')) return null
    return this.run(record.topic.slice(4), record.partition).take(record)
  }

  run(processor: string, shard: number): Run {
    const name = `${processor}/${shard}`
    const run = this.runs.get(name) ?? new Run(processor, shard)
    this.runs.set(name, run)
    return run
  }

  /** Records of a plain topic's partition, by offset. */
  of(topic: string, partition: number): readonly LogRecord[] {
    return this.records.get(`${topic}/${partition}`) ?? []
  }

  between(topic: string, partition: number, from: bigint, to: bigint): readonly LogRecord[] {
    return this.of(topic, partition).slice(Number(from), Number(to))
  }

  /** What a valid entry took, in its order. */
  *taken(seen: Seen): Generator<LogRecord | Seen> {
    for (const { topic, partition, from, to } of seen.entry.took) {
      if (topic.startsWith('log.')) yield* this.run(topic.slice(4), partition).between(from, to)
      else yield* this.between(topic, partition, from, to)
    }
  }

  /** Outs of other shards that a valid entry took, with the place of each. */
  *outsTaken(seen: Seen): Generator<{ readonly out: AnyOut; readonly from: Seen }> {
    for (const each of this.taken(seen)) {
      if ('outs' in each) for (const out of each.outs) yield { out, from: each }
    }
  }
}
