import { expect, test } from 'vitest'
import { keyOf, murmur3 } from './murmur3.ts'

/** The hash as the published vectors have it: four words, each little-endian. */
function hashOf(bytes: Uint8Array, seed: number): Buffer {
  const words = new Uint32Array(4)
  murmur3(bytes, 0, bytes.length, seed, words)
  const out = Buffer.alloc(16)
  words.forEach((word, index) => {
    out.writeUInt32LE(word, index * 4)
  })
  return out
}

test("SMHasher's verification of MurmurHash3_x86_128 comes out: 256 lengths and seeds in one number", () => {
  const key = Uint8Array.from({ length: 256 }, (_, index) => index)
  const all = Buffer.concat(Array.from({ length: 256 }, (_, length) => hashOf(key.subarray(0, length), 256 - length)))
  // smhasher/main.cpp: { MurmurHash3_x86_128, 128, 0xB3ECE62A, "Murmur3C" }
  expect(hashOf(all, 0).readUInt32LE(0).toString(16)).toBe('b3ece62a')
})

test('a key is the first 53 bits of the hash, the same wherever the id lies in a message', () => {
  const id = new TextEncoder().encode('00000000-0000-4000-8000-000000000042')
  const hash = hashOf(id, 0)
  const key = hash.readUInt32LE(0) * 2 ** 21 + (hash.readUInt32LE(4) >>> 11)
  expect(keyOf(id)).toBe(key)
  expect(keyOf(Buffer.concat([Buffer.from('before'), id, Buffer.from('after')]), 6, 6 + id.length)).toBe(key)
  expect(Number.isSafeInteger(key)).toBe(true)
})

test('the keys of some ids stand here for whoever writes them in another language', () => {
  const keys = ['', 'a', 'prediction-1', 'Ærø'].map((id) => keyOf(new TextEncoder().encode(id)))
  expect(keys).toEqual([0, 5896210150501078, 2602053825302789, 2733125457819902])
})
