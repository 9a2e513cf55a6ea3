import type { Hash } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { keptSnapshots, type SnapshotHead, Snapshots, snapshotPartBytes } from './snapshot.ts'
import { World } from './test-world.ts'
import { type Toy, toyProcessor } from './toy-processor.ts'

const toy = toyProcessor('toy')

function snapshots(world: World, shard = 0): Snapshots {
  return new Snapshots(world.log, 'snapshots', 'toy', shard)
}

function point(seq: number, state: Toy) {
  return {
    state,
    seq: BigInt(seq),
    at: 1_000 + seq,
    time: 900 + seq,
    chain: 'c' as Hash,
    positions: new Map([['in/0', 7n]]),
  }
}

function save(world: World, seq: number, totals: Record<string, number>, to = snapshots(world)): Promise<boolean> {
  const at = point(seq, { totals: new Map(Object.entries(totals)), taken: 1, watermark: 0 })
  return world.done(to.save(at, toy.save(at.state), 1, 'test'))
}

/** What an owner would restore. */
async function newest(world: World) {
  const reader = snapshots(world)
  for (const head of await world.done(reader.list())) {
    const loaded = await world.done(reader.load(head, toy))
    if (loaded) return loaded
  }
  return null
}

/** Large enough for several parts, different for each `n`. */
const large = (n: number) => Object.fromEntries(Array.from({ length: 90_000 }, (_, index) => [`key-${n}-${index}`, n]))

describe('a snapshot', () => {
  test('comes back as it was saved, with position, times and chain, also in several parts', async () => {
    const world = new World()
    await save(world, 3, large(3))
    expect(world.servers.partition('snapshots', 0).records.length).toBeGreaterThan(3)
    const { state, ...rest } = (await newest(world))!
    const { state: _, ...expected } = point(3, toy.empty(0))
    expect(rest).toEqual(expected)
    expect(state.totals.size).toBe(90_000)
    expect(toy.save(state).length).toBeGreaterThan(2 * snapshotPartBytes)
  })

  test('that was torn by a kill is ignored, at whichever part', async () => {
    const whole = new World()
    await save(whole, 1, { a: 1 })
    const before = Number(whole.servers.partition('snapshots', 0).end)
    await save(whole, 2, large(2))
    const records = whole.servers.partition('snapshots', 0).records
    for (let kept = before; kept <= records.length; kept++) {
      const world = new World()
      for (const { key, value } of records.slice(0, kept)) world.servers.land('snapshots', 0, [{ key, value }])
      expect((await newest(world))!.seq).toBe(kept === records.length ? 2n : 1n)
    }
  })

  test('with a head and a part missing is not listed', async () => {
    const world = new World()
    await save(world, 1, large(1))
    world.servers.land('snapshots', 0, [{ key: Buffer.from('toy/0/1/1/4'), value: null }])
    expect(await world.done(snapshots(world).list())).toEqual([])
  })

  test('that another owner is still writing is not removed by an older owner', async () => {
    const world = new World()
    const zombie = snapshots(world)
    world.servers.land('snapshots', 0, [{ key: Buffer.from('toy/0/9/0/2'), value: Buffer.from('half') }])
    await world.done(zombie.list())
    await save(world, 4, { a: 4 }, zombie)
    expect(world.servers.partition('snapshots', 0).records.filter(({ value }) => value === null)).toEqual([])
  })

  test('whose bytes are not what the head says is ignored', async () => {
    const world = new World()
    await save(world, 1, { a: 1 })
    await save(world, 2, { a: 2 })
    world.servers.land('snapshots', 0, [{ key: Buffer.from('toy/0/2/0/1'), value: Buffer.from('[[["a",9]],1,0]') }])
    expect((await newest(world))!.seq).toBe(1n)
  })

  test("of a zombie, older and written later, does not take the newer one's place", async () => {
    const world = new World()
    await save(world, 9, { a: 9 })
    await save(world, 4, { a: 4 }, snapshots(world))
    world.servers.compact('snapshots', 0)
    expect((await newest(world))!.seq).toBe(9n)
  })

  test('of another shard or processor is none of ours', async () => {
    const world = new World()
    await save(world, 5, { a: 1 }, snapshots(world, 1))
    expect(await newest(world)).toBe(null)
  })

  test('is tombstoned when three newer ones and none of its hour are there, torn ones too', async () => {
    const world = new World()
    const owner = snapshots(world)
    world.servers.land('snapshots', 0, [{ key: Buffer.from('toy/0/0/0/3'), value: Buffer.from('torn') }])
    await world.done(owner.list())
    for (let seq = 1; seq <= 8; seq++) await save(world, seq, { a: seq }, owner)
    world.servers.compact('snapshots', 0)
    const heads = await world.done(snapshots(world).list())
    expect(heads.map(({ seq }) => seq)).toEqual(['8', '7', '6', '1'])
    const living = world.servers.partition('snapshots', 0).records.filter(({ value }) => value !== null)
    expect(living).toHaveLength(8)
  })

  test('that the log did not confirm is reported as not whole', async () => {
    const world = new World()
    world.servers.faults = {
      latencyMs: () => 1,
      fate: () => ({ landAfterMs: [], answerAfterMs: 1, answer: 'unknown' }),
    }
    expect(await save(world, 1, { a: 1 })).toBe(false)
    expect(await newest(world)).toBe(null)
  })
})

test('of old snapshots the first of each hour stays, for 35 days', () => {
  const hour = 3_600_000
  const heads = Array.from(
    { length: 40 * 24 * 2 },
    (_, index) => ({ seq: String(index), at: (index * hour) / 2 }) as SnapshotHead,
  )
  const kept = keptSnapshots(heads)
  expect(kept.size).toBe(35 * 24 + 2)
  expect([...kept].filter((seq) => Number(seq) % 2 === 1).map(Number)).toEqual([1_917, 1_919])
  expect(Math.min(...[...kept].map(Number))).toBe(40 * 48 - 35 * 48)
})
