import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Clock, systemClock } from './clock.ts'
import { eventLogConformance } from './conformance.ts'
import { openSqliteLog } from './sqlite-log.ts'

/** A real clock that can be moved ahead, to let retention pass. */
function movable(): Clock & { ahead: number } {
  const clock = {
    ...systemClock,
    ahead: 0,
    now: () => Date.now() + clock.ahead,
    monotonic: () => performance.now() + clock.ahead,
  }
  return clock
}

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-log-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

eventLogConformance('the SQLite log', async () => {
  const { folder, remove } = temporary()
  const clock = movable()
  const log = openSqliteLog({ folder, clock })
  const other = openSqliteLog({ folder, clock })
  return {
    log,
    other,
    trimHead: async (topic, partition) => {
      clock.ahead += 3_600_000
      await log.append(topic, partition, { value: new Uint8Array(1) })
    },
    close: async () => {
      await log.close()
      await other.close()
      remove()
    },
  }
})

test('append times never go back when the clock of the machine does', async () => {
  const { folder, remove } = temporary()
  const clock = movable()
  const log = openSqliteLog({ folder, clock })
  await log.createTopic('events', { partitions: 1 })
  const first = await log.append('events', 0, { value: null })
  clock.ahead = -600_000
  const second = await log.append('events', 0, { value: null })
  expect(first).not.toBe('unknown')
  expect(second).toEqual({ offset: 1n, at: (first as { at: number }).at })
  await log.close()
  remove()
})

test('old tombstones leave a compacted topic, the keys that live stay', async () => {
  const { folder, remove } = temporary()
  const clock = movable()
  const log = openSqliteLog({ folder, clock })
  await log.createTopic('latest', { partitions: 1, compacted: true })
  const key = (name: string) => new TextEncoder().encode(name)
  await log.append('latest', 0, { key: key('ended'), value: null })
  await log.append('latest', 0, { key: key('lives'), value: key('x') })
  clock.ahead = 90_000_000
  await log.append('latest', 0, { key: key('new'), value: key('y') })
  const offsets: bigint[] = []
  for await (const { records } of log.read({ topic: 'latest', partition: 0, from: 0n, to: 3n })) {
    offsets.push(...records.map((record) => record.offset))
  }
  expect(offsets).toEqual([1n, 2n])
  await log.close()
  remove()
})
