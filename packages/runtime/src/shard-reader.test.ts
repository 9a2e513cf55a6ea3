import { encodeEntry, type Hash } from '@interlock/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstKnownValid, followShard, validEntries } from './shard-reader.ts'
import { collected, World } from './test-world.ts'

/** An entry that says nothing but what it follows and who wrote it. */
function land(world: World, prev: number, owner: string): void {
  const entry = {
    v: 1,
    prev: BigInt(prev),
    owner,
    build: 'b',
    took: [],
    caughtUp: false,
    outs: [],
    chain: hash,
    stateHash: null,
  } as const
  world.servers.land('log.toy', 0, [{ value: encodeEntry(entry) }])
}
const hash = '0'.repeat(64) as Hash
const where = { topic: 'log.toy', partition: 0 }

const offsets = async (world: World, after = -1) => {
  const { end } = world.servers.partition('log.toy', 0)
  const all = await world.done(collected(validEntries(world.log, where, BigInt(after), end)))
  return all.map(({ offset }) => Number(offset))
}

describe('the reader of a shard log', () => {
  test('takes the first entry that follows a given one, and skips every other', async () => {
    const world = new World()
    for (const [prev, owner] of [
      [-1, 'a'],
      [-1, 'b'],
      [0, 'b'],
      [0, 'a'],
      [2, 'a'],
      [0, 'b'],
      [3, 'b'],
      [4, 'a'],
    ] as const) {
      land(world, prev, owner)
    }
    expect(await offsets(world)).toEqual([0, 2, 4, 7])
  })

  test('gives the same entries from any known valid entry on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 30 }), async (backs) => {
        const world = new World()
        // Each names the last valid entry, or an older offset, as zombies do.
        const valid: number[] = []
        for (const [offset, back] of backs.entries()) {
          const prev = (back === 0 || offset === 0 ? valid.at(-1) : offset - back) ?? -1
          land(world, Math.max(prev, -1), 'x')
          if (prev === (valid.at(-1) ?? -1)) valid.push(offset)
        }
        expect(await offsets(world)).toEqual(valid)
        for (const [index, offset] of valid.entries())
          expect(await offsets(world, offset)).toEqual(valid.slice(index + 1))
      }),
      { numRuns: 50 },
    )
  })

  test('that knows nothing starts at the first entry that a later one names, not at the first in sight', async () => {
    const world = new World()
    // Offsets 0 and 1 valid, 2 a void twin, 3 a zombie that names 0, 4 follows 1, 5 follows 4.
    for (const prev of [-1, 0, 0, 0, 1, 4]) land(world, prev, 'x')
    expect(await offsets(world)).toEqual([0, 1, 4, 5])
    expect(await world.done(firstKnownValid(world.log, where))).toBe(-1n)
    world.servers.trim('log.toy', 0, 2n)
    expect(await world.done(firstKnownValid(world.log, where))).toBe(1n)
    world.servers.trim('log.toy', 0, 3n)
    expect(await world.done(firstKnownValid(world.log, where))).toBe(4n)
    world.servers.trim('log.toy', 0, 5n)
    expect(await world.done(firstKnownValid(world.log, where))).toBe(4n)
    world.servers.trim('log.toy', 0, 6n)
    expect(await world.done(firstKnownValid(world.log, where))).toBe(null)
  })

  test('follows the log to its end and beyond', async () => {
    const world = new World()
    land(world, -1, 'a')
    const stop = new AbortController()
    const seen: number[] = []
    const following = (async () => {
      for await (const { offset } of followShard(world.log, where, -1n, world.observer.clock, stop.signal))
        seen.push(Number(offset))
    })()
    await world.pass(100)
    expect(seen).toEqual([0])
    land(world, -1, 'zombie')
    land(world, 0, 'a')
    await world.pass(100)
    expect(seen).toEqual([0, 2])
    stop.abort()
    await world.done(following)
  })

  test('names the offset of what is no entry', async () => {
    const world = new World()
    world.servers.land('log.toy', 0, [{ value: Buffer.from('noise') }])
    await expect(offsets(world)).rejects.toThrow('log.toy/0 offset 0 is no entry that this build can read')
  })
})
