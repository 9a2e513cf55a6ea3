import type { InputSource, Processor } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { runShard } from './shard.ts'
import { type Supposition, suppose } from './suppose.ts'
import { collected, World } from './test-world.ts'
import { type Toy, toyProcessor } from './toy-processor.ts'

const toy = toyProcessor('toy')
const second = toyProcessor('second')
const ofToy: readonly InputSource[] = [{ kind: 'log', topic: 'log.toy', partition: 0 }]

/** Twenty seconds of `toy` counting records and `second` counting what `toy` put out, with snapshots. */
async function ranFor20s(): Promise<World> {
  const world = new World('log.second')
  for (let ms = 0; ms < 20_000; ms += 700) world.simulation.after(ms, () => world.put(ms % 3 === 0 ? 'a' : 'b'))
  const stop = new AbortController()
  const limits = { snapshotEntries: 5 }
  const both = [
    runShard(world.options(toy, { limits }), stop.signal),
    runShard(world.options(second, { limits, inputs: ofToy }), stop.signal),
  ]
  world.simulation.after(20_000, () => stop.abort())
  await world.done(Promise.all(both))
  return world
}

const supposed = (world: World, first: Processor<Toy>, since?: number): Promise<readonly Supposition[]> => {
  const shards = [first, second].map((processor) => ({ shard: 0, processor: processor as Processor<unknown> }))
  return world.done(collected(suppose({ log: world.log, shards, ...(since === undefined ? {} : { since }) })))
}

/** Counts every record twice. */
const doubling: Processor<Toy> = {
  ...toy,
  step: (state, batch, time, caughtUp) => toy.step(state, [...batch, ...batch], time, caughtUp),
}

const total = (all: readonly Supposition[], name: string, of: 'recorded' | 'supposed'): number =>
  all
    .filter(({ processor }) => processor === name)
    .flatMap((one) => one[of])
    .reduce((sum, out) => sum + (out.kind === 'progress' ? out.taken : 0), 0)

test('equal code gives equal bytes at every entry of every shard', async () => {
  const all = await supposed(await ranFor20s(), toy)
  expect(all.filter(({ processor }) => processor === 'toy').length).toBeGreaterThan(20)
  expect(all.filter(({ processor }) => processor === 'second').length).toBeGreaterThan(20)
  expect(all.filter(({ isSame }) => !isSame)).toEqual([])
  expect(total(all, 'second', 'recorded')).toBeGreaterThan(20)
})

test('other code of one shard reaches the shards that read it', async () => {
  const all = await supposed(await ranFor20s(), doubling)
  expect(total(all, 'toy', 'supposed')).toBe(2 * total(all, 'toy', 'recorded'))
  expect(total(all, 'second', 'supposed')).toBe(2 * total(all, 'second', 'recorded'))
})

test('before a time everything stays as it is recorded', async () => {
  const world = await ranFor20s()
  const half = world.simulation.now - 10_000
  const all = await supposed(world, doubling, half)
  expect(all.length).toBeGreaterThan(10)
  const whole = await supposed(world, doubling)
  expect(all.length).toBeLessThan(whole.length)
  const late = total(all, 'second', 'supposed') - total(all, 'second', 'recorded')
  expect(late).toBeGreaterThan(0)
  expect(late).toBeLessThan(total(whole, 'second', 'recorded'))
})

test('a log whose head has expired starts at its oldest snapshot', async () => {
  const world = await ranFor20s()
  world.servers.trim('log.toy', 0, 12n)
  world.servers.trim('log.second', 0, 12n)
  const all = await supposed(world, toy)
  expect(all[0]?.offset).toBeGreaterThanOrEqual(12n)
  expect(all.filter(({ isSame }) => !isSame)).toEqual([])
})
