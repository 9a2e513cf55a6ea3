import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { decodeOut } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { seededRandom } from './random.ts'
import { verifyReplay } from './replay.ts'
import { validEntries } from './shard-reader.ts'
import { openSqliteLog } from './sqlite-log.ts'
import { toyProcessor } from './toy-processor.ts'

const child = fileURLToPath(new URL('./kill-nine-child.ts', import.meta.url))
const kills = 12
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))

test(`owners killed with kill -9 at ${kills} random moments (seed ${seed}): totals equal a recount`, async () => {
  const random = seededRandom(seed)
  const folder = mkdtempSync(join(tmpdir(), 'interlock-kill-'))
  const log = openSqliteLog({ folder })
  for (const topic of ['in', 'log.first', 'log.second']) await log.createTopic(topic, { partitions: 1 })
  await log.createTopic('snapshots', { partitions: 1, compacted: true })

  const errors: string[] = []
  const ready = new Map<ChildProcess, Promise<unknown>>()
  const start = (): ChildProcess => {
    const started = spawn(process.execPath, [child, folder], { stdio: ['ignore', 'pipe', 'pipe'] })
    started.stderr!.on('data', (text: Buffer) => errors.push(text.toString()))
    ready.set(started, once(started.stdout!, 'data'))
    return started
  }
  const recount = new Map<string, number>()
  const produce = async () => {
    const batch = Array.from({ length: 1 + Math.floor(random() * 30) }, () => 'abcdef'[Math.floor(random() * 6)]!)
    await log.appendMany(
      'in',
      0,
      batch.map((key) => ({ value: Buffer.from(key) })),
    )
    for (const key of batch) recount.set(key, (recount.get(key) ?? 0) + 1)
  }

  // Two live owners most of the time: one is killed and replaced while the other goes on.
  const living = [start(), start()]
  for (let kill = 0; kill < kills; kill++) {
    const before = (await log.bounds('log.first', 0)).end
    // A process that died before it wrote anything would prove nothing: wait for a first entry, then a random moment.
    await log.wait('log.first', 0, before, 5_000)
    for (const until = performance.now() + random() * 300; performance.now() < until; await sleep(random() * 10))
      await produce()
    const index = Math.floor(random() * living.length)
    living[index]!.kill('SIGKILL')
    living[index] = start()
  }

  const sums = async (topic: string) => {
    const found = new Map<string, number>()
    const { end } = await log.bounds(topic, 0)
    let valid = 0
    const owners = new Set<string>()
    for await (const { entry } of validEntries(log, { topic, partition: 0 }, -1n, end)) {
      valid += 1
      owners.add(entry.owner)
      for (const out of entry.outs.map(decodeOut)) {
        if (out.kind !== 'progress') continue
        for (const [key, n] of Object.entries(out.dead)) found.set(key, (found.get(key) ?? 0) + n)
      }
    }
    return { found, voids: Number(end) - valid, owners: owners.size }
  }
  const expected = Object.fromEntries([...recount].sort())
  const inOrder = ({ found }: Awaited<ReturnType<typeof sums>>) => Object.fromEntries([...found].sort())
  await expect.poll(async () => inOrder(await sums('log.second')), { timeout: 20_000, interval: 200 }).toEqual(expected)
  const first = await sums('log.first')
  expect(inOrder(first)).toEqual(expected)
  expect(first.owners).toBeGreaterThan(2)

  // SIGTERM before the child listens for it would only be another kill.
  await Promise.all(living.map((one) => ready.get(one)))
  for (const one of living) one.kill('SIGTERM')
  const exits = living.map(async (one) => (one.exitCode === null ? (await once(one, 'exit'))[0] : one.exitCode))
  expect(await Promise.all(exits)).toEqual([0, 0])
  expect(errors.filter((text) => !text.includes('ExperimentalWarning'))).toEqual([])
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
  rmSync(folder, { recursive: true, force: true })
})
