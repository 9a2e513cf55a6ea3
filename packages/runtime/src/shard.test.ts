import { type Entry, encodeEntry, type Hash, type Processor } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { runShard } from './shard.ts'
import { ShardStopped } from './shard-options.ts'
import { World } from './test-world.ts'
import { type Toy, toyProcessor } from './toy-processor.ts'

const toy = toyProcessor('toy')

describe('a shard', () => {
  test('begins with an entry of time 0 that takes nothing, and each owner begins with one that takes nothing', async () => {
    const world = new World()
    world.put('a', 'b')
    await world.own(toy, 3_000)
    await world.own(toy, 3_000)
    const entries = await world.entries()
    expect(entries[0]!.entry).toMatchObject({ prev: -1n, caughtUp: false, outs: [] })
    const firsts = entries.filter(({ entry }, index) => entry.owner !== entries[index - 1]?.entry.owner)
    expect(firsts).toHaveLength(2)
    for (const { entry } of firsts) expect(entry.took.every(({ from, to }) => from === to)).toBe(true)
  })

  test('tells its step the append time of the entry before, and never goes back', async () => {
    const world = new World()
    const times: number[] = []
    const spy: Processor<Toy> = {
      ...toy,
      step: (state, batch, time, caughtUp) => {
        times.push(time)
        return toy.step(state, batch, time, caughtUp)
      },
    }
    await world.own(spy, 4_000)
    const entries = await world.entries()
    expect(times).toEqual([0, ...entries.slice(0, -1).map(({ at }) => at)])
  })

  test('with nothing to take appends an empty entry each second that names every input', async () => {
    const world = new World('other')
    const inputs = ['in', 'other'].map((topic) => ({ kind: 'topic', topic, partition: 0 }) as const)
    await world.own(toy, 10_500, { inputs })
    const entries = await world.entries()
    expect(entries.length).toBeGreaterThanOrEqual(11)
    expect(entries.length).toBeLessThanOrEqual(13)
    for (const { entry } of entries) expect(entry.took.map(({ topic }) => topic)).toEqual(['in', 'other'])
  })

  test('two shards that read each other do not wake each other with empty entries', async () => {
    const world = new World('log.left', 'log.right')
    const stop = new AbortController()
    const sides = [
      ['left', 'right'],
      ['right', 'left'],
    ].map(([name, other]) => {
      const inputs = [{ kind: 'log', topic: `log.${other}`, partition: 0 }] as const
      return runShard(world.options(toyProcessor(name!), { inputs }), stop.signal)
    })
    world.simulation.after(10_000, () => stop.abort())
    await world.done(Promise.all(sides))
    expect((await world.entries('log.left')).length).toBeGreaterThan(9)
    expect((await world.entries('log.left')).length).toBeLessThan(15)
  })

  test('takes a backlog of entries that carry nothing at once, and so what lies behind them', async () => {
    const world = new World('log.left')
    world.simulation.after(39_000, () => world.put('a'))
    await world.own(toyProcessor('left'), 40_000)
    expect((await world.entries('log.left')).length).toBeGreaterThan(39)
    const inputs = [{ kind: 'log', topic: 'log.left', partition: 0 }] as const
    await world.own(toy, 2_000, { inputs, limits: { maxRecords: 5 } })
    const outs = (await world.entries()).flatMap(({ entry }) => entry.outs)
    expect(outs.map(({ kind }) => kind)).toEqual(['progress'])
  })

  test('is caught up only when it has taken everything that was there', async () => {
    const world = new World()
    for (let index = 0; index < 25; index++) world.put('a')
    await world.own(toy, 2_000, { limits: { maxRecords: 10 } })
    const entries = await world.entries()
    const sizes = entries.map(({ entry }) => [Number(entry.took[0]!.to - entry.took[0]!.from), entry.caughtUp])
    expect(sizes.slice(0, 4)).toEqual([
      [0, false],
      [10, false],
      [10, false],
      [5, true],
    ])
  })

  test('a flood in one input leaves room for the others', async () => {
    const world = new World('requests')
    for (let index = 0; index < 100; index++) world.put('flood')
    world.servers.land('requests', 0, [{ value: Buffer.from('rollback') }])
    const inputs = ['in', 'requests'].map((topic) => ({ kind: 'topic', topic, partition: 0 }) as const)
    await world.own(toy, 3_000, { inputs, limits: { maxRecords: 10 } })
    const second = (await world.entries())[1]!.entry
    expect(second.took.map(({ from, to }) => to - from)).toEqual([10n, 1n])
  })

  test('halves the batch and steps again from the same state when the outs do not fit into an entry', async () => {
    const world = new World()
    const wordy = toyProcessor('toy', 100_000)
    for (let index = 0; index < 20; index++) world.put(index < 7 ? 'a' : 'b')
    let last: Toy | undefined
    await world.own(wordy, 3_000, { onValid: ({ state }) => (last = state) })
    const entries = await world.entries()
    const sizes = entries.map(({ entry }) => Number(entry.took[0]!.to - entry.took[0]!.from)).filter((size) => size > 0)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(9)
    expect(sizes.reduce((a, b) => a + b)).toBe(20)
    expect(last?.totals).toEqual(
      new Map([
        ['a', 7],
        ['b', 13],
      ]),
    )
    // Caught up is what is true after the batch that was taken in the end.
    expect(entries.find(({ entry }) => entry.took[0]!.to < 20n && entry.caughtUp)).toBeUndefined()
  })

  test('stops with the input named when a single record makes more outs than fit', async () => {
    const world = new World()
    world.put('a')
    const running = world.own(toyProcessor('toy', 950_000), 3_000)
    await expect(running).rejects.toThrow(/one input makes \d+ bytes of outs, at most 921600 fit: in\/0 0 to 1/)
  })

  test('shows nothing before the log has confirmed the entry', async () => {
    const world = new World()
    world.put('a')
    const shown: bigint[] = []
    let hideAnswers = false
    world.servers.faults = {
      latencyMs: () => 1,
      fate: ({ topic }) => ({
        landAfterMs: hideAnswers && topic === 'log.toy' ? [] : [1],
        answerAfterMs: 2,
        answer: hideAnswers ? 'unknown' : 'position',
      }),
    }
    const options = {
      onValid: ({ seq }: { seq: bigint }) => {
        shown.push(seq)
        hideAnswers = true
      },
    }
    await expect(world.own(toy, 60_000, options)).rejects.toThrow('no word about an append in 5 attempts')
    expect(shown).toEqual([0n])
  })

  test('with an unknown outcome goes on from the entry that did land, with its offset and its time', async () => {
    const world = new World()
    let tell = true
    world.servers.faults = {
      latencyMs: () => 1,
      fate: () => ({ landAfterMs: [5], answerAfterMs: 50, answer: tell ? 'position' : 'unknown' }),
    }
    const seen: { seq: bigint; at: number }[] = []
    await world.own(toy, 3_000, {
      onValid: ({ seq, at }) => {
        seen.push({ seq, at })
        tell = !tell
      },
    })
    const entries = await world.entries()
    expect(seen).toEqual(entries.map(({ offset, at }) => ({ seq: offset, at })))
    expect(entries.length).toBe(Number(world.servers.partition('log.toy', 0).end))
  })
})

describe('owning a shard', () => {
  test('rebuilds the state from snapshot and log, whatever the way there was', async () => {
    const world = new World()
    const states: Toy[] = []
    for (const snapshotEntries of [1, 3, 1_000]) {
      world.put('a', 'b', 'a')
      await world.own(toy, 2_500, { limits: { snapshotEntries }, onValid: ({ state }) => states.push(state) })
    }
    expect(states.at(-1)!.totals).toEqual(
      new Map([
        ['a', 6],
        ['b', 3],
      ]),
    )
  })

  test('stops when the same build does not make the same outs again, and says where', async () => {
    const world = new World()
    world.put('a')
    await world.own(toy, 2_000)
    // Snapshots hold the old state: without them the entries behind are executed by the changed code.
    world.servers.trim('snapshots', 0, 1_000n)
    const running = world.own(miscounting, 2_000)
    await expect(running).rejects.toThrow(ShardStopped)
    await expect(world.own(miscounting, 2_000)).rejects.toThrow(
      /log.toy\/0 entry 1: re-execution gives other outs: out 0/,
    )
  })

  test('under another build goes on and keeps what was put out, unless it must reproduce it', async () => {
    const world = new World()
    world.put('a')
    await world.own(toy, 2_000)
    world.servers.trim('snapshots', 0, 1_000n)
    const before = await world.entries()
    await expect(world.own(miscounting, 2_000, { build: 'next', mustReproduce: true })).rejects.toThrow(ShardStopped)
    await world.own(miscounting, 2_000, { build: 'next' })
    const after = await world.entries()
    expect(after.slice(0, before.length).map(({ bytes }) => Buffer.from(bytes))).toEqual(
      before.map(({ bytes }) => Buffer.from(bytes)),
    )
    expect(after.length).toBeGreaterThan(before.length)
  })

  test('stops when neither the log nor a snapshot reaches back', async () => {
    const world = new World()
    await world.own(toy, 5_000)
    world.servers.trim('log.toy', 0, 3n)
    world.servers.trim('snapshots', 0, 1_000n)
    await expect(world.own(toy, 1_000)).rejects.toThrow('log begins at 3 and there is no whole snapshot')
  })

  test('goes on from a snapshot when the head of the log has expired', async () => {
    const world = new World()
    world.put('a')
    await world.own(toy, 5_000)
    world.servers.trim('log.toy', 0, world.servers.partition('log.toy', 0).end)
    world.put('a')
    let last: Toy | undefined
    await world.own(toy, 2_000, { onValid: ({ state }) => (last = state) })
    expect(last?.totals.get('a')).toBe(2)
  })

  test('stops when an input no longer holds what an entry took', async () => {
    const world = new World()
    world.put('a', 'b')
    await world.own(toy, 2_000)
    world.servers.trim('snapshots', 0, 1_000n)
    world.servers.trim('in', 0, 1n)
    await expect(world.own(toy, 1_000)).rejects.toThrow('in/0 no longer holds offsets 0 to 2')
  })

  test('takes a new input from where it begins, and goes on with the old ones', async () => {
    const world = new World('more')
    world.put('a')
    await world.own(toy, 2_000)
    world.servers.land('more', 0, [{ value: Buffer.from('b') }])
    const inputs = ['in', 'more'].map((topic) => ({ kind: 'topic', topic, partition: 0 }) as const)
    let last: Toy | undefined
    await world.own(toy, 2_000, { inputs, onValid: ({ state }) => (last = state) })
    expect(last?.totals).toEqual(
      new Map([
        ['a', 1],
        ['b', 1],
      ]),
    )
  })

  test('a forged entry that continues the run is found by its chain', async () => {
    const world = new World()
    await world.own(toy, 2_000)
    const { entry, offset } = (await world.entries()).at(-1)!
    const forged: Entry = { ...entry, prev: offset, owner: 'nobody', chain: 'f'.repeat(64) as Hash, stateHash: null }
    world.servers.land('log.toy', 0, [{ value: encodeEntry(forged) }])
    await expect(world.own(toy, 1_000)).rejects.toThrow('re-execution gives other chain')
  })
})

/** Counts every row twice: other code under the name of the old one. */
const miscounting: Processor<Toy> = {
  ...toy,
  step: (state, batch, time, caughtUp) => toy.step(state, [...batch, ...batch], time, caughtUp),
}
