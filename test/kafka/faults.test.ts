/** What happens to processes and broker must not be seen in what is counted (docs/reliability.md F1, F2). */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { decodeOut } from '@interlock/contracts'
import { type EventLog, openKafkaLog, seededRandom, validEntries, verifyReplay } from '@interlock/runtime'
import { afterAll, expect, test } from 'vitest'
import { toyProcessor } from '../../packages/runtime/src/toy-processor.ts'
import { howToRun, newPrefix, ownBroker } from './broker.ts'
import { type SwallowingProxy, swallowingProxy } from './proxy.ts'
import { writeAndFollow } from './written-and-followed.ts'

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))
const kills = Number(process.env.KILLS ?? 4)
const freezes = Number(process.env.FREEZES ?? 1)
const restarts = Number(process.env.RESTARTS ?? 1)
const child = fileURLToPath(new URL('./owner-child.ts', import.meta.url))
let proxy: SwallowingProxy | null = null
const broker = await ownBroker({
  advertise: async (port) => {
    proxy = await swallowingProxy(port)
    return proxy.port
  },
})
afterAll(async () => {
  await broker?.remove()
  await proxy?.close()
})

if (broker === null) {
  test('Kafka could not be run', () => {
    expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
  })
} else {
  const open = (prefix: string) => openKafkaLog({ brokers: [broker.address], clientId: 'interlock-test', prefix })

  test(`two owners of one shard, ${kills} kills and ${freezes} freezes at random moments: totals equal a recount (seed ${seed})`, async () => {
    const random = seededRandom(seed)
    const prefix = newPrefix()
    const log = open(prefix)
    for (const topic of ['in', 'log.first', 'log.second']) await log.createTopic(topic, { partitions: 1 })
    await log.createTopic('snapshots', { partitions: 1, compacted: true })
    const errors: string[] = []
    const ready = new Map<ChildProcess, Promise<unknown>>()
    const start = (): ChildProcess => {
      const started = spawn(process.execPath, [child, broker.address, prefix], { stdio: ['ignore', 'pipe', 'pipe'] })
      started.stderr!.on('data', (text: Buffer) => errors.push(text.toString()))
      ready.set(started, once(started.stdout!, 'data'))
      return started
    }
    const recount = new Map<string, number>()
    const produceFor = async (ms: number) => {
      for (const until = performance.now() + ms; performance.now() < until; await sleep(random() * 10)) {
        const batch = Array.from({ length: 1 + Math.floor(random() * 30) }, () => 'abcdef'[Math.floor(random() * 6)]!)
        const records = batch.map((key) => ({ value: Buffer.from(key) }))
        expect(await log.appendMany('in', 0, records)).not.toBe('unknown')
        for (const key of batch) recount.set(key, (recount.get(key) ?? 0) + 1)
      }
    }
    const living = [start(), start()]
    const faults = [...Array<string>(kills).fill('kill'), ...Array<string>(freezes).fill('freeze')]
    faults.sort(() => random() - 0.5)
    for (const fault of faults) {
      // A process that died before it wrote anything would prove nothing: wait for an entry, then a random moment.
      await log.wait('log.first', 0, (await log.bounds('log.first', 0)).end, 5_000)
      await produceFor(random() * 300)
      // Who has just written: to hit the one that waits would prove nothing.
      const owner = await lastOwner(log, 'log.first')
      const index = Math.max(
        0,
        living.findIndex(({ pid }) => pid === owner),
      )
      if (fault === 'kill') {
        living[index]!.kill('SIGKILL')
        living[index] = start()
      } else {
        living[index]!.kill('SIGSTOP')
        await produceFor(500 + random() * 1_500)
        living[index]!.kill('SIGCONT')
      }
    }
    const expected = Object.fromEntries([...recount].sort())
    await expect
      .poll(async () => (await sums(log, 'log.second')).found, { timeout: 20_000, interval: 200 })
      .toEqual(expected)
    const first = await sums(log, 'log.first')
    expect(first.found).toEqual(expected)
    expect(first.owners).toBeGreaterThan(2)
    expect(first.voids).toBeGreaterThan(0)

    const events = Object.values(expected).reduce((a, b) => a + b, 0)
    console.info(
      `${kills} kills, ${freezes} freezes, ${events} events, ${first.owners} owners, ${first.voids} void entries`,
    )

    await Promise.all(living.map((one) => ready.get(one)))
    for (const one of living) one.kill('SIGTERM')
    const exits = living.map(async (one) => (one.exitCode === null ? (await once(one, 'exit'))[0] : one.exitCode))
    expect(await Promise.all(exits)).toEqual([0, 0])
    expect(errors.filter((text) => !/ExperimentalWarning|TimeoutNegativeWarning/.test(text))).toEqual([])
    for (const name of ['first', 'second']) {
      for (const wanted of [undefined, 0n]) {
        const options = { log, processor: toyProcessor(name), shard: 0 }
        const report = await verifyReplay(wanted === undefined ? options : { ...options, wanted })
        expect(report.mismatches).toEqual([])
        expect(report.unreachable).toEqual([])
        expect(report.stateHashes).toBeGreaterThan(0)
      }
    }
    await log.close()
  })

  test('an append whose answer was lost is told its place all the same, and lies in the log once', async () => {
    const log = open(newPrefix())
    await log.createTopic('events', { partitions: 1 })
    const before = proxy!.swallowed
    for (let n = 0; n < 12; n++) {
      // Every second one loses its answer, every sixth two in a row.
      proxy!.swallow(n % 2 === 0 ? 0 : n % 6 === 1 ? 2 : 1)
      const [first, second] = [`${n}a`, `${n}b`].map((text) => ({ value: Buffer.from(text) }))
      expect(await log.appendMany('events', 0, [first!, second!])).toMatchObject({ offset: BigInt(n * 2) })
    }
    expect(proxy!.swallowed - before).toBe(8)
    expect((await log.bounds('events', 0)).end).toBe(24n)
    await log.close()
  })

  test('who is left of a group goes on where a killed owner stopped', async () => {
    const prefix = newPrefix()
    const log = open(prefix)
    for (const topic of ['in', 'log.first', 'log.second']) await log.createTopic(topic, { partitions: 1 })
    await log.createTopic('snapshots', { partitions: 1, compacted: true })
    const start = () => spawn(process.execPath, [child, broker.address, prefix, 'group'], { stdio: 'inherit' })
    const within = { timeout: 30_000, interval: 50 }
    const members = [start(), start()]
    await log.appendMany(
      'in',
      0,
      ['a', 'b', 'a'].map((key) => ({ value: Buffer.from(key) })),
    )
    await expect.poll(async () => (await sums(log, 'log.second')).found, within).toEqual({ a: 2, b: 1 })
    await sleep(1_500) // both have joined, and whoever came second may have been given the shard
    const owner = await lastOwner(log, 'log.second')
    members.find(({ pid }) => pid === owner)!.kill('SIGKILL')
    const killedAt = performance.now()
    await log.append('in', 0, { value: Buffer.from('c') })
    await expect.poll(async () => (await sums(log, 'log.second')).found, within).toEqual({ a: 2, b: 1, c: 1 })
    console.info(`goes on ${Math.round(performance.now() - killedAt)} ms after kill -9`)
    const left = members.find(({ pid }) => pid !== owner)!
    expect(await lastOwner(log, 'log.second')).toBe(left.pid)
    left.kill('SIGTERM')
    expect(await once(left, 'exit')).toEqual([0, null])
    await log.close()
  })

  test('a broker that is killed, started and frozen under reads and appends loses nothing that it acknowledged', async () => {
    const log = open(newPrefix())
    await log.createTopic('events', { partitions: 1 })
    const partition = writeAndFollow(log, 'events')
    await partition.goesOn()
    for (let restart = 0; restart < restarts; restart++) {
      await broker.kill()
      await sleep(300)
      await broker.start()
      await partition.goesOn()
    }
    broker.freeze()
    await sleep(5_500)
    broker.thaw()
    await partition.goesOn()
    const { acknowledged, unknown } = await partition.finish()
    // A broker that hangs longer than the deadline cannot but leave one open.
    expect(unknown).toBeGreaterThan(0)
    console.info(`${restarts} restarts, ${acknowledged} acknowledged, ${unknown} unknown, 0 lost`)
    await log.close()
  })
}

/** Process that wrote the last valid entry. */
async function lastOwner(log: EventLog, topic: string): Promise<number> {
  let pid = 0
  const { end } = await log.bounds(topic, 0)
  for await (const { entry } of validEntries(log, { topic, partition: 0 }, -1n, end)) {
    pid = Number(entry.owner.split(' ')[0])
  }
  return pid
}

async function sums(log: EventLog, topic: string) {
  const found = new Map<string, number>()
  const owners = new Set<string>()
  const { end } = await log.bounds(topic, 0)
  let valid = 0
  for await (const { entry } of validEntries(log, { topic, partition: 0 }, -1n, end)) {
    valid += 1
    owners.add(entry.owner)
    for (const out of entry.outs.map(decodeOut)) {
      if (out.kind !== 'progress') continue
      for (const [key, n] of Object.entries(out.dead)) found.set(key, (found.get(key) ?? 0) + n)
    }
  }
  return { found: Object.fromEntries([...found].sort()), voids: Number(end) - valid, owners: owners.size }
}
