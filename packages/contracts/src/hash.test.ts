import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashFields, shardOf } from './hash.ts'
import published from './hash.vectors.json' with { type: 'json' }

test.each(published.vectors)('the shard of "$id" is the published one', ({ id, shards }) => {
  for (const [count, shard] of Object.entries(shards)) expect(shardOf(id, Number(count))).toBe(shard)
})

test('a shard is one of those that there are', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 4_096 }), (id, shards) => {
      const shard = shardOf(id, shards)
      expect(Number.isInteger(shard) && shard >= 0 && shard < shards).toBe(true)
    }),
  )
})

test('two lists of fields never share an encoding by where they are cut', () => {
  expect(hashFields('ab', 'c')).not.toBe(hashFields('a', 'bc'))
  expect(hashFields('a')).not.toBe(hashFields('a', ''))
})
