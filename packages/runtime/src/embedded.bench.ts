import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { systemClock } from './clock.ts'
import { runShard } from './shard.ts'
import { openSqliteLog } from './sqlite-log.ts'
import { toyProcessor } from './toy-processor.ts'

/**
 * What the embedded log and the shard protocol cost by themselves: `node packages/runtime/src/embedded.bench.ts`.
 * Prints one JSON line for each durability.
 */
const rows = 200_000
const batchRows = 500
const row = { value: Buffer.from('0123456789'.repeat(20)) }

for (const durability of ['power-loss', 'process-crash'] as const) {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-bench-'))
  const log = openSqliteLog({ folder, durability })
  for (const topic of ['in', 'log.toy']) await log.createTopic(topic, { partitions: 1 })
  await log.createTopic('snapshots', { partitions: 1, compacted: true })

  const batch = Array.from({ length: batchRows }, () => row)
  const appendMs = await timed(async () => {
    for (let done = 0; done < rows; done += batchRows) await log.appendMany('in', 0, batch)
  })
  const single: number[] = []
  for (let index = 0; index < 200; index++) single.push(await timed(() => log.append('in', 0, row)))
  const end = rows + single.length

  const stop = new AbortController()
  let entries = 0
  let taken = 0
  const takeMs = await timed(() =>
    runShard(
      {
        log,
        clock: systemClock,
        processor: toyProcessor('toy'),
        shard: 0,
        inputs: [{ kind: 'topic', topic: 'in', partition: 0 }],
        build: 'bench',
        newOwner: randomUUID,
        logger: pino({ level: 'silent' }),
        onValid: (point) => {
          entries += 1
          taken = point.state.taken
          if (taken === end) stop.abort()
        },
      },
      stop.signal,
    ),
  )
  single.sort((a, b) => a - b)
  const report = {
    durability,
    rowBytes: row.value.length,
    appendRowsPerSecond: Math.round((rows / appendMs) * 1000),
    appendOneMs: { p50: round(single[100]!), p99: round(single[197]!) },
    shardRowsPerSecond: Math.round((taken / takeMs) * 1000),
    entries,
    msPerEntry: round(takeMs / entries),
  }
  console.log(JSON.stringify(report))
  await log.close()
  rmSync(folder, { recursive: true, force: true })
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
