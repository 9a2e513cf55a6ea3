import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { LogRecord, Range } from '@interlock/contracts'
import { decodeBatch, encodeBatch } from './batch-codec.ts'
import { type Clock, systemClock } from './clock.ts'
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

export interface SqliteLogOptions {
  /** Holds `log.sqlite` and its write-ahead log. Made when missing. */
  readonly folder: string
  /**
   * `'power-loss'` (default): an append is answered after the disk has it (synchronous=FULL; appends that wait at the
   * same moment share one commit). `'process-crash'`: survives kill -9, not a power cut (NORMAL); for tests and demos.
   */
  readonly durability?: 'power-loss' | 'process-crash'
  readonly clock?: Clock
}

/** Offsets of one partition; ids of batches are partition · 2^40 + first offset, so that a scan is one B-tree walk. */
const offsetsPerPartition = 2 ** 40
/** Another process's append is seen within this time; an append of this handle at once. */
const pollMs = 25
const readPageBytes = 4 * 1_048_576
const busyTimeoutMs = 2_000
const expireEveryMs = 60_000
/** Tombstones stay as long as Kafka's default `delete.retention.ms`, so that a slow reader learns of the end. */
const tombstonesKeptMs = 86_400_000

const schema = `
  CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, partitions INTEGER, compacted INTEGER, retention_ms INTEGER);
  CREATE TABLE IF NOT EXISTS partitions (
    pid INTEGER PRIMARY KEY, topic TEXT, partition INTEGER, begin INTEGER, "end" INTEGER, at INTEGER,
    UNIQUE (topic, partition));
  CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY, count INTEGER, at INTEGER, key BLOB, tombstone INTEGER, records BLOB);
  CREATE INDEX IF NOT EXISTS batches_by_key ON batches (key, id) WHERE key IS NOT NULL;`

interface Partition {
  readonly pid: number
  readonly compacted: boolean
}

interface Waiting {
  readonly topic: string
  readonly partition: number
  readonly records: readonly AppendRecord[]
  readonly resolve: (appended: Appended | 'unknown') => void
  readonly reject: (error: Error) => void
}

/** The embedded log: one folder, any number of handles and processes on one machine. */
export function openSqliteLog(options: SqliteLogOptions): EventLog {
  return new SqliteLog(options)
}

class SqliteLog implements EventLog {
  private readonly db: DatabaseSync
  private readonly clock: Clock
  private readonly known = new Map<string, Partition>()
  private readonly statements = new Map<string, StatementSync>()
  private readonly wakers = new Set<() => void>()
  private queue: Waiting[] = []
  private poll: NodeJS.Timeout | undefined
  private dataVersion = 0
  private expireAt = 0
  private closed = false

  constructor(options: SqliteLogOptions) {
    this.clock = options.clock ?? systemClock
    mkdirSync(options.folder, { recursive: true })
    this.db = new DatabaseSync(join(options.folder, 'log.sqlite'), { timeout: busyTimeoutMs })
    this.db.exec('PRAGMA journal_mode = WAL')
    this.db.exec(`PRAGMA synchronous = ${options.durability === 'process-crash' ? 'NORMAL' : 'FULL'}`)
    this.db.exec(schema)
  }

  async createTopic(topic: string, { partitions, compacted = false, retentionMs }: TopicOptions): Promise<void> {
    this.inTransaction(() => {
      const row = this.sql('SELECT partitions FROM topics WHERE name = ?').get(topic)
      if (row) {
        if (row.partitions !== partitions) throw new TopicMismatch(topic, Number(row.partitions), partitions)
        this.sql('UPDATE topics SET retention_ms = ? WHERE name = ?').run(retentionMs ?? null, topic)
        return
      }
      this.sql('INSERT INTO topics VALUES (?, ?, ?, ?)').run(topic, partitions, compacted ? 1 : 0, retentionMs ?? null)
      const insert = this.sql('INSERT INTO partitions (topic, partition, begin, "end", at) VALUES (?, ?, 0, 0, 0)')
      for (let partition = 0; partition < partitions; partition++) insert.run(topic, partition)
    })
  }

  async partitions(topic: string): Promise<number> {
    const row = this.sql('SELECT partitions FROM topics WHERE name = ?').get(topic)
    if (!row) throw new UnknownTopic(topic)
    return Number(row.partitions)
  }

  async bounds(topic: string, partition: number): Promise<Bounds> {
    return this.boundsNow(topic, partition)
  }

  async *read(range: Range): AsyncIterable<RawBatch> {
    const { topic, partition, to } = range
    const { pid, compacted } = this.find(topic, partition)
    for (let from = range.from; from < to; ) {
      const bounds = this.boundsNow(topic, partition)
      if (from < bounds.begin || to > bounds.end) throw new RangeGone({ topic, partition, from, to }, bounds)
      const page = this.page(topic, partition, pid, from, to)
      // Nothing left: compaction removed the rest of the range.
      if (page.length === 0) return
      // Another process's retention may have passed between the two looks.
      if (!compacted && page[0]![0]!.offset !== from) throw new RangeGone(range, this.boundsNow(topic, partition))
      for (const records of page) yield { topic, partition, records }
      from = page.at(-1)!.at(-1)!.offset + 1n
    }
  }

  async wait(topic: string, partition: number, from: bigint, ms: number, signal?: AbortSignal): Promise<bigint> {
    const deadline = this.clock.monotonic() + ms
    for (;;) {
      const { end } = this.boundsNow(topic, partition)
      const left = deadline - this.clock.monotonic()
      if (end > from || left <= 0 || signal?.aborted || this.closed) return end
      await this.changed(left, signal)
    }
  }

  append(topic: string, partition: number, record: AppendRecord): Promise<Appended | 'unknown'> {
    return this.appendMany(topic, partition, [record])
  }

  async appendMany(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Appended | 'unknown'> {
    checkSize(topic, partition, records)
    this.find(topic, partition)
    if (records.length === 0) throw new Error(`${topic}/${partition}: an append needs at least one record`)
    if (this.closed) throw new LogUnavailable('the log is closed')
    return new Promise((resolve, reject) => {
      this.queue.push({ topic, partition, records, resolve, reject })
      if (this.queue.length === 1) setImmediate(() => this.flush())
    })
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.flush()
    this.closed = true
    clearInterval(this.poll)
    this.wake()
    this.db.close()
  }

  /** Group commit: everything that waits goes into one transaction, so one disk flush serves all shards. */
  private flush(): void {
    const waiting = this.queue
    this.queue = []
    if (waiting.length === 0 || this.closed) return
    let appended: readonly Appended[]
    let committing = false
    try {
      this.db.exec('BEGIN IMMEDIATE')
      const now = this.clock.now()
      this.expire(now)
      appended = waiting.map((one) => this.insert(one, now))
      committing = true
      this.db.exec('COMMIT')
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      // A commit that failed half way may be found complete after a restart: nobody can say. One that could not be written
      // lacks its last frame, without which SQLite finds nothing.
      if (committing && !isUnwritten(error)) for (const one of waiting) one.resolve('unknown')
      else for (const one of waiting) one.reject(new LogUnavailable(refusal(error), error))
      return
    }
    for (const [index, one] of waiting.entries()) one.resolve(appended[index]!)
    this.wake()
  }

  private insert({ topic, partition, records }: Waiting, now: number): Appended {
    const { pid, compacted } = this.find(topic, partition)
    const row = this.sql('SELECT "end", at FROM partitions WHERE pid = ?').get(pid)!
    const first = Number(row.end)
    const at = Math.max(now, Number(row.at))
    const put = this.sql('INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)')
    const base = pid * offsetsPerPartition
    if (compacted) {
      // A row a record, and what a key said before goes at once: readers must cope with the gaps in any case.
      const supersede = this.sql('DELETE FROM batches WHERE key = ? AND id >= ? AND id < ?')
      for (const [index, record] of records.entries()) {
        const id = base + first + index
        if (record.key) supersede.run(record.key, base, id)
        put.run(id, 1, at, record.key ?? null, record.value === null ? 1 : 0, encodeBatch([record]))
      }
    } else {
      put.run(base + first, records.length, at, null, 0, encodeBatch(records))
    }
    this.sql('UPDATE partitions SET "end" = ?, at = ? WHERE pid = ?').run(first + records.length, at, pid)
    return { offset: BigInt(first), at }
  }

  /** Retention, at most once a minute. The newest batch of a partition always stays. */
  private expire(now: number): void {
    if (this.clock.monotonic() < this.expireAt) return
    this.expireAt = this.clock.monotonic() + expireEveryMs
    const rows = this.sql(
      'SELECT pid, begin, retention_ms, compacted FROM partitions JOIN topics ON topic = name WHERE "end" > 0',
    ).all()
    for (const row of rows) {
      const low = Number(row.pid) * offsetsPerPartition
      const high = low + offsetsPerPartition
      const last = Number(this.sql('SELECT max(id) AS id FROM batches WHERE id >= ? AND id < ?').get(low, high)?.id)
      if (row.compacted === 1) {
        const old = now - tombstonesKeptMs
        this.sql('DELETE FROM batches WHERE tombstone = 1 AND at < ? AND id >= ? AND id < ?').run(old, low, last)
      } else if (row.retention_ms !== null) {
        const old = now - Number(row.retention_ms)
        const kept = this.sql('SELECT min(id) AS id FROM batches WHERE id >= ? AND id < ? AND at >= ?').get(
          low,
          high,
          old,
        )
        const first = kept?.id == null ? last : Number(kept.id)
        this.sql('DELETE FROM batches WHERE id >= ? AND id < ?').run(low, first)
        this.sql('UPDATE partitions SET begin = max(begin, ?) WHERE pid = ?').run(first - low, Number(row.pid))
      }
    }
  }

  /** One page of batches, cut to [from, to). Read at once: a cursor held over an await would block checkpoints. */
  private page(topic: string, partition: number, pid: number, from: bigint, to: bigint): (readonly LogRecord[])[] {
    const base = pid * offsetsPerPartition
    const rows = this.sql(
      `SELECT id, at, records FROM batches WHERE id >= coalesce(
         (SELECT max(id) FROM batches WHERE id >= ? AND id <= ?), ?) AND id < ? ORDER BY id`,
    ).iterate(base, base + Number(from), base + Number(from), base + Number(to))
    const page: (readonly LogRecord[])[] = []
    let bytes = 0
    for (const row of rows) {
      const first = BigInt(Number(row.id) - base)
      const blob = row.records as Uint8Array
      const all = decodeBatch(topic, partition, first, Number(row.at), blob)
      const within = all.filter((record) => record.offset >= from && record.offset < to)
      if (within.length > 0) page.push(within)
      bytes += blob.length
      if (bytes >= readPageBytes && page.length > 0) break
    }
    return page
  }

  private boundsNow(topic: string, partition: number): Bounds {
    const { pid } = this.find(topic, partition)
    if (this.closed) throw new LogUnavailable('the log is closed')
    const row = this.sql('SELECT begin, "end" FROM partitions WHERE pid = ?').get(pid)!
    return { begin: BigInt(Number(row.begin)), end: BigInt(Number(row.end)) }
  }

  private find(topic: string, partition: number): Partition {
    const name = `${topic}/${partition}`
    const known = this.known.get(name)
    if (known) return known
    if (this.closed) throw new LogUnavailable('the log is closed')
    const row = this.sql(
      'SELECT pid, compacted FROM partitions JOIN topics ON topic = name WHERE topic = ? AND partition = ?',
    ).get(topic, partition)
    if (!row) throw new UnknownTopic(topic, partition)
    const found = { pid: Number(row.pid), compacted: row.compacted === 1 }
    this.known.set(name, found)
    return found
  }

  /** Resolves when anything was appended, by this handle or another process, or after `ms`. */
  private changed(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        this.wakers.delete(done)
        if (this.wakers.size === 0) {
          clearInterval(this.poll)
          this.poll = undefined
        }
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
      this.wakers.add(done)
      this.poll ??= setInterval(() => this.look(), pollMs)
    })
  }

  private look(): void {
    const version = Number(this.sql('PRAGMA data_version').get()?.data_version)
    if (version !== this.dataVersion) this.wake()
    this.dataVersion = version
  }

  private wake(): void {
    for (const waker of [...this.wakers]) waker()
  }

  private inTransaction(work: () => void): void {
    this.db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.db.exec('COMMIT')
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK')
      throw error
    }
  }

  private sql(text: string): StatementSync {
    const statement = this.statements.get(text) ?? this.db.prepare(text)
    this.statements.set(text, statement)
    return statement
  }
}

/** SQLite's extended result codes for a file that takes no more bytes: SQLITE_FULL, SQLITE_IOERR_WRITE. */
const unwrittenCodes: readonly unknown[] = [13, 778]

function isUnwritten(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && unwrittenCodes.includes(error.errcode)
}

function refusal(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return isUnwritten(error)
    ? `the disk takes nothing more (${reason}), so nothing was appended. Free some space: then it goes on by itself`
    : `SQLite refused an append: ${reason}`
}
