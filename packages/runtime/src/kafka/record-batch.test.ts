import { zstdCompressSync } from 'node:zlib'
import type { LogRecord } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxDecompressedBytes } from './codecs.ts'
import { crc32c, crc32cInScript } from './crc32c.ts'
import { decodeBatch, maxBatchRecords } from './decode-batch.ts'
import { encodeRecordBatch } from './encode-record-batch.ts'
import { batchesOf } from './record-batch.ts'

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const producer = { id: 7n, epoch: 0, sequence: 0 }
const bytes = fc.uint8Array({ maxLength: 300 })
const appended = fc.record({
  key: fc.option(bytes, { nil: null }),
  value: fc.option(bytes, { nil: null }),
  headers: fc.dictionary(fc.string({ unit: 'binary', maxLength: 9 }), fc.string({ unit: 'binary', maxLength: 9 }), {
    noNullPrototype: false,
  }),
})

async function read(set: Buffer): Promise<LogRecord[]> {
  const decoded = await Promise.all([...batchesOf(set)].map((batch) => decodeBatch(batch, 'topic', 3)))
  return decoded.flatMap(({ records }) => records)
}
const list = (value: Uint8Array | null | undefined) => (value ? [...value] : null)

/** As the broker writes a batch into its log. */
function landed(batch: Buffer, baseOffset: bigint): Buffer {
  const copy = Buffer.from(batch)
  copy.writeBigInt64BE(baseOffset, 0)
  return copy
}

test.for([crc32c, crc32cInScript])('CRC-32C gives the values of RFC 3720, native or not', (crc32c) => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd794e)
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

test(`what was encoded is read back, record for record (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(appended, { minLength: 1, maxLength: 100 }),
      fc.bigInt({ min: 0n, max: 1n << 50n }),
      async (given, base) => {
        const records = await read(landed(encodeRecordBatch(given, 1_700_000_000_000, producer), base))
        expect(records.map(({ offset }) => offset)).toEqual(given.map((_, index) => base + BigInt(index)))
        for (const [index, record] of records.entries()) {
          const { key, value, headers = {} } = given[index]!
          expect(record).toMatchObject({ topic: 'topic', partition: 3, at: 1_700_000_000_000 })
          expect([list(record.key), list(record.value)]).toEqual([list(key), list(value)])
          const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('utf8')
          const expected = Object.entries(headers).map(([name, text]) => [utf8(name), utf8(text)])
          expect(new Map(Object.entries(record.headers))).toEqual(new Map(expected as [string, string][]))
        }
      },
    ),
    { seed, numRuns: 200 },
  )
})

test('a batch that is torn at the end is left for the next fetch', async () => {
  const values = (...texts: string[]) => texts.map((text) => ({ value: Buffer.from(text) }))
  const first = landed(encodeRecordBatch(values('a', 'b', 'c'), 1, producer), 10n)
  const second = landed(encodeRecordBatch(values('d', 'e'), 1, producer), 20n)
  const text = (records: LogRecord[]) => records.map(({ offset, value }) => `${offset}${value}`).join(' ')
  expect(text(await read(Buffer.concat([first, second])))).toBe('10a 11b 12c 20d 21e')
  expect(text(await read(Buffer.concat([first, second.subarray(0, second.length - 1)])))).toBe('10a 11b 12c')
  expect(text(await read(Buffer.concat([first, second.subarray(0, 30)])))).toBe('10a 11b 12c')
})

test('a header called __proto__ is a header', async () => {
  const headers = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Record<string, string>
  const [record] = await read(encodeRecordBatch([{ value: null, headers }], 1, producer))
  expect(Object.entries(record!.headers)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
  expect(({} as Record<string, unknown>).x).toBeUndefined()
})

test('create time is base plus delta, also where the deltas need many bytes', async () => {
  // By hand, in zigzag: length, attributes, delta of time, delta of offset, no key, no value, no headers.
  const record = (offset: number, delta: readonly number[]) => [
    (5 + delta.length) * 2,
    0,
    ...delta,
    offset * 2,
    1,
    1,
    0,
  ]
  const minus1000 = [0xcf, 0x0f]
  const twoTo40 = [0x80, 0x80, 0x80, 0x80, 0x80, 0x40]
  const batch = withRecords(Buffer.from([...record(0, minus1000), ...record(1, twoTo40)]), 2)
  expect((await read(batch)).map(({ at }) => at)).toEqual([0, 1_000 + 2 ** 40])
})

test(`damaged bytes are an error that names the place, never a wrong record (seed ${seed})`, async () => {
  const batch = encodeRecordBatch(
    [{ key: Buffer.from('k'), value: Buffer.from('value'), headers: { a: 'b' } }],
    1,
    producer,
  )
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 21, max: batch.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      async (place, flip) => {
        const damaged = Buffer.from(batch)
        damaged[place]! ^= flip
        await expect(read(damaged)).rejects.toThrow('topic/3: the batch at offset 0 is damaged')
      },
    ),
    { seed },
  )
})

test(`hostile records under a right checksum become one unreadable record, whatever they hold (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 7 }), async (body, codec) => {
      const records = await read(landed(withRecords(body, 1_000, codec), 70n))
      expect(records).toMatchObject([
        { offset: 1_069n, value: null, unreadable: { reason: 'malformed', from: 70n, records: 1_000 } },
      ])
    }),
    { seed, numRuns: 1_000 },
  )
})

test('a batch that grows beyond the bound is one unreadable record and says so; the one behind it is read', async () => {
  const bomb = withRecords(zstdCompressSync(Buffer.alloc(maxDecompressedBytes + 1)), 3, 4)
  const many = withRecords(Buffer.alloc(7), maxBatchRecords + 1)
  const good = encodeRecordBatch([{ value: Buffer.from('good') }], 1, producer)
  const records = await read(Buffer.concat([bomb, landed(many, 3n), landed(good, 300_000n)]))
  expect(records).toMatchObject([
    { offset: 2n, at: 1_000, key: null, value: null, headers: {}, unreadable: { reason: 'oversized', records: 3 } },
    { offset: 200_003n, unreadable: { reason: 'oversized', from: 3n, records: maxBatchRecords + 1 } },
    { offset: 300_000n },
  ])
  expect(records[0]!.unreadable!.detail).toContain('3 records of one batch from offset 0 on cannot be read: more than')
  expect(records[2]!.unreadable).toBeUndefined()
})

/** A batch with these bytes for records, right in everything else. Its base time is 1000. */
function withRecords(records: Uint8Array, count: number, attributes = 0): Buffer {
  const batch = Buffer.concat([encodeRecordBatch([{ value: null }], 1_000, producer).subarray(0, 61), records])
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt16BE(attributes, 21)
  batch.writeInt32BE(count - 1, 23)
  batch.writeInt32BE(count, 57)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}
