import {
  type AgentId,
  type BaselineDocument,
  type CountSpec,
  type CountsOut,
  contentHash,
  type DeploymentId,
  type EventTime,
  type Guardrail,
  type Hash,
  type Input,
  type LogTime,
  layoutOf,
  type PersonId,
  type Policy,
  type ProgressOut,
  packCounts,
  type SliceCounts,
  specialAt,
  type Variant,
  type VersionId,
  type WatchOut,
} from '@interlock/contracts'

/** A small deployment for tests: one number, one word, two airports, two producers. */
export const flights = 'flight-delay' as DeploymentId
export const v1 = 'delay@1' as VersionId
export const v2 = 'delay@2' as VersionId

export const spec: CountSpec = {
  v: 1,
  features: [
    { kind: 'numeric', name: 'distance', edges: [0, 100, 200, 400, 800, 1_600], scale: 1 },
    { kind: 'categorical', name: 'origin', vocabulary: ['ATL', 'ORD'] },
  ],
  latencyEdgesMs: [0, 5, 10, 50, 100, 1_000],
  scoreEdges: [0, 0.25, 0.5, 0.75, 1],
  classes: ['late', 'on-time'],
  segments: [{ name: 'airport', values: ['ATL', 'ORD'] }],
  producers: ['east', 'west'],
}
export const specHash: Hash = contentHash(spec)
export const layout = layoutOf(spec)

export interface Row {
  readonly pane: EventTime
  readonly version: VersionId
  readonly variant: Variant
  readonly airport: string
  readonly producer: string
  /** Bin 0 … 4, or −1 for missing. */
  readonly distance: number
  /** Bin 0 … 3. */
  readonly score: number
  /** Bin 0 … 4. */
  readonly latency: number
  readonly failed: boolean
}

function countRow(row: Row, into: Float64Array): void {
  const add = (index: number): void => {
    into[index] = (into[index] as number) + 1
  }
  const [distance, origin] = layout.features as [(typeof layout.features)[0], (typeof layout.features)[0]]
  add(layout.rows)
  add(layout.status + (row.failed ? 1 : 0))
  add(layout.latency.at + row.latency)
  add(layout.score.at + row.score)
  add(layout.prediction.at + (row.score > 1 ? 0 : 1))
  add(row.distance < 0 ? specialAt(distance, 'missing') : distance.at + row.distance)
  add(origin.at + (row.airport === 'ATL' ? 0 : 1))
}

export function slicesOf(rows: readonly Row[]): readonly SliceCounts[] {
  const sums = new Map<string, { dimension: string; value: string; counts: Float64Array }>()
  for (const row of rows) {
    const places = [['producer', row.producer] as const, ['segment:airport', row.airport] as const]
    for (const [dimension, value] of places) {
      const key = `${dimension} ${value}`
      const slice = sums.get(key) ?? { dimension, value, counts: new Float64Array(layout.width) }
      sums.set(key, slice)
      countRow(row, slice.counts)
    }
  }
  return [...sums.values()].map(({ dimension, value, counts }) => ({ dimension, value, counts: packCounts(counts) }))
}

/** What a profiler shard says about rows that it took in one step: one out a version, variant and pane. */
export function countsOf(rows: readonly Row[], partition = 0, from = 0n): readonly CountsOut[] {
  const groups = Map.groupBy(rows, (row) => `${row.version} ${row.variant} ${row.pane}`)
  return [...groups.values()].map((group) => {
    const { version, variant, pane } = group[0] as Row
    return {
      kind: 'counts',
      deployment: flights,
      generation: 1,
      version,
      variant,
      pane,
      spec: specHash,
      rows: group.length,
      slices: slicesOf(group),
      span: { topic: 'predictions', partition, from, to: from + BigInt(rows.length) },
    }
  })
}

export function baselineOf(version: VersionId, rows: readonly Row[]): BaselineDocument {
  const slices = slicesOf(rows).map(({ dimension, value, counts }) => ({
    dimension,
    value,
    counts: Buffer.from(counts).toString('base64'),
  }))
  return {
    kind: 'baseline',
    version,
    from: 'March',
    spec,
    specHash,
    rows: rows.length,
    slices,
    latencyLimitsMs: { p50: 10, p90: 50, p99: 100 },
    phi: {},
  }
}

export function guardrail(id: string, fields: Partial<Guardrail> = {}): Guardrail {
  return {
    id,
    signal: 'errors',
    reference: 'stable',
    detector: 'conditional-beta-binomial',
    tolerance: { harm: 0.2, safe: 0.5 },
    budget: { alpha: 0.001 },
    role: 'guard',
    action: 'roll-back',
    protects: 'travellers',
    slices: [],
    minimumSample: 50,
    ...fields,
  }
}

export function policyOf(guardrails: readonly Guardrail[]): Policy {
  return {
    v: 1,
    name: 'flights',
    riskClass: 'medium',
    stages: [{ name: 'canary', share: 0.5, shadow: false, minimumSample: 100, minimumMs: 1_000, maximumMs: 60_000 }],
    guardrails,
    noDataAfterMs: 10_000,
    onGuardrailLoss: [],
    grantMs: 30_000,
    times: { paneMs: 1_000, latenessMs: 1_000, stallTimeoutMs: 15_000 },
    brakes: { rollbacksPerHour: 2, fleetShare: 0.2, fleetWindowMs: 300_000 },
  }
}

export function watchOf(fields: Partial<WatchOut> = {}): WatchOut {
  return {
    kind: 'watch',
    deployment: flights,
    document: {
      kind: 'deployment',
      deployment: flights,
      environment: 'test',
      tenant: 'airline',
      owner: 'owner' as PersonId,
      onCall: 'on-call' as PersonId,
      approver: 'approver' as PersonId,
      riskClass: 'medium',
      topics: { predictions: 'predictions' },
      mapping: {},
      segments: ['airport'],
      platform: { kind: 'router', agent: 'agent' as AgentId },
      stable: v1,
    },
    generation: 1,
    stable: v1,
    candidate: v2,
    spec,
    specHash,
    policyHash: contentHash('policy'),
    policy: policyOf([guardrail('errors')]),
    baselines: [],
    from: 0,
    ...fields,
  }
}

export function progressOf(shard: number, watermark: LogTime): ProgressOut {
  return { kind: 'progress', shard, watermark, caughtUp: true, taken: 0, counted: 0, dead: {} }
}

/** Puts outs into the form in which a step takes them. */
export function inputs(...outs: readonly Extract<Input, { kind: 'out' }>['out'][]): readonly Input[] {
  return outs.map((out, index) => ({
    kind: 'out',
    processor: out.kind === 'watch' ? 'governor' : 'profiler',
    shard: 0,
    offset: BigInt(index),
    at: 0,
    out,
  }))
}

/** Rows by a seed: one stable stream, one candidate stream, `perPane` rows a pane each. */
export function rowsOf(random: () => number, panes: number, perPane: number, change: (row: Row) => Row = same): Row[] {
  const below = (bound: number): number => Math.floor(random() * bound)
  return Array.from({ length: panes }, (_, pane) =>
    Array.from({ length: 2 * perPane }, (_, index): Row => {
      const isCandidate = index % 2 === 1
      return change({
        pane: pane * 1_000,
        version: isCandidate ? v2 : v1,
        variant: isCandidate ? 'candidate' : 'stable',
        airport: random() < 0.4 ? 'ATL' : 'ORD',
        producer: random() < 0.5 ? 'east' : 'west',
        distance: random() < 0.01 ? -1 : below(5),
        score: below(4),
        latency: below(5),
        failed: random() < 0.02,
      })
    }),
  ).flat()
}

function same(row: Row): Row {
  return row
}

/** Small seeded generator (mulberry32), 0 ≤ x < 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
