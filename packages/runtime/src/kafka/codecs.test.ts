import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decompress, TooLarge } from './codecs.ts'

/** What the Java clients' codecs write is read back in test/kafka; here is what they never write. */

const snappy = 2
const lz4 = 3
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const text = Buffer.from('abcabcabcabcabcabcX')
/** A frame by hand: version 1, independent blocks of 64 KiB; the header's checksum is not looked at. */
const lz4Frame = (block: readonly number[], flags = 0x60): Buffer => {
  const header = Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  return Buffer.concat([header, size, Buffer.from(block), Buffer.alloc(4)])
}
const ascii = (letters: string) => [...Buffer.from(letters)]

describe('overlapping copies repeat what they make', () => {
  test('LZ4', async () => {
    // 3 literals, then 15 bytes from 3 back; then one literal.
    const block = [0x3b, ...ascii('abc'), 3, 0, 0x10, ...ascii('X')]
    expect(await decompress(lz4, lz4Frame(block))).toEqual(text)
  })
  test('Snappy, one bare block', async () => {
    // Length 19; literal of 3; copy of 15 from 3 back (two-byte offset); literal of 1.
    const block = [19, 2 << 2, ...ascii('abc'), (14 << 2) | 2, 3, 0, 0, ...ascii('X')]
    expect(await decompress(snappy, Buffer.from(block))).toEqual(text)
  })
})

test('a copy from before the beginning is refused', async () => {
  await expect(decompress(lz4, lz4Frame([0x3b, ...ascii('abc'), 4, 0]))).rejects.toThrow('before its beginning')
  await expect(decompress(snappy, Buffer.from([19, 2 << 2, ...ascii('abc'), (14 << 2) | 2, 4, 0]))).rejects.toThrow(
    'before its beginning',
  )
})

test('a bomb ends at the bound, whatever the codec', async () => {
  const most = 1_000_000
  const zeros = Buffer.alloc(most + 1)
  await expect(decompress(1, gzipSync(zeros), most)).rejects.toThrow(TooLarge)
  await expect(decompress(4, zstdCompressSync(zeros), most)).rejects.toThrow(TooLarge)
  const long = [0x1f, 0, 1, 0, ...Array.from({ length: 4_000 }, () => 255), 0]
  await expect(decompress(lz4, lz4Frame(long), most)).rejects.toThrow('more than 1000000 bytes')
  const copies = Array.from({ length: 20_000 }, () => [(63 << 2) | 2, 1, 0]).flat()
  await expect(decompress(snappy, Buffer.from([1, 0, 65, ...copies]), most)).rejects.toThrow('more than 1000000 bytes')
})

test(`arbitrary bytes end in an error or in bytes, never in a loop or a crash (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(snappy, lz4), async (bytes, codec) => {
      const given = codec === lz4 ? lz4Frame([...bytes]) : Buffer.from(bytes)
      try {
        expect((await decompress(codec, given, 100_000)).length).toBeLessThanOrEqual(100_000)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
    { seed, numRuns: 2_000 },
  )
})

test('an unknown codec is named', async () => {
  await expect(decompress(6, text)).rejects.toThrow('codec 6 is not known')
})
