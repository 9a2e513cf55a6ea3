import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  checkReceipt,
  createTopics,
  embeddedKeys,
  loadConfig,
  receiptLines,
  receiptLister,
  writeReceipt,
} from '@interlock/cli'
import type { ReceiptPlan } from '@interlock/console'
import {
  type CountSpec,
  contentHash,
  encodeEntry,
  encodeEventJson,
  encodeOut,
  type Hash,
  type Prediction,
  shardLog,
  type VersionId,
  type WatchOut,
} from '@interlock/contracts'
import { createProfiler, profilerInputs } from '@interlock/profiler'
import { openSqliteLog, runShard, seededRandom, systemClock } from '@interlock/runtime'
import pino from 'pino'

/**
 * How long a receipt of many rows takes, and that memory does not grow with it: `npm run bench -- receipt [--rows N]`. Half of
 * the rows are the bad version's. One JSON line.
 */
export async function bench(flags: readonly string[]): Promise<void> {
  const rows = flags[0] === '--rows' ? Number(flags[1]) : 200_000
  const folder = mkdtempSync(join(tmpdir(), 'interlock-bench-'))
  const log = openSqliteLog({ folder: join(folder, 'log'), durability: 'process-crash' })
  try {
    await createTopics(log, [watch.document])
    const entry = {
      v: 1,
      prev: -1n,
      owner: 'bench',
      build: 'bench',
      took: [],
      caughtUp: true,
      chain: none,
      stateHash: null,
    } as const
    await log.append(shardLog('governor'), 0, { value: encodeEntry({ ...entry, outs: [encodeOut(watch)] }) })
    for (let sent = 0; sent < rows; sent += messageRows) {
      await log.append('predictions', 0, { value: encodeEventJson(predictions(sent)) })
    }
    await count(log, rows)

    const config = { ...loadConfig(undefined, {}), data: folder, keys: join(folder, 'keys') }
    const keys = await embeddedKeys(config)
    const person = config.operator
    const who = { person, signer: keys.people.get(person)!.signer, now: Date.now() }
    const file = join(folder, 'receipt.jsonl')
    global.gc?.()
    const before = process.memoryUsage().rss
    let most = before
    const watchMemory = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 50)
    const began = performance.now()
    const header = await writeReceipt(file, receiptLines(plan, receiptLister(log)), who)
    const writeMs = performance.now() - began
    clearInterval(watchMemory)
    const checkBegan = performance.now()
    const checked = await checkReceipt(file, keys.keyset.keys)
    if (!checked.ok) throw new Error(checked.why)
    const report = {
      rows,
      listed: header.end.rows,
      megabytes: Math.round(statSync(file).size / 1e5) / 10,
      writeSeconds: Math.round(writeMs / 10) / 100,
      rowsPerSecond: Math.round((rows / writeMs) * 1_000),
      verifySeconds: Math.round((performance.now() - checkBegan) / 10) / 100,
      memoryGrowthMegabytes: Math.round((most - before) / 1e6),
    }
    console.log(JSON.stringify(report))
  } finally {
    await log.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const messageRows = 500
const none = '0'.repeat(64) as Hash
const [v1, v2] = ['bench@v1' as VersionId, 'bench@v2' as VersionId]
const start = Math.floor(Date.now() / 10_000) * 10_000 - 600_000
const random = seededRandom(1)

function predictions(from: number): Prediction[] {
  return Array.from({ length: messageRows }, (_, index) => ({
    id: `p${from + index}`,
    environment: 'local',
    tenant: 'local',
    deployment: 'bench',
    generation: 0,
    version: index % 2 === 0 ? v1 : v2,
    variant: index % 2 === 0 ? 'stable' : 'candidate',
    unit: `u${Math.floor(random() * 1e6)}`,
    eventTimeMs: start + Math.floor(from / 100),
    features: { x: random() * 100 },
    prediction: random() < 0.5 ? 'yes' : 'no',
    score: random(),
    latencyMs: 5 + random(),
    status: 'ok',
    segments: { airport: random() < 0.5 ? 'AAA' : 'BBB' },
    producer: 'east',
  }))
}

const spec: CountSpec = {
  v: 1,
  features: [{ kind: 'numeric', name: 'x', edges: [0, 50, 100], scale: 0.01 }],
  latencyEdgesMs: [0, 5, 10],
  scoreEdges: [0, 0.5, 1],
  classes: ['yes', 'no'],
  segments: [{ name: 'airport', values: ['AAA', 'BBB'] }],
  producers: ['east'],
}

const watch = {
  kind: 'watch',
  deployment: 'bench',
  document: {
    kind: 'deployment',
    deployment: 'bench',
    environment: 'local',
    tenant: 'local',
    owner: 'author',
    onCall: 'author',
    approver: 'approver',
    riskClass: 'low',
    topics: { predictions: 'predictions' },
    mapping: {},
    segments: ['airport'],
    platform: { kind: 'router', agent: 'agent-local' },
    stable: v1,
  },
  generation: 0,
  stable: v1,
  candidate: v2,
  spec,
  specHash: contentHash(spec),
  policyHash: none,
  policy: {
    v: 1,
    name: 'bench',
    riskClass: 'low',
    stages: [],
    guardrails: [],
    noDataAfterMs: 60_000,
    onGuardrailLoss: [],
    grantMs: 30_000,
    times: { paneMs: 10_000, latenessMs: 10_000, stallTimeoutMs: 15_000 },
    brakes: { rollbacksPerHour: 2, fleetShare: 0.2, fleetWindowMs: 300_000 },
  },
  baselines: [],
  from: start,
} as unknown as WatchOut

const plan: ReceiptPlan = {
  deployment: 'bench',
  environment: 'local',
  topic: 'predictions',
  paneMs: 10_000,
  generation: 0,
  decision: none,
  decidedAt: start,
  outcome: 'rolled-back',
  text: '',
  order: [0, 0, 3, 1],
  from: v2,
  to: v1,
  onset: { from: start, to: null, source: 'asked', guardrail: null, decision: null },
  verified: { decision: none, at: start, by: 'traffic' },
  until: null,
}

/** The profiler's own steps over the whole input. */
async function count(log: ReturnType<typeof openSqliteLog>, rows: number): Promise<void> {
  const stop = new AbortController()
  await runShard(
    {
      log,
      clock: systemClock,
      processor: createProfiler(),
      shard: 0,
      inputs: profilerInputs(0, [watch.document.topics], 1),
      build: 'bench',
      newOwner: randomUUID,
      logger: pino({ level: 'silent' }),
      onValid: ({ state }) => {
        if (state.totals.taken >= rows) stop.abort()
      },
    },
    stop.signal,
  )
}
