/**
 * Makes recording.json.gz: real flights through both models and the router's own serving, a rollout, and a fault in v2.
 * Run it when events or baselines change their shape: node test/equality/record.ts
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BaselineDocument, ManifestDocument, Prediction } from '@interlock/contracts'
import { loadArtifacts, train } from '@interlock/example-flights'
import { openSqliteLog } from '@interlock/runtime'
import { loadFlights, spans } from '../../examples/flights/src/data.ts'
import { createServing } from '../../examples/flights/src/serving.ts'
import { requestOf } from '../../examples/flights/src/units.ts'
import { prepare } from '../../packages/cli/src/demo/prepare.ts'
import { outcomeOf } from './outcome.ts'
import { play } from './play.ts'
import { type Recording, writeRecording } from './recording.ts'

/**
 * A quarter of a second off: no step falls on the border of a pane. A step's time is that of the entry before it, so with panes
 * of 3 s that close by a lateness of 3.75 s (policy.yaml) what evidence leads to falls into one pane, whichever step takes it.
 */
const startMs = Date.UTC(2026, 0, 5, 12) + 250
const quantumMs = 500
const quanta = 100
/** At the end time goes on without rows, until every pane has closed. */
const idleQuanta = 16
const rowsAQuantum = 64
/** All rows are of panes that are watched. */
const firstRows = 7
const rolloutAt = 9
/** The fault begins so many quanta after the candidate has first answered. */
const faultAfter = 2

/** Microseconds are enough. */
const shortened = (name: string, value: unknown): unknown =>
  name === 'latencyMs' ? Math.round((value as number) * 1_000) / 1_000 : value

const policy = await readFile(join(import.meta.dirname, 'policy.yaml'), 'utf8')
const folder = await mkdtemp(join(tmpdir(), 'interlock-record-'))
try {
  const trained = await train()
  const artifacts = join(folder, 'artifacts')
  await prepare(folder, 'http://127.0.0.1:1', artifacts, trained)
  const documentOf = async <D>(name: string): Promise<D> =>
    JSON.parse(await readFile(join(folder, 'deployments', name), 'utf8')) as D
  const version = async (name: 'v1' | 'v2') => ({
    manifest: await documentOf<ManifestDocument>(`${name}.manifest.json`),
    baseline: await documentOf<BaselineDocument>(`${name}.baseline.json`),
  })
  const [stable, candidate] = [await version('v1'), await version('v2')]
  const recording = { startMs, quantumMs, quanta, rolloutAt, stable, candidate, policy }

  const flights = await loadFlights(spans.live)
  let now = startMs
  let emitted: Prediction[] = []
  const serving = createServing({
    loaded: loadArtifacts(artifacts).loaded,
    emit: (events) => {
      emitted.push(...(JSON.parse(JSON.stringify(events, shortened)) as readonly Prediction[]))
    },
    ...{ seed: 1, shadowSample: 1, nonce: 'recorded' },
    now: () => now,
  })
  const batches: { quantum: number; rows: readonly Prediction[] }[] = []
  let answeredFrom: number | null = null
  let next = 0
  const log = openSqliteLog({ folder: join(folder, 'log'), durability: 'process-crash' })
  const setting = { log, shards: { profiler: 1, deployments: 1 }, partitions: 1, messageRows: null, stepRecords: null }
  await play({ ...setting, events: 'predictions' }, recording, (quantum, serves) => {
    if (quantum < firstRows || quantum >= quanta - idleQuanta) return []
    if (serves.share > 0) answeredFrom ??= quantum
    serving.setFault('unit', answeredFrom !== null && quantum >= answeredFrom + faultAfter)
    emitted = []
    for (let row = 0; row < rowsAQuantum; row++) {
      // Answered within the half second before they are sent; what comes late is another matter (equality.test.ts).
      now = startMs + quantum * quantumMs - Math.floor((quantumMs * (rowsAQuantum - row)) / rowsAQuantum)
      serving.answer([requestOf(flights, (next++ * 997) % flights.rows)], serves)
    }
    batches.push({ quantum, rows: emitted })
    return emitted
  })
  const { evidenceOuts, decisionOuts, taken, dead } = await outcomeOf(log, recording)
  await log.close()
  console.log(decisionOuts.map(({ at, text }) => `${(at - startMs) / 1000} s  ${text}`).join('\n'))
  console.log({ taken, dead, evidence: evidenceOuts.length, late: evidenceOuts.at(-1)?.late })
  writeRecording({ ...recording, batches } satisfies Recording)
} finally {
  await rm(folder, { recursive: true, force: true })
}
