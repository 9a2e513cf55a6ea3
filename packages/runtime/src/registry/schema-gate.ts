import { contentTypes, decodeSchemaRecord, encodeSchemaRecord, type LogRecord, topics } from '@interlock/contracts'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { withDeadlines } from '../deadlines.ts'
import type { EventLog } from '../event-log.ts'
import type { Gate, TakenTo } from '../gate.ts'
import { keepRunning } from '../keep-running.ts'
import type { Random } from '../random.ts'
import type { SchemaSource } from './confluent-registry.ts'

export interface SchemaGateOptions {
  readonly log: EventLog
  readonly source: SchemaSource
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** How long a record waits for its schema while the registry does not answer. */
  readonly waitMs?: number
}

/** While the registry is away (docs/operations.md "Schema registry"). */
const mostWaitMs = 60_000
/** The registry that has nothing under an id may be a replica that is behind; but not under ever more ids. */
const grace = { ms: 1_000, ids: 3 } as const
const retryMs = { first: 100, most: 10_000 } as const
/** Failures after which a round is given up: the registry is away. */
const mostFailures = 3
/** What is looked for at a time; a producer of nonsense must not grow it. Beyond it records are not held back. */
const mostWanted = 200
/** A schema that nobody asks for any more is not looked for any more. */
const forgetMs = 120_000
const followMs = 1_000
const headerBytes = 5
const mostId = 0x7fffffff

/** An id that records named and no schema is known for. */
interface Wanted {
  readonly since: number
  askedAt: number
  nextAt: number
  pauseMs: number
  /** The registry has said that it has nothing under it. */
  notFound: boolean
}

/**
 * Brings schemas into the log: when a record names an id that is not on the topic `schemas`, what the registry has under it
 * is appended there, and the record waits until its step takes that too. So whoever reads the log again reads the same,
 * with no registry about. The topic is not compacted: a range of it that an entry names must stay what it was.
 *
 * A registry that is away holds records back for at most `waitMs` from when it was first missed; then they pass, and
 * become dead letters until it is back.
 */
export class SchemaGate implements Gate {
  private readonly options: SchemaGateOptions
  private readonly log: EventLog
  private readonly waitMs: number
  /** Where on the topic a schema is, by its id; of several the first. */
  private readonly known = new Map<number, bigint>()
  private readonly wanted = new Map<number, Wanted>()
  /** Where it is said that ids are a registry's. */
  private marked: bigint | null = null
  private missedSince: number | null = null
  private changed = new AbortController()

  constructor(options: SchemaGateOptions) {
    this.options = options
    this.log = withDeadlines(options.log, options.clock)
    this.waitMs = options.waitMs ?? mostWaitMs
  }

  admits(record: LogRecord, takenTo: TakenTo): boolean {
    const id = schemaIdOf(record)
    // Registries count in 31 bits: what is beyond is nobody's.
    if (id === null || id > mostId) return true
    const to = takenTo(topics.schemas, 0) ?? 0n
    // Before that is taken the id would mean one of our own schemas.
    if (this.marked === null || this.marked >= to) return false
    const offset = this.known.get(id)
    if (offset !== undefined) return offset < to
    return !this.waitsFor(id)
  }

  async change(signal: AbortSignal, ms: number): Promise<void> {
    await this.options.clock.sleep(ms, AbortSignal.any([signal, this.changed.signal]))
  }

  /** Follows the topic and asks the registry until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      keepRunning(this.options, 'reader of schemas', signal, () => this.follow(signal)),
      this.askForAll(signal),
    ])
  }

  private waitsFor(id: number): boolean {
    const now = this.options.clock.monotonic()
    const known = this.wanted.get(id)
    if (known === undefined && this.wanted.size >= mostWanted) return false
    const wanted = known ?? { since: now, askedAt: now, nextAt: now, pauseMs: retryMs.first, notFound: false }
    wanted.askedAt = now
    this.wanted.set(id, wanted)
    if (known === undefined) this.tell()
    if (wanted.notFound) return this.missing() <= grace.ids && now - wanted.since < Math.min(grace.ms, this.waitMs)
    return now - Math.min(wanted.since, this.missedSince ?? now) < this.waitMs
  }

  private missing(): number {
    let count = 0
    for (const { notFound } of this.wanted.values()) if (notFound) count += 1
    return count
  }

  /** Wakes who waits for news: steps, and who asks the registry. */
  private tell(): void {
    this.changed.abort()
    this.changed = new AbortController()
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const { log } = this
    const { begin, end } = await log.bounds(topics.schemas, 0)
    let next = begin
    if (begin < end) await this.read(begin, end)
    next = end
    if (this.marked === null) await this.append({})
    while (!signal.aborted) {
      const grown = await log.wait(topics.schemas, 0, next, followMs, signal)
      if (grown <= next) continue
      await this.read(next, grown)
      next = grown
    }
  }

  private async read(from: bigint, to: bigint): Promise<void> {
    for await (const { records } of this.log.read({ topic: topics.schemas, partition: 0, from, to })) {
      for (const { offset, value } of records) {
        const record = decodeSchemaRecord(value)
        if (record === null) continue
        this.marked ??= offset
        if (record.id === undefined) continue
        if (!this.known.has(record.id)) this.known.set(record.id, offset)
        this.wanted.delete(record.id)
      }
    }
  }

  private async askForAll(signal: AbortSignal): Promise<void> {
    const { clock } = this.options
    while (!signal.aborted) {
      let failures = 0
      for (const [id, wanted] of this.wanted) {
        const now = clock.monotonic()
        if (now - wanted.askedAt > forgetMs) this.wanted.delete(id)
        else if (now >= wanted.nextAt && failures < mostFailures && !(await this.askFor(id, wanted))) failures += 1
      }
      if (this.wanted.size === 0) this.missedSince = null
      const next = Math.min(...[...this.wanted.values()].map(({ nextAt }) => nextAt))
      await this.change(signal, Math.min(forgetMs, Math.max(retryMs.first, next - clock.monotonic())))
    }
  }

  /** @returns false where the registry, or the log, is away */
  private async askFor(id: number, wanted: Wanted): Promise<boolean> {
    const { source, clock, logger } = this.options
    wanted.nextAt = clock.monotonic() + wanted.pauseMs
    wanted.pauseMs = Math.min(retryMs.most, wanted.pauseMs * 2)
    try {
      const answer = await source.fetch(id)
      this.missedSince = null
      if (answer !== null) {
        if ('refused' in answer) logger.warn({ id, why: answer.refused }, 'a schema that records name is of no use')
        if (!this.known.has(id)) await this.append({ id, ...answer })
      } else if (!wanted.notFound) {
        logger.warn({ id }, `${source.name} has no schema under an id that records name`)
        wanted.notFound = true
        this.tell()
      }
      return true
    } catch (error) {
      if (this.missedSince === null) logger.warn({ id, error: (error as Error).message }, 'no schema; tries again')
      this.missedSince ??= clock.monotonic()
      return false
    }
  }

  private async append(what: { id?: number; schema?: string; refused?: string }): Promise<void> {
    const value = encodeSchemaRecord({ v: 1, registry: this.options.source.name, ...what })
    // One that landed without a word is read like any other; twice is once.
    await this.log.append(topics.schemas, 0, { key: Buffer.from(String(what.id ?? '')), value })
  }
}

/** Id in the Confluent wire format; null where a record is no such message. */
export function schemaIdOf({ value, headers }: LogRecord): number | null {
  if (value === null || value.length < headerBytes || value[0] !== 0) return null
  const type = headers['content-type']
  if (type !== undefined && type.split(';', 1)[0]!.trim().toLowerCase() !== contentTypes.avro) return null
  return ((value[1]! << 24) | (value[2]! << 16) | (value[3]! << 8) | value[4]!) >>> 0
}
