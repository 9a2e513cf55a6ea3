import type { Processor } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { runHost } from './host.ts'
import { type Membership, staticMembership } from './membership.ts'
import { World } from './test-world.ts'
import { type Toy, toyProcessor } from './toy-processor.ts'

const toy = toyProcessor('toy')

function host(world: World, membership: Membership, processor: Processor<Toy> = toy) {
  const stop = new AbortController()
  const { shard: _, inputs, ...options } = world.options(processor)
  const ended = runHost({ ...options, inputs: () => inputs, membership, random: () => 0.5 }, stop.signal)
  ended.catch(() => {})
  return { ended, stop: () => stop.abort() }
}

describe('a host', () => {
  test('runs the shards it is given and stops in order, with a snapshot', async () => {
    const world = new World()
    const { ended, stop } = host(world, staticMembership([0]))
    await world.pass(2_500)
    stop()
    await world.done(ended)
    expect((await world.entries()).at(-1)!.entry.stateHash).not.toBe(null)
    expect(world.servers.partition('snapshots', 0).records.length).toBeGreaterThan(0)
  })

  test('starts and stops shards as membership changes, also back and forth', async () => {
    const world = new World()
    let change: (owned: readonly number[]) => void = () => {}
    const { ended, stop } = host(world, {
      on: (listener) => {
        change = listener
        return () => {}
      },
    })
    const owners = async () => new Set((await world.entries()).map(({ entry }) => entry.owner)).size
    await world.pass(2_000)
    expect(await owners()).toBe(0)
    change([0])
    await world.pass(2_000)
    change([])
    change([0])
    await world.pass(2_000)
    expect(await owners()).toBe(2)
    change([])
    await world.pass(2_000)
    const count = (await world.entries()).length
    await world.pass(5_000)
    expect((await world.entries()).length).toBe(count)
    stop()
    await world.done(ended)
  })

  test('owns again after the log was away, and doubles its patience up to a bound', async () => {
    const world = new World()
    world.put('a')
    const { ended, stop } = host(world, staticMembership([0]))
    await world.pass(2_000)
    world.servers.faults = {
      latencyMs: () => 60_000,
      fate: () => ({ landAfterMs: [], answerAfterMs: 60_000, answer: 'unknown' }),
    }
    await world.pass(120_000)
    const before = (await world.entries()).length
    world.servers.stopFaults()
    await world.pass(70_000)
    expect((await world.entries()).length).toBeGreaterThan(before + 30)
    stop()
    await world.done(ended)
  })

  test('fails loudly when a step fails: the process shall end, not limp', async () => {
    const world = new World()
    const broken: Processor<Toy> = {
      ...toy,
      step: (state, batch, time, caughtUp) => {
        if (batch.length > 0) throw new Error('a bug of ours')
        return toy.step(state, batch, time, caughtUp)
      },
    }
    const { ended } = host(world, staticMembership([0]), broken)
    await world.pass(1_000)
    world.put('a')
    await expect(world.done(ended)).rejects.toThrow('a bug of ours')
  })
})
