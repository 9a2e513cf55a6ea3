import { expect, test } from 'vitest'
import type { Hash } from './ids.ts'
import type { Entry } from './log.ts'
import { decodeEntry, decodeOut, encodeEntry, encodeOut } from './out-codec.ts'
import type { ProgressOut } from './outs.ts'

const progress: ProgressOut = {
  kind: 'progress',
  shard: 2,
  watermark: 1_700_000_000_000,
  caughtUp: true,
  taken: 7,
  counted: 5,
  dead: { malformed: 1, future: 1 },
}
const entry: Entry = {
  v: 1,
  prev: -1n,
  owner: 'o-1',
  build: 'b',
  took: [{ topic: 'predictions', partition: 0, from: 2n ** 60n, to: 2n ** 60n + 5n }],
  caughtUp: true,
  outs: [encodeOut(progress)],
  chain: 'ab'.repeat(32) as Hash,
  stateHash: null,
}

test('an entry is read as it was written, with its outs', () => {
  const read = decodeEntry(encodeEntry(entry))
  expect(read).toStrictEqual(entry)
  expect(read.outs.map(decodeOut)).toStrictEqual([progress])
})

test('equal outs give equal bytes, whatever the order of their properties', () => {
  const { dead, ...rest } = progress
  const turned = { dead: { future: dead.future!, malformed: dead.malformed! }, ...rest }
  expect(encodeOut(turned).value).toEqual(encodeOut(progress).value)
})

test('an out belongs to its deployment, its shard, its partition or the fleet', () => {
  expect(encodeOut(progress).key).toBe('2')
  expect(encodeOut({ kind: 'brake', on: true, reason: 'r', deployments: [], sharedProducer: null }).key).toBe('fleet')
  const spec = 'cd'.repeat(32) as Hash
  expect(encodeOut({ kind: 'echo', shard: 0, deployment: 'flights' as never, generation: 1, spec }).key).toBe('flights')
})

test('an out with a field that schemas/ does not declare is refused, not shortened', () => {
  expect(() => encodeOut({ ...progress, planted: 1 } as ProgressOut)).toThrow('"planted"')
})
