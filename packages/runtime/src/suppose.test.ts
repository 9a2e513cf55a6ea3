import type { InputSource, Processor } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { runShard } from './shard.ts'
import { supposableSpan } from './supposable.ts'
import { type SupposedShard, type Supposition, suppose } from './suppose.ts'
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

const shardsOf = (first: Processor<Toy>): readonly SupposedShard[] =>
  [first, second].map((processor) => ({ shard: 0, processor: processor as Processor<unknown> }))

const supposed = (
  world: World,
  first: Processor<Toy>,
  since?: number,
  shards = shardsOf(first),
): Promise<readonly Supposition[]> => {
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

test('a record reaches back to where every shard has a place to start: its beginning, or a snapshot whose inputs are held', async () => {
  const world = await ranFor20s()
  const span = () => world.done(supposableSpan({ log: world.log, shards: shardsOf(toy) }))
  const whole = await span()
  expect(whole).toEqual({ from: 0, to: (await world.entries('log.second')).at(-1)?.at })
  world.servers.trim('in', 0, 8n)
  const rest = await span()
  expect(rest?.from).toBeGreaterThan(0)
  const all = await supposed(world, toy, rest?.from)
  expect(all.length).toBeGreaterThan(5)
  expect(all.filter(({ isSame }) => !isSame)).toEqual([])
  world.servers.trim('snapshots', 0, world.servers.partition('snapshots', 0).end)
  await expect(world.done(supposableSpan({ log: world.log, shards: shardsOf(toy) }))).rejects.toThrow(
    'log.toy/0: the log begins at 0, and no whole snapshot stands where its inputs are still held',
  )
})

test('what is supposed can go back to the record before a step, which is then made over what was recorded', async () => {
  const world = await ranFor20s()
  let steps = 0
  const asked: (readonly [supposed: number, before: number, after: number])[] = []
  const taken = (state: unknown): number => (state as Toy).taken
  // Every fifth step begins from the record.
  const rejoin = (state: unknown, before: unknown, after: unknown): unknown => {
    asked.push([taken(state), taken(before), taken(after)])
    return ++steps % 5 === 0 ? before : null
  }
  const [first, other] = shardsOf(doubling) as [SupposedShard, SupposedShard]
  const record = { processor: toy as Processor<unknown>, rejoin }
  const all = await supposed(world, doubling, undefined, [{ ...first, record }, other])
  const last = asked.at(-1) as (typeof asked)[number]
  expect(last[1]).toBeGreaterThan(20)
  // Never twice of everything: it was put back to the record on the way.
  expect(last[0]).toBeGreaterThan(last[1])
  expect(last[0]).toBeLessThan(2 * last[1])
  expect(all.filter(({ processor }) => processor === 'toy').length).toBe(asked.length)
})
