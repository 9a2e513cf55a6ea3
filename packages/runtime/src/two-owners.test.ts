import { type AnyOut, decodeOut } from '@interlock/contracts'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { runHost } from './host.ts'
import { staticMembership } from './membership.ts'
import { type Random, seededRandom } from './random.ts'
import { verifyReplay } from './replay.ts'
import { validEntries } from './shard-reader.ts'
import { type AppendFate, SimulatedLog } from './simulated-log.ts'
import { Simulation } from './simulation.ts'
import { toyProcessor } from './toy-processor.ts'

/**
 * Two owners of the same shards, one paused and woken again and again, over a log whose appends land late, twice, never,
 * and do not say so. Invariant S1: one valid run, and every input is in it once. That the check of `prev` is what makes it so is
 * shown by test/simulation: without it (bugs.ts "ignore prev") the simulation fails within seconds.
 */

const first = toyProcessor('first')
const second = toyProcessor('second')
const keys = ['a', 'b', 'c', 'd', 'e']
const runMs = 120_000
const settleMs = 60_000

function fateOf(random: Random): AppendFate {
  const ms = 1 + random() * 20
  const dice = random()
  if (dice < 0.75) return { landAfterMs: [ms], answerAfterMs: ms + 1, answer: 'position' }
  if (dice < 0.8) return { landAfterMs: [ms], answerAfterMs: ms + 1, answer: 'unknown' }
  if (dice < 0.85) return { landAfterMs: [], answerAfterMs: ms, answer: 'unknown' }
  if (dice < 0.9) return { landAfterMs: [ms + random() * 15_000], answerAfterMs: ms, answer: 'unknown' }
  if (dice < 0.95) return { landAfterMs: [ms, ms + random() * 3_000], answerAfterMs: ms + 1, answer: 'position' }
  // The answer comes after our own deadline, or long after.
  return { landAfterMs: [ms], answerAfterMs: 3_000 + random() * 20_000, answer: 'position' }
}

interface Outcome {
  readonly input: ReadonlyMap<string, number>
  /** Sums of all valid outs, as a reader of the shard log sees them. */
  readonly first: ReadonlyMap<string, number>
  readonly second: ReadonlyMap<string, number>
  /** How often the valid run takes each input offset. */
  readonly takenOnce: boolean
  readonly voids: number
  readonly owners: number
  readonly mismatches: number
  /** Shards that stopped, and why. */
  readonly failures: readonly string[]
}

async function run(seed: number): Promise<Outcome> {
  const random = seededRandom(seed)
  const simulation = new Simulation()
  const servers = new SimulatedLog(simulation)
  servers.create('in', { partitions: 1 })
  servers.create('log.first', { partitions: 1 })
  servers.create('log.second', { partitions: 1 })
  servers.create('snapshots', { partitions: 1, compacted: true })
  servers.faults = { latencyMs: () => random() * 5, fate: () => fateOf(random) }

  const input = new Map<string, number>()
  const produce = () => {
    const key = keys[Math.floor(random() * keys.length)]!
    input.set(key, (input.get(key) ?? 0) + 1)
    servers.land('in', 0, [{ value: Buffer.from(key) }])
    if (simulation.now < 1_000_000 + runMs) simulation.after(random() * 400, produce)
  }
  produce()
  const compact = () => {
    servers.compact('snapshots', 0)
    simulation.after(10_000, compact)
  }
  compact()

  const stop = new AbortController()
  const owners = ['one', 'two'].map((name) => {
    const process = simulation.process(name)
    const chance = seededRandom(Math.floor(random() * 2 ** 31))
    let count = 0
    const common = {
      log: servers.handle(process),
      clock: process.clock,
      build: 'test',
      newOwner: () => `${name}-${count++}`,
      logger: pino({ level: 'silent' }),
      membership: staticMembership([0]),
      random: chance,
      limits: { snapshotEntries: 15 },
    }
    const hosts = [
      runHost(
        { ...common, processor: first, inputs: () => [{ kind: 'topic', topic: 'in', partition: 0 }] },
        stop.signal,
      ),
      runHost(
        { ...common, processor: second, inputs: () => [{ kind: 'log', topic: 'log.first', partition: 0 }] },
        stop.signal,
      ),
    ]
    return { process, ended: Promise.all(hosts) }
  })
  const napping = owners[0]!.process
  const nap = () => {
    napping.pause()
    simulation.after(random() * 20_000, () => {
      napping.resume()
      if (simulation.now < 1_000_000 + runMs) simulation.after(random() * 20_000, nap)
    })
  }
  simulation.after(random() * 5_000, nap)

  const observer = simulation.process('observer')
  const failures: string[] = []
  for (const { ended } of owners) ended.catch((error: Error) => failures.push(error.message))
  await simulation.run(observer.clock.sleep(runMs), runMs + 1)
  servers.stopFaults()
  napping.resume()
  await simulation.run(observer.clock.sleep(settleMs), settleMs + 1)
  stop.abort()
  await simulation.run(Promise.allSettled(owners.map(({ ended }) => ended)), settleMs)

  const log = servers.handle(observer)
  const read = async (topic: string) => {
    const { end } = servers.partition(topic, 0)
    const sums = new Map<string, number>()
    const names = new Set<string>()
    let voids = Number(end)
    let position = 0n
    let inOrder = true
    for await (const { entry } of validEntries(log, { topic, partition: 0 }, -1n, end)) {
      voids -= 1
      names.add(entry.owner)
      const [took] = entry.took
      inOrder &&= took!.from === position
      position = took!.to
      for (const out of entry.outs) addTo(sums, decodeOut(out))
    }
    return { sums, voids, names, position, inOrder }
  }
  const ofFirst = await simulation.run(read('log.first'), settleMs)
  const ofSecond = await simulation.run(read('log.second'), settleMs)
  const replays = [
    await simulation.run(verifyReplay({ log, processor: first, shard: 0, wanted: 0n }), settleMs),
    await simulation.run(verifyReplay({ log, processor: second, shard: 0 }), settleMs),
  ]
  return {
    input,
    first: ofFirst.sums,
    second: ofSecond.sums,
    takenOnce: ofFirst.inOrder && ofSecond.inOrder && ofFirst.position === servers.partition('in', 0).end,
    voids: ofFirst.voids + ofSecond.voids,
    owners: ofFirst.names.size + ofSecond.names.size,
    mismatches: replays.reduce((sum, { mismatches }) => sum + mismatches.length, 0),
    failures,
  }
}

function addTo(sums: Map<string, number>, out: AnyOut): void {
  if (out.kind !== 'progress') return
  for (const [key, n] of Object.entries(out.dead)) sums.set(key, (sums.get(key) ?? 0) + n)
}

/** The oracle knows the input only. */
function expectOracle({ input, first, second, takenOnce, mismatches, failures }: Outcome): void {
  expect(failures).toEqual([])
  const recount = Object.fromEntries([...input].sort())
  expect(Object.fromEntries([...first].sort())).toEqual(recount)
  expect(Object.fromEntries([...second].sort())).toEqual(recount)
  expect(takenOnce).toBe(true)
  expect(mismatches).toBe(0)
}

describe('two owners of one shard, one of them paused and woken, with unknown, late, lost and doubled appends', () => {
  const seeds = Array.from({ length: 6 }, (_, index) => 1_000 + index)

  test.each(seeds)('seed %i: one valid run, every input in it once, all of it replays', async (seed) => {
    const outcome = await run(seed)
    expectOracle(outcome)
    // The run was a contest, not a walk.
    expect(outcome.voids).toBeGreaterThan(0)
    expect(outcome.owners).toBeGreaterThan(2)
  })

  test('a seed replays identically', async () => {
    expect(await run(seeds[0]!)).toEqual(await run(seeds[0]!))
  })
})
