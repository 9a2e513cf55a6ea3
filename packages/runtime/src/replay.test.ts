import type { Processor } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { verifyReplay } from './replay.ts'
import { World } from './test-world.ts'
import { type Toy, toyProcessor } from './toy-processor.ts'

const toy = toyProcessor('toy')

/** A run of twenty seconds with data and a snapshot at every fifth entry. */
async function ranFor20s(): Promise<World> {
  const world = new World()
  for (let ms = 0; ms < 20_000; ms += 700) world.simulation.after(ms, () => world.put(ms % 3 === 0 ? 'a' : 'b'))
  await world.own(toy, 20_000, { limits: { snapshotEntries: 5 } })
  return world
}

const verify = (world: World, processor: Processor<Toy> = toy, wanted?: bigint) =>
  world.done(verifyReplay({ log: world.log, processor, shard: 0, ...(wanted === undefined ? {} : { wanted }) }))

describe('verifying a replay', () => {
  test('starts at the oldest whole snapshot and finds every later entry equal', async () => {
    const world = await ranFor20s()
    const report = await verify(world)
    expect(report.from).toBeGreaterThan(0n)
    expect(report.entries).toBe(Number(report.to - report.from) - 1)
    expect(report.stateHashes).toBeGreaterThan(2)
    expect(report.outs).toBeGreaterThan(10)
    expect([report.mismatches, report.unreachable, report.voids]).toEqual([[], [], 0])
  })

  test('starts at the newest whole snapshot before the wanted entry, or at the beginning', async () => {
    const world = await ranFor20s()
    const { to } = await verify(world)
    expect((await verify(world, toy, 0n)).from).toBe(-1n)
    const late = await verify(world, toy, to - 2n)
    expect(late.from).toBeGreaterThan(to - 10n)
    expect(late.from).toBeLessThan(to - 2n)
  })

  test('finds the first entry whose outs another code makes differently, and the state that follows from it', async () => {
    const world = await ranFor20s()
    const wrong: Processor<Toy> = {
      ...toy,
      step: (state, batch, time, caughtUp) =>
        toy.step(state, batch.length > 0 && state.taken === 10 ? [...batch, ...batch] : batch, time, caughtUp),
    }
    const { mismatches } = await verify(world, wrong, 0n)
    expect(mismatches[0]!.what).toBe('outs')
    expect(mismatches.slice(1).map(({ what }) => what)).toContain('state')
  })

  test('finds a state that is no function of the log although the outs are the same', async () => {
    const world = await ranFor20s()
    let clock = 0
    const impure: Processor<Toy> = {
      ...toy,
      step: (state, batch, time, caughtUp) => {
        const [next, outs] = toy.step(state, batch, time, caughtUp)
        return [
          { ...next, watermark: next.watermark + clock++ },
          outs.map((out) => ({ ...out, watermark: 0 }) as typeof out),
        ]
      },
    }
    expect((await verify(world, impure, 0n)).mismatches.map(({ what }) => what)).toContain('state')
  })

  test('says what it could not reach when inputs have expired, and goes on behind it', async () => {
    const world = await ranFor20s()
    world.servers.trim('in', 0, 12n)
    const report = await verify(world, toy, 0n)
    expect(report.unreachable).toHaveLength(1)
    expect(report.unreachable[0]!.why).toContain('in/0 no longer holds')
    expect(report.entries).toBeGreaterThan(5)
    expect(report.mismatches).toEqual([])
    const { from, to } = report.unreachable[0]!
    expect(report.entries + Number(to - from)).toBe(Number(report.to))
  })

  test('never calls equal what it has not seen: an expired log without a snapshot is unreachable', async () => {
    const world = await ranFor20s()
    world.servers.trim('log.toy', 0, 3n)
    world.servers.trim('snapshots', 0, 10_000n)
    const report = await verify(world)
    expect(report.entries).toBe(0)
    expect(report.unreachable).toEqual([{ from: 3n, to: report.to, why: expect.stringContaining('no whole snapshot') }])
  })
})
