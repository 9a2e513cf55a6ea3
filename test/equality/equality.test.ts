/**
 * The same recorded input on the embedded log and on a real Kafka broker with 1, 4 and 16 partitions, in large messages and
 * in small ones taken in many small steps: byte-identical counts and evidence, and the same decisions for the same reasons.
 * Where rows come late, the difference is what the late counter says, and no more (docs/reliability.md "Time and watermark").
 *
 * Both logs are real; only append times are given (timed-log.ts), so that "the same input" includes when it came.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Prediction } from '@interlock/contracts'
import { type EventLog, openKafkaLog, openSqliteLog } from '@interlock/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyBroker, howToRun, newPrefix } from '../kafka/broker.ts'
import { digest, type Outcome, outcomeOf } from './outcome.ts'
import { play, type Setting, type Traffic } from './play.ts'
import { readRecording } from './recording.ts'

interface Run {
  readonly name: string
  /** null: the embedded log. */
  readonly partitions: number | null
  /** Of the embedded log; default: one. */
  readonly profilers?: number
  readonly lags?: Setting['lags']
  readonly deployments: number
  readonly messageRows: number | null
  readonly stepRecords: number | null
}

const large = { messageRows: null, stepRecords: null }
/** One row in three of a quantum's messages a step: nearly every step of the profiler stands in a backlog. */
const small = { messageRows: 7, stepRecords: 3 }
/**
 * For eight seconds one of two profiler shards stands still: longer than a pane and its lateness, so that panes must wait for it,
 * and shorter than what counts as silence.
 */
function isLagging(quantum: number): boolean {
  return quantum >= lagFrom && quantum < lagTo
}
const lagFrom = 44
const lagTo = 60
const embedded: readonly Run[] = [
  { name: 'embedded, large messages', partitions: null, deployments: 1, ...large },
  { name: 'embedded, small messages', partitions: null, deployments: 1, ...small },
  { name: 'embedded, a shard lags', partitions: null, profilers: 2, deployments: 1, ...large, lags: isLagging },
]
const distributed: readonly Run[] = [
  { name: 'Kafka  1, large messages', partitions: 1, deployments: 1, ...large },
  { name: 'Kafka  1, small messages', partitions: 1, deployments: 1, ...small },
  { name: 'Kafka  4, large messages', partitions: 4, deployments: 2, ...large },
  { name: 'Kafka  4, small messages', partitions: 4, deployments: 2, ...small },
  { name: 'Kafka 16, large messages', partitions: 16, deployments: 1, ...large },
  { name: 'Kafka 16, small messages', partitions: 16, deployments: 1, ...small },
]

const recording = readRecording()
const broker = await anyBroker()
const folder = await mkdtemp(join(tmpdir(), 'interlock-equality-'))
afterAll(async () => {
  await broker?.remove()
  await rm(folder, { recursive: true, force: true })
})

const rowsAt = new Map(recording.batches.map(({ quantum, rows }) => [quantum, rows]))
const inTime: Traffic = (quantum) => rowsAt.get(quantum) ?? []

async function outcome(run: Run, traffic: Traffic): Promise<Outcome> {
  const { partitions, profilers = 1, deployments, messageRows, stepRecords, lags } = run
  const kafka = { brokers: [broker?.address ?? ''], clientId: 'equality', prefix: newPrefix() }
  const log: EventLog =
    partitions === null
      ? openSqliteLog({ folder: await mkdtemp(join(folder, 'log-')), durability: 'process-crash' })
      : openKafkaLog(kafka)
  try {
    const count = partitions ?? profilers
    const setting = { log, partitions: count, messageRows, stepRecords, events: 'predictions', ...(lags && { lags }) }
    await play({ ...setting, shards: { profiler: count, deployments } }, recording, traffic)
    return await outcomeOf(log, recording)
  } finally {
    await log.close()
  }
}

const runs = broker === null ? embedded : [...embedded, ...distributed]
const outcomes = new Map<string, Outcome>()
let reference: Outcome

beforeAll(async () => {
  // They mostly wait for the broker: a few at once.
  const left = [...runs]
  const worker = async (): Promise<void> => {
    for (let run = left.shift(); run; run = left.shift()) outcomes.set(run.name, await outcome(run, inTime))
  }
  await Promise.all([worker(), worker()])
  reference = outcomes.get(embedded[0]!.name)!
  const line = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(26) : String(cell).padStart(13))).join('')
  console.log(
    [
      line(['', 'rows', 'entries', 'counts', 'evidence', 'decisions']),
      ...runs.map(({ name }) => {
        const { taken, entries, counts, evidence, decisions } = outcomes.get(name)!
        const sums = [...counts].map(([key, packed]) => `${key} ${packed}`).toSorted()
        return line([name, taken, entries, digest(sums), digest(evidence), digest(decisions)])
      }),
    ].join('\n'),
  )
}, 360_000)

test('a real Kafka is there, or nothing says that it must be', () => {
  if (broker === null) expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
})

describe('the recorded input', () => {
  test('tells a whole story: every row is counted, none is late, and the bad version is rolled back and verified', () => {
    const rows = recording.batches.reduce((sum, batch) => sum + batch.rows.length, 0)
    expect(rows).toBeGreaterThan(3_000)
    expect([reference.taken, reference.dead, reference.voids]).toEqual([rows, 0, 0])
    expect(reference.evidenceOuts.map(({ late }) => late)).toEqual(reference.evidenceOuts.map(() => 0))
    const happened = reference.decisionOuts.map(({ outcome: kind }) => kind)
    for (const kind of ['rollout-started', 'promoted', 'rolled-back', 'verified'] as const)
      expect(happened).toContain(kind)
  })

  test.each(runs.map(({ name }) => name))('%s: equal counts, equal evidence to the byte, equal decisions', (name) => {
    const { counts, evidence, decisions, taken, dead, voids } = outcomes.get(name)!
    expect({ taken, dead, voids }).toEqual({ taken: reference.taken, dead: 0, voids: 0 })
    expect(counts).toEqual(reference.counts)
    expect(evidence).toEqual(reference.evidence)
    expect(decisions).toEqual(reference.decisions)
  })
})

/** Every fortieth row of the first half comes twelve seconds late: long after its pane has closed everywhere. */
const lateQuanta = 24
const isLate = (quantum: number, index: number): boolean => quantum < recording.quanta / 2 && index % 40 === 7
const withLate: Traffic = (quantum) => {
  const own = (rowsAt.get(quantum) ?? []).filter((_, index) => !isLate(quantum, index))
  const before = (rowsAt.get(quantum - lateQuanta) ?? []).filter((_, index) => isLate(quantum - lateQuanta, index))
  return [...own, ...before]
}
const lateRows: readonly Prediction[] = recording.batches.flatMap(({ quantum, rows }) =>
  rows.filter((_, index) => isLate(quantum, index)),
)

describe('with late rows', () => {
  test.each([embedded[1]!, ...(broker === null ? [] : [distributed[2]!])].map((run) => [run.name, run] as const))(
    '%s: the counts are the same; the evidence lacks exactly the rows that came late, and says how many',
    async (_, run) => {
      expect(lateRows.length).toBeGreaterThan(30)
      const { counts, evidenceOuts } = await outcome(run, withLate)
      expect(counts).toEqual(reference.counts)
      // What each pane's evidence rests on, by version: the reference's rows without those held back.
      const paneMs = evidenceOuts[0]?.paneMs ?? 0
      const rowsOf = (outs: Outcome['evidenceOuts']): Map<string, number> =>
        new Map(
          outs.flatMap(({ pane, summaries }) =>
            summaries.map(({ version, variant, rows }) => [`${pane} ${version} ${variant}`, rows] as const),
          ),
        )
      const wanted = rowsOf(reference.evidenceOuts)
      for (const { eventTimeMs, version, variant } of lateRows) {
        const key = `${Math.floor(eventTimeMs / paneMs) * paneMs} ${version} ${variant}`
        wanted.set(key, (wanted.get(key) ?? 0) - 1)
      }
      const found = rowsOf(evidenceOuts)
      for (const [key, rows] of wanted) expect([key, found.get(key) ?? 0]).toEqual([key, rows])
      // The counter of a generation begins anew with it; a late row counts for the generation that is watched when it comes.
      const newest = new Map(evidenceOuts.map(({ generation, late }) => [generation, late]))
      expect([...newest.values()].reduce((sum, late) => sum + late, 0)).toBe(lateRows.length)
    },
    120_000,
  )
})
