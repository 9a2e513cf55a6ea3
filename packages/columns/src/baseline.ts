import { type BaselineDocument, type CountSpec, contentHash, packCounts, type VersionId } from '@interlock/contracts'
import { type BaselineBatch, BaselineProblem, checkBatches, fillColumns } from './baseline-rows.ts'
import { type BaselineOptions, baselineDefaults, chooseSpec, finiteValues, sharedSpec } from './baseline-spec.ts'
import { hourlyVolume } from './baseline-volume.ts'
import { bounds } from './bounds.ts'
import { Columns } from './columns.ts'
import { type Counter, counterOf, countRows } from './count.ts'
import { designEffects } from './design-effects.ts'
import { type LatencyLimits, latencyLimitsOf } from './latency-edges.ts'
import { type SliceVector, Tally } from './tally.ts'
import { specProblem, wantedOf } from './wanted.ts'

export interface BaselineRequest {
  readonly version: VersionId
  /** Where the rows come from, for the reader of the document. */
  readonly from: string
  readonly batches: readonly BaselineBatch[]
  readonly options?: Partial<BaselineOptions>
  /** Counts in the bins of this baseline, which may know more features: they are missing in every row then. */
  readonly like?: Pick<BaselineDocument, 'spec' | 'latencyLimitsMs'>
}

/**
 * Chooses edges and vocabularies from rows known to be healthy, and counts the rows under them. Deterministic: the same
 * rows in any order and any batches give the same document.
 *
 * @throws BaselineProblem
 * @source docs/statistics.md "Choosing edges", "Design effect"
 */
export function buildBaseline({ version, from, batches, options = {}, like }: BaselineRequest): BaselineDocument {
  checkBatches(batches)
  const latencyLimitsMs =
    options.latencyLimitsMs ??
    like?.latencyLimitsMs ??
    latencyLimitsOf(finiteValues(batches, ({ latencyMs }) => latencyMs)) ??
    noLatency()
  const spec =
    like === undefined
      ? chooseSpec(batches, { ...baselineDefaults, ...options }, latencyLimitsMs)
      : sharedSpec(batches, like.spec, latencyLimitsMs)
  const problem = specProblem(spec)
  if (problem !== null) throw new BaselineProblem(`the baseline rows make no lawful spec: ${problem}`)
  const { slices, windows } = countBatches(spec, batches)
  const hourly = hourlyVolume(batches, options.utcOffsetMinutes ?? baselineDefaults.utcOffsetMinutes)
  return {
    kind: 'baseline',
    version,
    from,
    spec,
    specHash: contentHash(spec),
    rows: batches.reduce((sum, { prediction }) => sum + prediction.length, 0),
    slices: slices.map(({ dimension, value, vector }) => ({
      dimension,
      value,
      counts: Buffer.from(packCounts(vector)).toString('base64'),
    })),
    latencyLimitsMs,
    phi: {
      ...designEffects(spec, latencyLimitsMs, windows),
      ...(hourly === null ? {} : { volume: hourly.phi }),
    },
    ...(hourly === null ? {} : { volume: hourly.volume }),
  }
}

function noLatency(): LatencyLimits {
  throw new BaselineProblem(
    'the baseline rows hold no latency, so there are no exceedance limits: give a column latencyMs, or latencyLimitsMs {p50, p90, p99} in milliseconds',
  )
}

interface Counted {
  /** By dimension and value. */
  readonly slices: readonly SliceVector[]
  readonly windows: readonly Float64Array[]
}

/** Counts with the very kernel that counts live traffic. */
function countBatches(spec: CountSpec, batches: readonly BaselineBatch[]): Counted {
  const wanted = wantedOf({ environments: [], tenants: [], deployments: [], versions: [], specs: [spec] })
  const counter = counterOf(spec, wanted)
  const slices = new Map<string, SliceVector>()
  const windows = new Map<number, Float64Array>()
  for (const batch of batches) {
    for (let from = 0; from < batch.prediction.length; from += bounds.rows) {
      const to = Math.min(from + bounds.rows, batch.prediction.length)
      const columns = new Columns(wanted, to - from)
      fillColumns(columns, batch, from, to)
      addSlices(slices, counter, columns)
      if (batch.window !== undefined) addWindows(windows, counter, columns, batch.window.subarray(from, to))
    }
  }
  const keys = [...slices.keys()].sort()
  return { slices: keys.map((key) => slices.get(key)!), windows: [...windows.values()] }
}

function addSlices(slices: Map<string, SliceVector>, counter: Counter, columns: Columns): void {
  const tally = new Tally<'all'>(counter)
  for (let row = 0; row < columns.rows; row++) tally.add(columns, row, 'all')
  for (const slice of tally.count(columns).get('all') ?? []) {
    const key = `${slice.dimension}=${slice.value}`
    const known = slices.get(key)
    if (known === undefined) slices.set(key, { ...slice, vector: slice.vector.slice() })
    else addVector(known.vector, slice.vector)
  }
}

function addWindows(windows: Map<number, Float64Array>, counter: Counter, columns: Columns, window: Int32Array): void {
  const { width } = counter.layout
  const names = [...new Set(window)]
  const startOf = new Map(names.map((name, index) => [name, index * width]))
  const into = new Float64Array(names.length * width)
  const rows = Int32Array.from({ length: columns.rows }, (_, row) => row)
  countRows(counter, columns, rows, [window.map((name) => startOf.get(name)!)], into)
  for (const [name, start] of startOf) {
    const vector = windows.get(name) ?? new Float64Array(width)
    windows.set(name, vector)
    addVector(vector, into.subarray(start, start + width))
  }
}

function addVector(into: Float64Array, more: Float64Array): void {
  for (let index = 0; index < into.length; index++) into[index]! += more[index]!
}
