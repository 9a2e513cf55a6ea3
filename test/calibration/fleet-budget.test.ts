/**
 * One budget of false actions for the fleet, on streams on which nothing is wrong: what was observed, with its exact upper
 * 95 % bound, lies below what was stated. Baselines and design effects are estimated from each stream's own past. Budgets
 * are of a size that a test can count.
 */
import { bystand, yearly } from '@interlock/cli'
import { designEffects } from '@interlock/columns'
import {
  type BaselineDocument,
  type CountSpec,
  contentHash,
  type DeploymentId,
  type Guardrail,
  layoutOf,
  type Policy,
  packCounts,
  type VersionId,
} from '@interlock/contracts'
import { accountOf } from '@interlock/deployment'
import { expect, test } from 'vitest'
import { type Random, random } from '../bench/sampling/random.ts'

const hourMs = 3_600_000
const rows = 200
const rate = 0.02
const yearPanes = 8_760

const spec: CountSpec = {
  v: 1,
  features: ['origin', 'airline'].map((name) => ({ kind: 'categorical', name, vocabulary: ['a'] })),
  latencyEdgesMs: [0, 1, 2, 4],
  scoreEdges: [0, 1],
  classes: [],
  segments: [],
  producers: [],
}
const layout = layoutOf(spec)
const limits = { p50: 1, p90: 2, p99: 4 }

const rules = ['missing(origin)', 'missing(airline)'].map(
  (signal): Guardrail => ({
    id: signal,
    signal,
    reference: 'baseline',
    detector: 'binomial-shiryaev-roberts',
    tolerance: { harm: 0, safe: 0.5 },
    budget: { falsePerYear: 12 },
    role: 'guard',
    action: 'hold',
    protects: 'the fleet',
    slices: [],
    minimumSample: 0,
  }),
)
const policy: Policy = {
  v: 1,
  name: 'fleet',
  riskClass: 'low',
  stages: [],
  guardrails: rules,
  noDataAfterMs: hourMs,
  onGuardrailLoss: [],
  grantMs: hourMs,
  times: { paneMs: hourMs, latenessMs: 0, stallTimeoutMs: hourMs },
  brakes: { rollbacksPerHour: 2, fleetShare: 0.2, fleetWindowMs: 300_000 },
}

/** Missing values of a pane. */
type Stream = (draw: Random) => () => number
const iid: Stream = (draw) => () => draw.binomial(rows, rate)
/** Missing values come in pairs: φ = 2. */
const pairs: Stream = (draw) => () => 2 * draw.binomial(rows / 2, rate)
/** The rate itself wanders: AR(.5), with a deviation of 30 %. */
const wandering: Stream = (draw) => {
  let level = 0
  return () => {
    // A sum of twelve uniforms less six is near enough to normal, and the same on every machine.
    let shock = -6
    for (let i = 0; i < 12; i++) shock += draw.next()
    level = 0.5 * level + Math.sqrt(0.75) * shock
    return draw.binomial(rows, rate * Math.max(0, 1 + 0.3 * level))
  }
}

function vectorOf(streams: readonly (() => number)[]): Float64Array {
  const counts = new Float64Array(layout.width)
  counts[layout.rows] = rows
  layout.features.forEach(({ at, specials }, index) => {
    const missing = streams[index]!()
    counts[at] = rows - missing
    counts[at + 1 + specials.indexOf('missing')] = missing
  })
  return counts
}

/** Thirty healthy days of a stream, as a baseline. */
function baselineOf(version: VersionId, pane: () => Float64Array): BaselineDocument {
  const days = Array.from({ length: 30 }, () => sumOf(Array.from({ length: 24 }, pane)))
  return {
    kind: 'baseline',
    version,
    from: 'the stream’s past',
    spec,
    specHash: contentHash(spec),
    rows: 30 * 24 * rows,
    slices: [
      { dimension: 'producer', value: 'other', counts: Buffer.from(packCounts(sumOf(days))).toString('base64') },
    ],
    latencyLimitsMs: limits,
    phi: designEffects(spec, limits, days),
  }
}

function sumOf(vectors: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(layout.width)
  for (const vector of vectors) for (const [index, count] of vector.entries()) sum[index]! += count
  return sum
}

test.each([
  ['independent rows', iid, 71],
  ['a rate that wanders, AR(.5)', wandering, 72],
  ['values that are missing in pairs, φ = 2', pairs, 73],
] as const)('the fleet’s budget holds on %s', (_, stream, seed) => {
  const names = ['fares', 'fraud'] as const
  const stated = 2 * 2 * 12
  const accounts = accountOf(
    { rollbacks: 1, holds: stated },
    names.map((name) => ({ deployment: name as DeploymentId, policy, weight: 1, rolloutsPerYear: 50 })),
  )
  expect(accounts.every(({ fits }) => fits)).toBe(true)
  // Both versions of both deployments are watched for a year: all that the budget allows for.
  const draw = random(seed)
  let holds = 0
  for (const version of names.flatMap((name) => [`${name}@v1`, `${name}@v2`])) {
    const streams = rules.map(() => stream(draw))
    const pane = () => vectorOf(streams)
    const baseline = baselineOf(version as VersionId, pane)
    const panes = Array.from({ length: yearPanes }, () => {
      const slices = [{ dimension: 'producer', value: 'other', counts: packCounts(pane()) }]
      return { rows, slices }
    })
    const { actions } = bystand(policy, baseline, 0, panes)
    holds += actions.reduce((sum, { count }) => sum + count, 0)
  }
  const { atMost } = yearly(holds, yearPanes * hourMs)
  console.info(`seed ${seed}: ${holds} holds in a fleet-year, at most ${atMost.toFixed(1)}; stated ${stated}`)
  expect(atMost).toBeLessThanOrEqual(stated)
})
