/**
 * The demo itself, as a visitor starts it: three million flights, a router and traffic as processes. What its summary says is
 * recounted from the raw predictions, and its log is executed again.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Summary } from '@interlock/cli'
import type { Prediction } from '@interlock/contracts'
import { faultySource } from '@interlock/example-flights'
import { openSqliteLog } from '@interlock/runtime'
import { afterAll, describe, expect, test } from 'vitest'
import { freePort, interlock, type Ran } from '../process/interlock.ts'
import { deadLettersOf, recordsOf } from '../process/records.ts'

const demoMs = 170_000
const seed = Number(process.env.SEED ?? 1)
/** Panes of the example's policy. */
const paneMs = 1_000
const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

interface Played {
  readonly ran: Ran
  readonly data: string
  readonly port: number
  readonly events: readonly Record<string, unknown>[]
  readonly summary: Summary
}

async function play(fault: string): Promise<Played> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-demo-'))
  folders.push(folder)
  const data = join(folder, 'demo')
  const port = await freePort()
  const ran = await interlock(
    ['--json', '--data', data, 'demo', '--fault', fault, '--port', String(port), '--seed', String(seed)],
    { withinMs: demoMs },
  )
  const events = ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { ran, data, port, events, summary: events.at(-1) as unknown as Summary }
}

/** Rows that the summary speaks of, read as plain JSON: the profiler takes the topic in order. */
async function rowsBehind({ data, summary }: Played): Promise<readonly Prediction[]> {
  const log = openSqliteLog({ folder: join(data, 'log') })
  try {
    const rows = (await recordsOf(log, 'predictions')).flatMap(({ offset, value }) => {
      const { records } = JSON.parse(Buffer.from(value ?? []).toString('utf8')) as { records: Prediction[] }
      return records.map((row) => ({ ...row, offset }))
    })
    const from = paneOf(summary)
    const sinceOnset = rows.find(({ eventTimeMs }) => eventTimeMs >= from)
    const dead = (await deadLettersOf(log)).filter(
      ({ topic, offset }) => topic === 'predictions' && offset >= (sinceOnset?.offset ?? 0n),
    )
    expect(dead).toEqual([])
    return rows.slice(0, summary.eventsProcessed)
  } finally {
    await log.close()
  }
}

/** Start of the pane of the onset: the pane is counted whole. */
function paneOf({ onset }: Summary): number {
  return Math.floor(Date.parse(onset ?? '') / paneMs) * paneMs
}

async function expectReplays({ data }: Played): Promise<void> {
  const ran = await interlock(['--json', '--data', data, 'replay', '--verify'], { withinMs: 120_000 })
  const reports = ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(reports.map(({ processor, mismatches, unreachable }) => ({ processor, mismatches, unreachable }))).toEqual(
    ['profiler', 'evaluator', 'governor', 'fleet'].map((processor) => ({ processor, mismatches: [], unreachable: [] })),
  )
  for (const { processor, entries, stateHashes } of reports)
    expect([processor, Number(entries) > 20, Number(stateHashes) > 0]).toEqual([processor, true, true])
  expect([ran.code, ran.stderr]).toEqual([0, ''])
}

const fields = [
  ...['event', 'fault', 'seed', 'rolledBack', 'held', 'promoted', 'fromVersion', 'toVersion', 'cause', 'onset'],
  ...['estimatedOnset', 'breachAt', 'issuedAt', 'appliedAt', 'verifiedAt', 'eventsProcessed', 'eventsPerSecond'],
  ...['deadLetters', 'badPredictionsServed', 'falseAlarms'],
].toSorted()

function expectSummary({ events, summary }: Played, fault: string): void {
  expect(events.filter(({ event }) => event === 'summary').length).toBe(1)
  expect(Object.keys(summary).toSorted()).toEqual(fields)
  expect(summary).toMatchObject({
    event: 'summary',
    fault,
    seed,
    promoted: false,
    fromVersion: 'flight-delay@v1',
    toVersion: 'flight-delay@v2',
    falseAlarms: 0,
  })
  expect(summary.eventsPerSecond).toBeGreaterThan(0)
}

describe(`npm run demo, seed ${seed}`, () => {
  test('--fault unit: v2 is rolled back and verified; the bad answers are as many as a recount finds', async () => {
    const played = await play('unit')
    const { summary, ran } = played
    expect([ran.code, summary.cause]).toEqual([0, expect.stringMatching(/distance/)])
    expectSummary(played, 'unit')
    expect(summary).toMatchObject({ rolledBack: true })
    const { onset, breachAt, issuedAt, appliedAt, verifiedAt } = summary
    const moments = [onset, breachAt, issuedAt, appliedAt, verifiedAt].map((at) => Date.parse(at ?? ''))
    expect(moments).toEqual(moments.toSorted((a, b) => a - b))

    const rows = await rowsBehind(played)
    expect(rows.length).toBe(summary.eventsProcessed)
    const bad = rows.filter(({ variant, eventTimeMs }) => variant === 'candidate' && eventTimeMs >= paneOf(summary))
    expect(summary.badPredictionsServed).toBe(bad.length)
    expect(bad.length).toBeGreaterThan(0)
    await expectReplays(played)
    await expect(fetch(`http://127.0.0.1:${played.port}/healthz`)).rejects.toThrow()
  }, 300_000)

  test('--fault source: held with a data incident that names the source, and no rollback', async () => {
    const played = await play('source')
    const { summary, ran, events } = played
    expect([ran.code, summary.cause]).toEqual([0, expect.stringContaining(faultySource)])
    expectSummary(played, 'source')
    expect(summary).toMatchObject({ rolledBack: false, held: true, issuedAt: null, verifiedAt: null })
    expect(events.map(({ event }) => event)).toContain('data-incident')
    expect(events.map(({ event }) => event)).not.toContain('rolled-back')

    const rows = await rowsBehind(played)
    const bad = rows.filter(
      ({ variant, producer, eventTimeMs }) =>
        variant !== 'shadow' && producer === faultySource && eventTimeMs >= paneOf(summary),
    )
    expect(summary.badPredictionsServed).toBe(bad.length)
    expect(bad.length).toBeGreaterThan(0)
    await expectReplays(played)
  }, 300_000)
})
