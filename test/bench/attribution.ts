import {
  type AgentId,
  type CountSpec,
  type CountsOut,
  contentHash,
  type DeploymentId,
  type EvidenceOut,
  type Guardrail,
  type Input,
  layoutOf,
  type PersonId,
  type Policy,
  packCounts,
  type RankedCause,
  type VersionId,
  type WatchOut,
} from '@interlock/contracts'
import { causesOf, judge } from '@interlock/deployment'
import { createEvaluator } from '@interlock/evaluator'
import { type Random, random } from './sampling/random.ts'

/**
 * Is the true cause among the first three that a decision names? Faults of four kinds are put into a candidate's rows at a random pane,
 * through the evaluator as it serves, until a rule breaches:
 *
 * - feature: one of four features (correlated, ρ = .5) is off by 0.4 to 1 deviations; in half of the runs the other three follow by half
 * - bin: 10 to 30 % of the values of one feature turn into one and the same
 * - segment: an airport with 1 to 20 % of the rows fails 2 to 5 times as often
 * - producer: one of six (4 to 30 % of the rows) loses 30 to 90 % of a feature's values, or fails 3 to 8 times as often
 *
 * Runs that no rule breaches in time made no decision and are counted apart. Onset: middle of the named span against the true pane.
 *
 * `--runs=n` injections (300); `--seed=n` another set.
 */
const paneMs = 1_000
const rowsAPane = 1_500
const panesAtMost = 120
const errorRate = 0.03
const correlation = 0.5

const names = ['a', 'b', 'c', 'd'] as const
const edges = [-8, -1.28, -0.84, -0.52, -0.25, 0, 0.25, 0.52, 0.84, 1.28, 8]
const airports = { A: 0.2, B: 0.18, C: 0.15, D: 0.12, E: 0.1, F: 0.08, G: 0.06, H: 0.05, I: 0.03, J: 0.02, K: 0.01 }
const producers = { p1: 0.3, p2: 0.24, p3: 0.2, p4: 0.14, p5: 0.08, p6: 0.04 }

const deployment = 'bench' as DeploymentId
const v1 = 'model@1' as VersionId
const v2 = 'model@2' as VersionId
const spec: CountSpec = {
  v: 1,
  features: names.map((name) => ({ kind: 'numeric', name, edges, scale: 0.001 })),
  latencyEdgesMs: [0, 10, 100],
  scoreEdges: [],
  classes: [],
  segments: [{ name: 'airport', values: Object.keys(airports) }],
  producers: Object.keys(producers),
}
const specHash = contentHash(spec)
const layout = layoutOf(spec)
const slices = ['segment:airport', 'producer']

function rule(id: string, fields: Partial<Guardrail>): Guardrail {
  return {
    id,
    signal: 'errors',
    reference: 'stable',
    detector: 'conditional-beta-binomial',
    tolerance: { harm: 0.2, safe: 0.5 },
    budget: { alpha: 0.001 },
    role: 'guard',
    action: 'roll-back',
    protects: 'the benchmark',
    slices,
    minimumSample: 200,
    ...fields,
  }
}
const policy: Policy = {
  v: 1,
  name: 'bench',
  riskClass: 'medium',
  stages: [{ name: 'canary', share: 0.5, shadow: false, minimumSample: 100, minimumMs: 1_000, maximumMs: 60_000 }],
  guardrails: [
    rule('errors', {}),
    ...names.map((name) => rule(`missing-${name}`, { signal: `missing(${name})` })),
    ...names.map((name) =>
      rule(name, {
        signal: `distribution(${name})`,
        detector: 'dirichlet-two-sample',
        tolerance: { harm: 0.02, safe: 0 },
      }),
    ),
  ],
  noDataAfterMs: 10_000,
  onGuardrailLoss: [],
  grantMs: 30_000,
  times: { paneMs, latenessMs: 0, stallTimeoutMs: 15_000 },
  brakes: { rollbacksPerHour: 2, fleetShare: 0.2, fleetWindowMs: 300_000 },
}
const person = 'someone' as PersonId
const watch: WatchOut = {
  kind: 'watch',
  deployment,
  document: {
    kind: 'deployment',
    deployment,
    environment: 'bench',
    tenant: 'bench',
    owner: person,
    onCall: person,
    approver: person,
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
  policyHash: contentHash(policy),
  policy,
  baselines: [],
  from: 0,
}

interface Row {
  readonly values: (number | null)[]
  readonly airport: string
  readonly producer: string
  failed: boolean
}

/** What is wrong with a candidate's rows, and what a reader should be told. */
interface Fault {
  readonly kind: 'feature' | 'bin' | 'segment' | 'producer'
  readonly apply: (row: Row, draw: Random) => void
  readonly isNamedBy: (cause: RankedCause) => boolean
}

function faultOf(kind: Fault['kind'], draw: Random): Fault {
  const between = (low: number, high: number): number => low + (high - low) * draw.next()
  const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(draw.next() * items.length)] as Item
  const feature = Math.floor(draw.next() * names.length)
  const name = names[feature] as string
  switch (kind) {
    case 'feature': {
      const shift = between(0.4, 1) * (draw.next() < 0.5 ? -1 : 1)
      const follow = draw.next() < 0.5 ? correlation : 0
      return {
        kind,
        apply: (row) => {
          for (const [index, value] of row.values.entries())
            if (value !== null) row.values[index] = value + shift * (index === feature ? 1 : follow)
        },
        isNamedBy: ({ dimension, value }) => dimension === 'feature' && value === name,
      }
    }
    case 'bin': {
      const bin = Math.floor(draw.next() * (edges.length - 1))
      const inside = ((edges[bin] as number) + (edges[bin + 1] as number)) / 2
      const share = between(0.1, 0.3)
      return {
        kind,
        apply: (row, rows) => {
          if (rows.next() < share) row.values[feature] = inside
        },
        isNamedBy: ({ dimension, of, value }) =>
          dimension === 'bin' && of === name && Number.parseFloat(value.replace('below ', '')) === edges[bin],
      }
    }
    case 'segment': {
      const airport = oneOf(Object.keys(airports))
      const ratio = between(2, 5)
      return {
        kind,
        apply: (row, rows) => {
          if (row.airport === airport) row.failed ||= rows.next() < errorRate * (ratio - 1)
        },
        isNamedBy: ({ dimension, value }) => dimension === 'segment:airport' && value === airport,
      }
    }
    case 'producer': {
      const producer = oneOf(Object.keys(producers))
      const isMissing = draw.next() < 0.5
      const share = isMissing ? between(0.3, 0.9) : errorRate * between(2, 7)
      return {
        kind,
        apply: (row, rows) => {
          if (row.producer !== producer || rows.next() >= share) return
          if (isMissing) row.values[feature] = null
          else row.failed = true
        },
        isNamedBy: ({ dimension, value }) => dimension === 'producer' && value === producer,
      }
    }
  }
}

function normal(draw: Random): number {
  return Math.sqrt(-2 * Math.log(1 - draw.next())) * Math.cos(2 * Math.PI * draw.next())
}

function rowOf(draw: Random): Row {
  const common = Math.sqrt(correlation) * normal(draw)
  return {
    values: names.map(() => (draw.next() < 0.01 ? null : common + Math.sqrt(1 - correlation) * normal(draw))),
    airport: pick(airportTable, draw),
    producer: pick(producerTable, draw),
    failed: draw.next() < errorRate,
  }
}

/** A hundred places, so many of each value as it has percent of the rows. */
function tableOf(shares: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(shares).flatMap(([value, share]) =>
    Array.from({ length: Math.round(share * 100) }, () => value),
  )
}
const airportTable = tableOf(airports)
const producerTable = tableOf(producers)

function pick(table: readonly string[], draw: Random): string {
  return table[Math.floor(draw.next() * table.length)] as string
}

function countRow(row: Row, into: Float64Array): void {
  const add = (at: number): void => {
    into[at] = (into[at] as number) + 1
  }
  add(layout.rows)
  add(layout.status + (row.failed ? 1 : 0))
  for (const [index, value] of row.values.entries()) {
    const { at, bins } = layout.features[index] as { at: number; bins: number }
    if (value === null) add(at + bins + 2)
    else
      add(
        at +
          Math.max(
            0,
            Math.min(
              bins - 1,
              edges.findLastIndex((edge) => value >= edge),
            ),
          ),
      )
  }
}

function countsOf(rows: readonly Row[], version: VersionId, pane: number): CountsOut {
  const sums = new Map<string, { dimension: string; value: string; counts: Float64Array }>()
  for (const row of rows) {
    for (const [dimension, value] of [
      ['producer', row.producer],
      ['segment:airport', row.airport],
    ] as const) {
      const key = `${dimension} ${value}`
      const slice = sums.get(key) ?? { dimension, value, counts: new Float64Array(layout.width) }
      sums.set(key, slice)
      countRow(row, slice.counts)
    }
  }
  return {
    kind: 'counts',
    deployment,
    generation: 1,
    version,
    variant: version === v1 ? 'stable' : 'candidate',
    pane,
    spec: specHash,
    rows: rows.length,
    slices: [...sums.values()].map(({ counts, ...slice }) => ({ ...slice, counts: packCounts(counts) })),
    span: { topic: 'predictions', partition: 0, from: 0n, to: BigInt(rows.length) },
  }
}

export interface Explained {
  readonly kind: Fault['kind']
  /** Place of the true cause among the causes, from 1; null where it is not named. */
  readonly place: number | null
  readonly share: number | null
  /** Panes between the true beginning and the one that is named; null where none is. */
  readonly onsetError: number | null
}

const kinds = ['feature', 'bin', 'segment', 'producer'] as const

/** One injection: what the first breach says, or null where none came in time. */
export function explainOne(kind: Fault['kind'], seed: number): Explained | null {
  const draw = random(seed)
  const fault = faultOf(kind, draw)
  const onset = 5 + Math.floor(draw.next() * 20)
  const evaluator = createEvaluator({ shards: 1, profilerShards: 1 })
  let state = evaluator.empty(0)
  for (let pane = 0; pane < onset + panesAtMost; pane++) {
    const arms: Record<VersionId, Row[]> = { [v1]: [], [v2]: [] }
    for (let index = 0; index < rowsAPane; index++) {
      const row = rowOf(draw)
      const version = draw.next() < 0.5 ? v1 : v2
      if (version === v2 && pane >= onset) fault.apply(row, draw)
      arms[version]?.push(row)
    }
    const at = pane * paneMs
    const counts = [v1, v2].map((version) => countsOf(arms[version] as Row[], version, at))
    const progress = {
      kind: 'progress',
      shard: 0,
      watermark: at + paneMs,
      caughtUp: true,
      taken: 0,
      counted: 0,
      dead: {},
    }
    const said = [...(pane === 0 ? [watch] : []), ...counts, progress as Extract<Input, { kind: 'out' }>['out']]
    const batch = said.map(
      (out): Input => ({
        kind: 'out',
        processor: out.kind === 'watch' ? 'governor' : 'profiler',
        shard: 0,
        offset: 0n,
        at,
        out,
      }),
    )
    const [next, outs] = evaluator.step(state, batch, at + paneMs, false)
    state = next
    const evidence = outs.find((out): out is EvidenceOut => out.kind === 'evidence')
    if (evidence === undefined) continue
    const { judged, breaches } = judge(policy, evidence, { stable: v1, candidate: v2 })
    const [first] = breaches
    if (first === undefined) continue
    const about = first.leading.evidence
    const causes = causesOf(judged, about)
    const found = causes.findIndex(fault.isNamedBy)
    const span = about.evidence.onset
    return {
      kind,
      place: found < 0 ? null : found + 1,
      share: causes[found]?.share ?? null,
      onsetError: span === null ? null : Math.abs((span.from + span.to - paneMs) / 2 / paneMs - onset),
    }
  }
  return null
}

export interface Score {
  readonly kind: string
  readonly decisions: number
  readonly undecided: number
  /** Part of the decisions whose first three causes hold the true one. */
  readonly topThree: number
  readonly medianShare: number
  readonly onsetMedian: number
  readonly onset90: number
}

/** Injections of each kind in turn. */
export function score(runs: number, seed: number): readonly Score[] {
  const all = Array.from({ length: runs }, (_, run) => {
    const kind = kinds[run % kinds.length] as Fault['kind']
    return { kind, found: explainOne(kind, seed + run) }
  })
  return [...kinds, 'all'].map((kind) => {
    const mine = all.filter((one) => kind === 'all' || one.kind === kind)
    const found = mine.flatMap((one) => (one.found === null ? [] : [one.found]))
    const sorted = (values: readonly (number | null)[]): readonly number[] =>
      values.filter((value) => value !== null).sort((a, b) => a - b)
    const at = (values: readonly number[], part: number): number =>
      values[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN
    const onsets = sorted(found.map(({ onsetError }) => onsetError))
    return {
      kind,
      decisions: found.length,
      undecided: mine.length - found.length,
      topThree: found.filter(({ place }) => place !== null && place <= 3).length / found.length,
      medianShare: at(sorted(found.map(({ share }) => share)), 0.5),
      onsetMedian: at(onsets, 0.5),
      onset90: at(onsets, 0.9),
    }
  })
}

export function bench(flags: readonly string[]): void {
  const flag = (name: string, otherwise: number): number => {
    const value = Number(flags.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise)
    if (!Number.isSafeInteger(value)) throw new Error(`--${name} takes a whole number`)
    return value
  }
  const runs = flag('runs', 300)
  const seed = flag('seed', 1)
  const began = performance.now()
  const scores = score(runs, seed)
  const seconds = Math.round((performance.now() - began) / 1_000)
  console.log(`Causes that decisions name, ${runs} injections, seed ${seed} (onset error in panes)`)
  console.table(scores)
  console.log(JSON.stringify({ bench: 'attribution', runs, seed, seconds, scores }))
}
