import type { LogRecord, Range } from '@interlock/contracts'
import {
  type Appended,
  type AppendRecord,
  type Bounds,
  checkSize,
  type EventLog,
  LogUnavailable,
  RangeGone,
  type RawBatch,
  TopicMismatch,
  type TopicOptions,
  UnknownTopic,
} from './event-log.ts'
import type { SimulatedProcess, Simulation } from './simulation.ts'

/** What becomes of one append. */
export interface AppendFate {
  /** When it lands; empty: never; two: twice. Later than the answer: a late landing. */
  readonly landAfterMs: readonly number[]
  readonly answerAfterMs: number
  /**
   * `'position'` of the first landing, which must then come before the answer; `'unknown'` whatever happened;
   * `'unavailable'` (nothing lands then) throws.
   */
  readonly answer: 'position' | 'unknown' | 'unavailable'
}

/** Who talks to which partition. */
export interface SimulatedPlace {
  readonly process: string
  readonly topic: string
  readonly partition: number
}

export interface SimulatedFaults {
  /** Milliseconds until a read, a look at the bounds or a wait is answered. */
  readonly latencyMs: (place: SimulatedPlace) => number
  readonly fate: (append: SimulatedPlace) => AppendFate
  /** A read, a look at the bounds or a wait ends in `LogUnavailable`. Default: never. */
  readonly isAway?: (place: SimulatedPlace) => boolean
  /** How far the clock of a partition's leader is from the truth, ms; append times may go back by it. Undefined: it is right. */
  readonly leaderSkewMs?: (topic: string, partition: number) => number | undefined
}

const noFaults: SimulatedFaults = {
  latencyMs: () => 1,
  fate: () => ({ landAfterMs: [1], answerAfterMs: 2, answer: 'position' }),
}

const recordsPerPage = 50

interface Partition {
  readonly topic: string
  readonly index: number
  readonly compacted: boolean
  records: LogRecord[]
  begin: bigint
  end: bigint
  at: number
  readonly waiters: Set<() => void>
}

/** The log's servers: what has landed. Each process talks to it through a handle of its own. */
export class SimulatedLog {
  readonly simulation: Simulation
  faults: SimulatedFaults
  /** Sees each record as it lands: for oracles and traces. */
  onLand: (record: LogRecord) => void = () => {}
  private readonly topics = new Map<string, Partition[]>()

  constructor(simulation: Simulation, faults: SimulatedFaults = noFaults) {
    this.simulation = simulation
    this.faults = faults
  }

  stopFaults(): void {
    this.faults = noFaults
  }

  handle(process: SimulatedProcess): EventLog {
    return new Handle(this, process)
  }

  /** Retention: everything before `before` is gone. */
  trim(topic: string, partition: number, before: bigint): void {
    const found = this.partition(topic, partition)
    found.begin = before > found.begin ? (before < found.end ? before : found.end) : found.begin
    found.records = found.records.filter((record) => record.offset >= found.begin)
  }

  /** Log compaction: the newest record of each key stays, and the last record whatever it is. Tombstones stay. */
  compact(topic: string, partition: number): void {
    const found = this.partition(topic, partition)
    const newest = new Map<string, bigint>()
    for (const record of found.records) if (record.key) newest.set(keyOf(record.key), record.offset)
    found.records = found.records.filter((record) => !record.key || newest.get(keyOf(record.key)) === record.offset)
  }

  create(topic: string, { partitions, compacted = false }: TopicOptions): void {
    const has = this.topics.get(topic)
    if (has && has.length !== partitions) throw new TopicMismatch(topic, has.length, partitions)
    if (has) return
    const make = (_: unknown, index: number): Partition => ({
      topic,
      index,
      compacted,
      records: [],
      begin: 0n,
      end: 0n,
      at: 0,
      waiters: new Set(),
    })
    this.topics.set(topic, Array.from({ length: partitions }, make))
  }

  count(topic: string): number {
    const found = this.topics.get(topic)
    if (!found) throw new UnknownTopic(topic)
    return found.length
  }

  /** Every partition of every topic. */
  all(): readonly Partition[] {
    return [...this.topics.values()].flat()
  }

  partition(topic: string, partition: number): Partition {
    const found = this.topics.get(topic)?.[partition]
    if (!found) throw new UnknownTopic(topic, this.topics.has(topic) ? partition : undefined)
    return found
  }

  land(topic: string, index: number, records: readonly AppendRecord[]): Appended {
    const partition = this.partition(topic, index)
    const offset = partition.end
    const skewMs = this.faults.leaderSkewMs?.(topic, index)
    // One leader's clock does not go back; another's may show less.
    partition.at =
      skewMs === undefined
        ? Math.max(partition.at, Math.floor(this.simulation.now))
        : Math.floor(this.simulation.now + skewMs)
    for (const { key = null, value, headers = {} } of records) {
      const record = { topic, partition: index, offset: partition.end, at: partition.at, key, value, headers }
      partition.records.push(record)
      partition.end += 1n
      this.onLand(record)
    }
    for (const waiter of [...partition.waiters]) waiter()
    return { offset, at: partition.at }
  }
}

class Handle implements EventLog {
  private readonly log: SimulatedLog
  private readonly process: SimulatedProcess

  constructor(log: SimulatedLog, process: SimulatedProcess) {
    this.log = log
    this.process = process
  }

  createTopic(topic: string, options: TopicOptions): Promise<void> {
    return this.answer(topic, 0, () => this.log.create(topic, options))
  }

  partitions(topic: string): Promise<number> {
    return this.answer(topic, 0, () => this.log.count(topic))
  }

  bounds(topic: string, partition: number): Promise<Bounds> {
    return this.answer(topic, partition, () => {
      const { begin, end } = this.log.partition(topic, partition)
      return { begin, end }
    })
  }

  async *read(range: Range): AsyncIterable<RawBatch> {
    const { topic, partition, to } = range
    for (let from = range.from; from < to; ) {
      const page = await this.answer(topic, partition, () => {
        const { begin, end, records } = this.log.partition(topic, partition)
        if (from < begin || to > end) throw new RangeGone({ topic, partition, from, to }, { begin, end })
        const first = firstAt(records, from)
        return records.slice(first, first + recordsPerPage).filter((record) => record.offset < to)
      })
      if (page.length === 0) return
      yield { topic, partition, records: page }
      from = page.at(-1)!.offset + 1n
    }
  }

  wait(topic: string, index: number, from: bigint, ms: number, signal?: AbortSignal): Promise<bigint> {
    return new Promise((resolve, reject) => {
      let partition: Partition
      try {
        partition = this.log.partition(topic, index)
      } catch (error) {
        return reject(error)
      }
      const done = () => {
        if (!partition.waiters.delete(look)) return
        cancel()
        signal?.removeEventListener('abort', done)
        this.later(
          { process: this.process.name, topic, partition: index },
          () => partition.end,
          (end) => resolve(end),
          reject,
        )
      }
      let cancel = () => {}
      const look = () => {
        if (partition.end > from) done()
      }
      partition.waiters.add(look)
      if (partition.end > from || ms <= 0 || signal?.aborted) return done()
      signal?.addEventListener('abort', done, { once: true })
      cancel = this.log.simulation.after(ms, done)
    })
  }

  append(topic: string, partition: number, record: AppendRecord): Promise<Appended | 'unknown'> {
    return this.appendMany(topic, partition, [record])
  }

  async appendMany(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Appended | 'unknown'> {
    checkSize(topic, partition, records)
    this.log.partition(topic, partition)
    if (records.length === 0) throw new Error(`${topic}/${partition}: an append needs at least one record`)
    const { simulation } = this.log
    const fate = this.log.faults.fate({ process: this.process.name, topic, partition })
    let first: Appended | undefined
    for (const ms of fate.landAfterMs) {
      // What was sent lands, also when the sender is stopped or dead by then.
      simulation.after(ms, () => {
        const landed = this.log.land(topic, partition, records)
        first ??= landed
      })
    }
    return new Promise((resolve, reject) => {
      simulation.after(fate.answerAfterMs, () =>
        this.process.deliver(() => {
          if (fate.answer === 'unavailable') reject(new LogUnavailable(`${topic}/${partition}: no broker takes it`))
          else resolve(fate.answer === 'position' && first ? first : 'unknown')
        }),
      )
    })
  }

  async close(): Promise<void> {}

  private answer<T>(topic: string, partition: number, work: () => T): Promise<T> {
    return new Promise((resolve, reject) =>
      this.later({ process: this.process.name, topic, partition }, work, resolve, reject),
    )
  }

  /** The log answers after its latency with what holds then; a stopped process hears it when it is woken. */
  private later<T>(
    place: SimulatedPlace,
    look: () => T,
    hear: (seen: T) => void,
    fail: (error: unknown) => void,
  ): void {
    const { faults, simulation } = this.log
    simulation.after(faults.latencyMs(place), () => {
      let settle: () => void
      try {
        if (faults.isAway?.(place))
          throw new LogUnavailable(`${place.topic}/${place.partition}: no broker answers for it`)
        const seen = look()
        settle = () => hear(seen)
      } catch (error) {
        settle = () => fail(error)
      }
      this.process.deliver(settle)
    })
  }
}

/** Index of the first record at or after `offset`. */
function firstAt(records: readonly LogRecord[], offset: bigint): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (records[middle]!.offset < offset) low = middle + 1
    else high = middle
  }
  return low
}

function keyOf(key: Uint8Array): string {
  return Buffer.from(key).toString('base64')
}
