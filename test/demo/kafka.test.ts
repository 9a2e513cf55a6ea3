/**
 * The demo with its services as processes on a real Kafka broker: the same story with the same summary as in one process.
 * What the summary says is recounted from the raw predictions of every partition, and every shard's log executed again.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Summary } from '@interlock/cli'
import type { Prediction } from '@interlock/contracts'
import { type EventLog, openKafkaLog } from '@interlock/runtime'
import { afterAll, expect, test } from 'vitest'
import { howToRun, ownBroker } from '../kafka/broker.ts'
import { freePort, interlock } from '../process/interlock.ts'

const broker = await ownBroker()
const folder = await mkdtemp(join(tmpdir(), 'interlock-demo-kafka-'))
afterAll(async () => {
  await broker?.remove()
  await rm(folder, { recursive: true, force: true })
})

const demoMs = 240_000
/** Panes of the example's policy. */
const paneMs = 1_000

const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

async function rowsOf(log: EventLog): Promise<readonly Prediction[]> {
  const rows: Prediction[] = []
  for (let partition = 0; partition < (await log.partitions('predictions')); partition++) {
    const { begin, end } = await log.bounds('predictions', partition)
    for await (const batch of log.read({ topic: 'predictions', partition, from: begin, to: end })) {
      for (const { value } of batch.records) {
        rows.push(...(JSON.parse(Buffer.from(value ?? []).toString('utf8')) as { records: Prediction[] }).records)
      }
    }
  }
  return rows
}

test('a real Kafka is there, or nothing says that it must be', () => {
  if (broker === null) expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
})

test.runIf(broker !== null)(
  '--kafka --fault unit: v2 is rolled back and verified by services that are processes',
  async () => {
    const address = broker?.address as string
    const data = join(folder, 'demo')
    const port = String(await freePort())
    const ran = await interlock(['--json', '--data', data, 'demo', '--kafka', address, '--port', port], {
      withinMs: demoMs,
    })
    const events = linesOf(ran.stdout)
    const summary = events.at(-1) as unknown as Summary
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    expect(summary).toMatchObject({
      ...{ event: 'summary', fault: 'unit', rolledBack: true, promoted: false, falseAlarms: 0, deadLetters: 0 },
      ...{ fromVersion: 'flight-delay@v1', toVersion: 'flight-delay@v2', cause: expect.stringMatching(/distance/) },
    })
    const { onset, breachAt, issuedAt, appliedAt, verifiedAt } = summary
    const moments = [onset, breachAt, issuedAt, appliedAt, verifiedAt].map((at) => Date.parse(at ?? ''))
    expect(moments).toEqual(moments.toSorted((a, b) => a - b))
    const processes = events.find(({ event }) => event === 'processes')?.pids as Record<string, number>
    const names = ['agent', 'console', 'evaluator', 'governor', 'notifier', 'profiler']
    expect(Object.keys(processes).toSorted()).toEqual(names)
    expect(new Set(Object.values(processes)).size).toBe(6)
    for (const pid of Object.values(processes)) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)

    const log = openKafkaLog({ brokers: [address], clientId: 'recount' })
    const rows = await rowsOf(log)
    await log.close()
    const from = Math.floor(Date.parse(onset ?? '') / paneMs) * paneMs
    const bad = rows.filter(({ variant, eventTimeMs }) => variant === 'candidate' && eventTimeMs >= from)
    expect(bad.length).toBeGreaterThan(0)
    expect(summary.badPredictionsServed).toBe(bad.length)

    const again = await interlock(['--json', '--data', data, 'replay', '--verify'], { withinMs: 120_000 })
    const shards = { profiler: 4, evaluator: 4, governor: 4, fleet: 1 }
    const shown = linesOf(again.stdout).map(({ processor, shard, mismatches, unreachable }) => ({
      ...{ processor, shard, mismatches, unreachable },
    }))
    expect(shown).toEqual(
      Object.entries(shards).flatMap(([processor, count]) =>
        Array.from({ length: count }, (_, shard) => ({ processor, shard, mismatches: [], unreachable: [] })),
      ),
    )
    expect(again.code).toBe(0)
  },
  400_000,
)

test('without Java the demo on Kafka says what it needs, and how to do without', async () => {
  const data = join(folder, 'no-java')
  const ran = await interlock(['--data', data, 'demo', '--kafka', '--port', String(await freePort())], {
    env: { PATH: '/nowhere' },
    withinMs: demoMs,
  })
  expect([ran.code, ran.stderr]).toEqual([
    3,
    expect.stringMatching(/needs Java 17 or later and.*Maven.*there is no java on the path.*leave --kafka out/),
  ])
}, 120_000)
