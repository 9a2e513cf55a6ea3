import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { decodeOut } from '@interlock/contracts'
import { expect, onTestFinished, test } from 'vitest'
import { verifyReplay } from './replay.ts'
import { validEntries } from './shard-reader.ts'
import { openSqliteLog } from './sqlite-log.ts'
import { toyProcessor } from './toy-processor.ts'

const child = fileURLToPath(new URL('./kill-nine-child.ts', import.meta.url))

/** How many bytes a process may write into any file: none is a full disk to it, and to it alone. */
function allow(pid: number, bytes: '0' | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`])
}

test('a full disk: appends are refused, the service says why and lives, and goes on when there is space: nothing lost or doubled', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-full-'))
  const log = openSqliteLog({ folder })
  for (const topic of ['in', 'log.first', 'log.second']) await log.createTopic(topic, { partitions: 1 })
  await log.createTopic('snapshots', { partitions: 1, compacted: true })
  const owner = spawn(process.execPath, [child, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    owner.kill('SIGKILL')
  })
  let said = ''
  owner.stdout.on('data', (text: Buffer) => {
    said += text.toString()
  })
  const produce = (key: string) =>
    log.appendMany(
      'in',
      0,
      Array.from({ length: 50 }, () => ({ value: Buffer.from(key) })),
    )
  const sums = async (topic: string): Promise<Record<string, number>> => {
    const found: Record<string, number> = {}
    for await (const { entry } of validEntries(log, { topic, partition: 0 }, -1n, (await log.bounds(topic, 0)).end)) {
      for (const out of entry.outs.map(decodeOut)) {
        if (out.kind !== 'progress') continue
        for (const [key, n] of Object.entries(out.dead)) found[key] = (found[key] ?? 0) + n
      }
    }
    return found
  }
  const eventually = (topic: string) => expect.poll(() => sums(topic), { timeout: 20_000, interval: 50 })

  await produce('before')
  await eventually('log.second').toEqual({ before: 50 })
  allow(owner.pid!, '0')
  await expect.poll(() => said, { timeout: 20_000 }).toContain('the disk takes nothing more')
  const { end } = await log.bounds('log.first', 0)
  await produce('meanwhile')
  await sleep(500)
  expect((await log.bounds('log.first', 0)).end).toBe(end)
  expect(owner.exitCode).toBe(null)

  allow(owner.pid!, 'unlimited')
  await produce('after')
  await eventually('log.second').toEqual({ before: 50, meanwhile: 50, after: 50 })
  expect(await sums('log.first')).toEqual({ before: 50, meanwhile: 50, after: 50 })
  owner.kill('SIGTERM')
  expect((await once(owner, 'exit'))[0]).toBe(0)
  for (const name of ['first', 'second']) {
    const report = await verifyReplay({ log, processor: toyProcessor(name), shard: 0, wanted: 0n })
    expect([report.mismatches, report.unreachable]).toEqual([[], []])
  }
  await log.close()
  rmSync(folder, { recursive: true, force: true })
})
