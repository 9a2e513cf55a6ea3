import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Entry, Hash } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { Progress } from './heartbeat-progress.ts'
import { runHost } from './host.ts'
import { staticMembership } from './membership.ts'
import { runWatchdog, type WatchdogOptions } from './progress-watchdog.ts'
import { World } from './test-world.ts'
import { toyProcessor } from './toy-processor.ts'

function watched(given: Partial<WatchdogOptions> = {}) {
  const world = new World()
  const { clock } = world.observer
  const progress = new Progress(clock)
  const stop = new AbortController()
  let said = ''
  const ended = runWatchdog({ clock, progress, heapPart: () => 0.1, ...given }, stop.signal)
  ended.catch((error: Error) => {
    said = error.message
  })
  return { world, progress, said: () => said, stop: () => stop.abort() }
}

function move(progress: Progress, seq: bigint, prev = seq - 1n): void {
  const entry = { prev, caughtUp: true } as Entry
  progress.moved('toy', 0, { seq, at: 0, time: 7, chain: '' as Hash, positions: new Map() }, entry)
}

describe('the watchdog', () => {
  test('ends a process whose shard hangs, and not one that makes its empty entry each second', async () => {
    const { world, progress, said, stop } = watched()
    progress.assigned('toy', 0)
    for (let seq = 0n; seq < 60n; seq++) {
      move(progress, seq)
      await world.pass(1_000)
    }
    expect(said()).toBe('')
    await world.pass(20_000)
    expect(said()).toMatch(/^shard toy\/0 has made no valid entry for 1[567] s, although this process owns it/)
    stop()
  })

  test('leaves a shard alone that is being taken over or tried again: nothing hangs there', async () => {
    const { world, progress, said, stop } = watched()
    progress.assigned('toy', 0)
    await world.pass(60_000)
    move(progress, 3n)
    progress.left('toy', 0)
    await world.pass(60_000)
    expect(said()).toBe('')
    stop()
  })

  test('ends the process at the cap of the heap, and when pausing does not help; a peak is nothing', async () => {
    let heap = 0.95
    const peak = watched({ heapPart: () => heap })
    await peak.world.pass(1_500)
    heap = 0.3
    await peak.world.pass(5_000)
    expect(peak.said()).toBe('')
    heap = 0.91
    await peak.world.pass(3_000)
    expect(peak.said()).toMatch(/^91 % of the heap are in use, and at 85 % the process ends itself/)
    const full = watched({ heapPart: () => 0.75 })
    await full.world.pass(50_000)
    expect(full.said()).toBe('')
    await full.world.pass(15_000)
    expect(full.said()).toMatch(/^the heap has stood above 70 % for 6\d s although nothing was taken in/)
  })
})

describe('progress', () => {
  test('says of each shard of a host how far it is, counts void entries, and forgets what was given away', async () => {
    const world = new World()
    const { shard: _, inputs, ...options } = world.options(toyProcessor('toy'))
    const progress = new Progress(options.clock)
    const stop = new AbortController()
    const membership = staticMembership([0])
    const ended = runHost({ ...options, inputs: () => inputs, membership, random: () => 0.5, progress }, stop.signal)
    await world.pass(3_500)
    world.servers.land('log.toy', 0, [{ value: (await world.entries())[0]!.bytes }])
    await world.pass(3_500)
    const entries = await world.entries()
    const [shard] = progress.list()
    expect(shard).toMatchObject({ processor: 'toy', shard: 0, owned: true, seq: Number(entries.at(-1)!.offset) })
    expect(shard).toMatchObject({ voids: 1, behind: 0 })
    expect(shard!.ageMs).toBeLessThan(1_100)
    stop.abort()
    await world.done(ended)
    expect(progress.list()).toEqual([])
  })

  test('under memory pressure entries take nothing and time goes on; what was left is taken afterwards', async () => {
    const world = new World()
    const processor = toyProcessor('toy')
    let mayTake = true
    const { shard: _, inputs, ...options } = world.options(processor)
    const stop = new AbortController()
    const host = { ...options, inputs: () => inputs, membership: staticMembership([0]), random: () => 0.5 }
    const ended = runHost({ ...host, mayTake: () => mayTake }, stop.signal)
    const taken = async () =>
      (await world.entries()).reduce((sum, { entry }) => sum + Number(entry.took[0]!.to - entry.took[0]!.from), 0)
    world.put('a')
    await world.pass(2_500)
    expect(await taken()).toBe(1)
    mayTake = false
    await world.pass(2_000)
    world.put('b', 'c')
    const before = (await world.entries()).length
    await world.pass(5_000)
    expect((await world.entries()).length).toBeGreaterThanOrEqual(before + 4)
    expect(await taken()).toBe(1)
    expect((await world.entries()).at(-1)!.entry.caughtUp).toBe(false)
    mayTake = true
    await world.pass(3_000)
    expect(await taken()).toBe(3)
    stop.abort()
    await world.done(ended)
  })
})

describe.concurrent('a real process', () => {
  const run = async (what: string, flags: readonly string[] = [], onReady: (pid: number) => void = () => {}) => {
    const child = spawn(process.execPath, [...flags, join(import.meta.dirname, 'progress-watchdog-child.ts'), what], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.stdout.once('data', () => onReady(child.pid!))
    const [code, signal] = await new Promise<[number | null, string | null]>((done) =>
      child.on('close', (...how) => done(how)),
    )
    return { code, signal, stderr }
  }

  test('whose event loop stands still is ended with a sentence', async ({ expect }) => {
    const { signal, stderr } = await run('hang')
    expect(stderr).toMatch(/^the event loop has stood still for \d+ ms/)
    expect(signal).toBe('SIGKILL')
  })

  test('that was frozen for longer than an event loop may stand still goes on', async () => {
    const { code, stderr } = await run('live', [], (pid) => {
      setTimeout(() => process.kill(pid, 'SIGSTOP'), 1_000)
      setTimeout(() => process.kill(pid, 'SIGCONT'), 4_000)
    })
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  test('whose memory runs full ends itself at the cap, with a sentence and not by a crash', async () => {
    const { code, stderr } = await run('eat', ['--max-old-space-size=64'])
    expect(stderr).toMatch(/^[89]\d % of the heap are in use, and at 85 % the process ends itself/)
    expect(code).toBe(3)
  })
})
