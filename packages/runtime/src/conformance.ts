import type { LogRecord, Range } from '@interlock/contracts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Appended, type EventLog, maxRecordBytes, RangeGone, RecordTooLarge, TopicMismatch } from './event-log.ts'

/** A fresh log under test. */
export interface LogUnderTest {
  readonly log: EventLog
  /** Another handle on the same log, as another owner has. */
  readonly other: EventLog
  /** Makes the log drop at least one record, never the newest, from the head of a partition made with `retentionMs: 1000`. */
  trimHead(topic: string, partition: number): Promise<void>
  close(): Promise<void>
}

/** What every adapter of the `EventLog` port must do. Called from the adapter's own test file. */
export function eventLogConformance(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`${name} keeps the contract of the event log`, () => {
    let under: LogUnderTest
    beforeEach(async () => {
      under = await open()
      await under.log.createTopic('events', { partitions: 2 })
    })
    afterEach(() => under.close())

    test('offsets follow one another in each partition by itself, whoever appends', async () => {
      const offsets: bigint[] = []
      for (let index = 0; index < 6; index++) {
        offsets.push((await put(index % 2 === 0 ? under.log : under.other, 'events', 0, `a${index}`)).offset)
      }
      expect(offsets).toEqual([0n, 1n, 2n, 3n, 4n, 5n])
      expect((await put(under.log, 'events', 1, 'b')).offset).toBe(0n)
      expect(await under.other.bounds('events', 0)).toEqual({ begin: 0n, end: 6n })
    })

    test('an append answers with the time that readers see, and time never goes back', async () => {
      const answers: Appended[] = []
      for (let index = 0; index < 5; index++) answers.push(await put(under.log, 'events', 0, `${index}`))
      const records = await all(under.other, { topic: 'events', partition: 0, from: 0n, to: 5n })
      expect(records.map((record) => record.at)).toEqual(answers.map((answer) => answer.at))
      for (let index = 1; index < 5; index++) expect(records[index]!.at).toBeGreaterThanOrEqual(records[index - 1]!.at)
    })

    test('key, value and headers come back as they went in, also empty and absent ones', async () => {
      const { log } = under
      await log.append('events', 0, { key: bytes('k'), value: bytes('v'), headers: { 'content-type': 'x/y', é: '✓' } })
      await log.append('events', 0, { value: new Uint8Array(0) })
      await log.append('events', 0, { key: new Uint8Array([0, 255]), value: null })
      const records = await all(under.other, { topic: 'events', partition: 0, from: 0n, to: 3n })
      expect(records.map(plain)).toEqual([
        { offset: 0n, key: [107], value: [118], headers: { 'content-type': 'x/y', é: '✓' } },
        { offset: 1n, key: null, value: [], headers: {} },
        { offset: 2n, key: [0, 255], value: null, headers: {} },
      ])
    })

    test('many records of one append lie together and share its time', async () => {
      const { log } = under
      await put(log, 'events', 0, 'before')
      const answers = await Promise.all([
        log.appendMany(
          'events',
          0,
          [1, 2, 3].map((index) => ({ value: bytes(`x${index}`) })),
        ),
        under.other.appendMany(
          'events',
          0,
          [1, 2, 3].map((index) => ({ value: bytes(`y${index}`) })),
        ),
      ])
      const records = await all(log, { topic: 'events', partition: 0, from: 0n, to: 7n })
      for (const [index, letter] of ['x', 'y'].entries()) {
        const { offset, at } = answers[index] as Appended
        const run = records.slice(Number(offset), Number(offset) + 3)
        expect(run.map((record) => text(record.value))).toEqual([`${letter}1`, `${letter}2`, `${letter}3`])
        expect(run.every((record) => record.at === at)).toBe(true)
      }
    })

    test('a read gives exactly the range, however the records were batched', async () => {
      const values: string[] = []
      for (let batch = 0; batch < 30; batch++) {
        const some = Array.from({ length: 1 + (batch % 7) }, (_, index) => `${batch}.${index}`)
        values.push(...some)
        await under.log.appendMany(
          'events',
          0,
          some.map((value) => ({ value: bytes(value) })),
        )
      }
      for (const [from, to] of [
        [0, values.length],
        [3, 4],
        [5, 5],
        [17, 70],
        [values.length - 1, values.length],
      ] as const) {
        const range = { topic: 'events', partition: 0, from: BigInt(from), to: BigInt(to) }
        const records = await all(under.other, range)
        expect(records.map((record) => text(record.value))).toEqual(values.slice(from, to))
        expect(records.map((record) => record.offset)).toEqual(values.slice(from, to).map((_, i) => BigInt(from + i)))
      }
    })

    test('a range that the log does not hold yet is refused, not cut short', async () => {
      await put(under.log, 'events', 0, 'one')
      await expect(all(under.log, { topic: 'events', partition: 0, from: 0n, to: 2n })).rejects.toThrow(RangeGone)
    })

    test('a range whose head was removed is refused, and what is left can be read', async () => {
      await under.log.createTopic('short', { partitions: 1, retentionMs: 1_000 })
      for (let index = 0; index < 20; index++) await put(under.log, 'short', 0, `${index}`)
      await under.trimHead('short', 0)
      const { begin, end } = await under.log.bounds('short', 0)
      expect(begin).toBeGreaterThan(0n)
      expect(end).toBeGreaterThan(begin)
      await expect(all(under.log, { topic: 'short', partition: 0, from: begin - 1n, to: end })).rejects.toThrow(
        RangeGone,
      )
      const left = await all(under.log, { topic: 'short', partition: 0, from: begin, to: end })
      expect(left[0]!.offset).toBe(begin)
      expect((await put(under.log, 'short', 0, 'next')).offset).toBe(end)
    })

    test('a compacted topic keeps the newest of each key and never gives an offset twice', async () => {
      const { log } = under
      await log.createTopic('latest', { partitions: 1, compacted: true })
      for (const [key, value] of [
        ['a', '1'],
        ['b', '1'],
        ['a', '2'],
        ['c', '1'],
        ['b', null],
        ['a', '3'],
      ] as const) {
        await log.append('latest', 0, { key: bytes(key), value: value === null ? null : bytes(value) })
      }
      const { begin, end } = await log.bounds('latest', 0)
      expect(end).toBe(6n)
      const newest = new Map<string, string | null>()
      const records = await all(under.other, { topic: 'latest', partition: 0, from: begin, to: end })
      for (const record of records) newest.set(text(record.key)!, text(record.value))
      expect(newest).toEqual(
        new Map([
          ['a', '3'],
          ['b', null],
          ['c', '1'],
        ]),
      )
      const offsets = records.map((record) => record.offset)
      expect(offsets).toEqual([...new Set(offsets)].sort((x, y) => Number(x - y)))
    })

    test('a wait ends as soon as another handle appends', async () => {
      await put(under.log, 'events', 0, 'one')
      const waiting = under.log.wait('events', 0, 1n, 10_000)
      await put(under.other, 'events', 0, 'two')
      expect(await waiting).toBe(2n)
    })

    test('a wait for what is there ends at once, and one for nothing ends when its time is up or it is aborted', async () => {
      await put(under.log, 'events', 0, 'one')
      expect(await under.log.wait('events', 0, 0n, 10_000)).toBe(1n)
      expect(await under.log.wait('events', 0, 1n, 20)).toBe(1n)
      const abort = new AbortController()
      const waiting = under.log.wait('events', 0, 1n, 10_000_000, abort.signal)
      abort.abort()
      expect(await waiting).toBe(1n)
    })

    test('a topic is made once; another number of partitions is refused', async () => {
      await put(under.log, 'events', 0, 'one')
      await under.other.createTopic('events', { partitions: 2 })
      expect(await under.log.partitions('events')).toBe(2)
      expect((await under.log.bounds('events', 0)).end).toBe(1n)
      await expect(under.log.createTopic('events', { partitions: 3 })).rejects.toThrow(TopicMismatch)
    })

    test('the largest record passes, one byte more is refused and leaves nothing behind', async () => {
      await expect(under.log.append('events', 0, { value: new Uint8Array(maxRecordBytes + 1) })).rejects.toThrow(
        RecordTooLarge,
      )
      expect((await under.log.bounds('events', 0)).end).toBe(0n)
      await under.log.append('events', 0, { value: new Uint8Array(maxRecordBytes) })
      const [record] = await all(under.log, { topic: 'events', partition: 0, from: 0n, to: 1n })
      expect(record!.value!.length).toBe(maxRecordBytes)
    })

    test('an unknown topic or partition is an error that names it', async () => {
      await expect(under.log.bounds('nowhere', 0)).rejects.toThrow('nowhere')
      await expect(under.log.append('events', 7, { value: null })).rejects.toThrow('no partition 7')
    })
  })
}

async function put(log: EventLog, topic: string, partition: number, value: string): Promise<Appended> {
  const answer = await log.append(topic, partition, { value: bytes(value) })
  if (answer === 'unknown') throw new Error('the log did not say whether it appended')
  return answer
}

async function all(log: EventLog, range: Range): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const batch of log.read(range)) records.push(...batch.records)
  return records
}

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
const text = (value: Uint8Array | null): string | null => (value === null ? null : new TextDecoder().decode(value))

function plain(record: LogRecord) {
  const list = (value: Uint8Array | null) => (value === null ? null : [...value])
  return { offset: record.offset, key: list(record.key), value: list(record.value), headers: { ...record.headers } }
}
