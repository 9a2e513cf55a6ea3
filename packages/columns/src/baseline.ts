import {
  type BaselineDocument,
  type CountSpec,
  contentHash,
  type FeatureSpec,
  type HistogramPlace,
  histogramWidth,
  packCounts,
  type VersionId,
} from '@interlock/contracts'
import { bounds } from './bounds.ts'
import { Columns } from './columns.ts'
import { counterOf, countRows } from './count.ts'
import { designEffect } from './design-effect.ts'
import { equalMassEdges, momentScale } from './equal-mass-edges.ts'
import { type LatencyLimits, latencyEdges, latencyLimitsOf } from './latency-edges.ts'
import { Tally } from './tally.ts'
import { commonWords, vocabularyOf } from './vocabulary.ts'
import { specProblem, wantedOf } from './wanted.ts'

/** Rows of known-healthy data in columns, all as long as `prediction`. */
export interface BaselineBatch {
  /** Numeric features (missing: NaN) and categorical ones (missing: null). Every batch has the same. */
  readonly features: Readonly<Record<string, Float64Array | readonly (string | null)[]>>
  /** Missing: NaN. */
  readonly score?: Float64Array
  readonly prediction: readonly (string | null)[]
  readonly producer: readonly string[]
  readonly segments: Readonly<Record<string, readonly string[]>>
  /** Missing: NaN. */
  readonly latencyMs?: Float64Array
  /** Which window (a day, say) each row belongs to: how healthy windows differ sets the design effects. */
  readonly window?: Int32Array
}

export interface BaselineOptions {
  /** Bins of equal mass a numeric feature. */
  readonly bins: number
  /** Bins of the score, equally wide on [0, 1]; scores that leave it get bins of equal mass. */
  readonly scoreBins: number
  /** A category with less of the mass is pooled with other rare ones. */
  readonly rareShare: number
  /** Most slices of a segment dimension, and most producers; the rest are `other`. */
  readonly slices: number
  /** Most classes of the prediction; with more it is a regression and has none. */
  readonly classes: number
  /** Exceedance limits where the data hold no latency; otherwise the data's own quantiles .5, .9 and .99. */
  readonly latencyLimitsMs?: LatencyLimits
}

export const baselineDefaults: BaselineOptions = { bins: 20, scoreBins: 20, rareShare: 0.005, slices: 300, classes: 64 }

/** What was wrong with the rows of a baseline: the caller's mistake, worded for a person. */
export class BaselineProblem extends Error {
  override readonly name = 'BaselineProblem'
}

/**
 * Chooses edges and vocabularies from rows known to be healthy, and counts the rows under them. Deterministic: the same
 * rows in any order give the same document, whatever the batches.
 *
 * @param from where the rows come from, for the reader of the document
 * @throws BaselineProblem
 * @source docs/statistics.md "Choosing edges", "Design effect"
 */
export function buildBaseline(request: {
  readonly version: VersionId
  readonly from: string
  readonly batches: readonly BaselineBatch[]
  readonly options?: Partial<BaselineOptions>
  /** A baseline whose bins are taken over, so that counts of both may be compared. It names every feature of the rows. */
  readonly like?: Pick<BaselineDocument, 'spec' | 'latencyLimitsMs'>
}): BaselineDocument {
  const options = { ...baselineDefaults, ...request.options }
  checkBatches(request.batches)
  const rows = request.batches.reduce((sum, { prediction }) => sum + prediction.length, 0)
  const latencies = finite(request.batches, ({ latencyMs }) => latencyMs)
  const latencyLimitsMs = request.like?.latencyLimitsMs ?? options.latencyLimitsMs ?? latencyLimitsOf(latencies)
  if (latencyLimitsMs === null) {
    throw new BaselineProblem(
      'the baseline rows hold no latency, so there are no exceedance limits: give a column latencyMs, or latencyLimitsMs {p50, p90, p99} in milliseconds',
    )
  }
  const spec = request.like?.spec ?? specOf(request.batches, rows, options, latencyEdges(latencyLimitsMs))
  const problem = specProblem(spec)
  if (problem !== null) throw new BaselineProblem(`the baseline rows make no lawful spec: ${problem}`)
  const { slices, phi } = count(spec, request.batches)
  return {
    kind: 'baseline',
    version: request.version,
    from: request.from,
    spec,
    specHash: contentHash(spec),
    rows,
    slices,
    latencyLimitsMs,
    phi,
  }
}

function specOf(
  batches: readonly BaselineBatch[],
  rows: number,
  options: BaselineOptions,
  latencyEdgesMs: readonly number[],
): CountSpec {
  const first = batches[0]!
  const features = Object.keys(first.features)
    .sort()
    .map((name): FeatureSpec => {
      if (first.features[name] instanceof Float64Array) {
        const edges = equalMassEdges(
          finite(batches, (batch) => batch.features[name] as Float64Array),
          options.bins,
        )
        return { kind: 'numeric', name, edges, scale: momentScale(edges) }
      }
      const words = batches.map((batch) => batch.features[name] as readonly (string | null)[])
      const { vocabulary, pooled } = vocabularyOf(words, rows, options.rareShare)
      return { kind: 'categorical', name, vocabulary, ...(pooled.length > 0 ? { pooled } : {}) }
    })
  const scores = finite(batches, ({ score }) => score)
  const unit = scores.length === 0 || (scores[0]! >= 0 && scores[scores.length - 1]! <= 1)
  return {
    v: 1,
    features,
    latencyEdgesMs,
    scoreEdges: unit
      ? Array.from({ length: options.scoreBins + 1 }, (_, edge) => edge / options.scoreBins)
      : equalMassEdges(scores, options.scoreBins),
    classes: classesOf(batches, options.classes),
    segments: Object.keys(first.segments)
      .sort()
      .map((name) => ({
        name,
        values: commonWords(
          batches.map(({ segments }) => segments[name]!),
          options.slices,
        ),
      })),
    producers: commonWords(
      batches.map(({ producer }) => producer),
      options.slices,
    ),
  }
}

/** Labels of a classifier; none for a regression, whose answers are as many as its rows. */
function classesOf(batches: readonly BaselineBatch[], most: number): readonly string[] {
  const predictions = batches.map(({ prediction }) => prediction)
  const classes = commonWords(predictions, most + 1)
  return classes.length > most ? [] : classes
}

/** All finite values of a column over the batches, ascending. */
function finite(
  batches: readonly BaselineBatch[],
  of: (batch: BaselineBatch) => Float64Array | undefined,
): Float64Array {
  const parts = batches.map((batch) => of(batch)?.filter(Number.isFinite) ?? new Float64Array())
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all.sort()
}

/** Counts under the spec with the very kernel that counts live traffic. */
function count(spec: CountSpec, batches: readonly BaselineBatch[]): Pick<BaselineDocument, 'slices' | 'phi'> {
  const wanted = wantedOf({ environments: [], tenants: [], deployments: [], versions: [], specs: [spec] })
  const counter = counterOf(spec, wanted)
  const { width } = counter.layout
  const slices = new Map<string, { dimension: string; value: string; vector: Float64Array }>()
  const windows = new Map<number, Float64Array>()
  for (const batch of batches) {
    for (let from = 0; from < batch.prediction.length; from += bounds.rows) {
      const to = Math.min(from + bounds.rows, batch.prediction.length)
      const columns = new Columns(wanted, to - from)
      fill(columns, batch, from, to)
      const tally = new Tally<'all'>(counter)
      for (let row = 0; row < columns.rows; row++) tally.add(columns, row, 'all')
      for (const slice of tally.count(columns).get('all') ?? []) {
        const key = `${slice.dimension}=${slice.value}`
        const known = slices.get(key)
        if (known === undefined) slices.set(key, { ...slice, vector: slice.vector.slice() })
        else
          slice.vector.forEach((value, index) => {
            known.vector[index]! += value
          })
      }
      if (batch.window !== undefined) addWindows(batch.window.subarray(from, to), columns)
    }
  }
  return {
    slices: [...slices.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { dimension, value, vector }]) => ({
        dimension,
        value,
        counts: Buffer.from(packCounts(vector)).toString('base64'),
      })),
    phi: effectsOf([...windows.values()]),
  }

  function addWindows(window: Int32Array, columns: Columns): void {
    const names = [...new Set(window)]
    const place = new Map(names.map((name, index) => [name, index * width]))
    const into = new Float64Array(names.length * width)
    const rows = Int32Array.from({ length: columns.rows }, (_, row) => row)
    countRows(counter, columns, rows, [window.map((name) => place.get(name)!)], into)
    for (const name of names) {
      const vector = windows.get(name) ?? new Float64Array(width)
      windows.set(name, vector)
      for (let index = 0; index < width; index++) vector[index]! += into[place.get(name)! + index]!
    }
  }

  function effectsOf(vectors: readonly Float64Array[]): Record<string, number> {
    const { layout } = counter
    const of = (histogram: HistogramPlace): number =>
      designEffect(vectors.map((vector) => vector.subarray(histogram.at, histogram.at + histogramWidth(histogram))))
    const scored = [...slices.values()].some(({ vector }) => histogramHasRows(vector, layout.score))
    return {
      ...Object.fromEntries(layout.features.map((place) => [`distribution(${place.name})`, of(place)])),
      'distribution(latency)': of(layout.latency),
      predictions: of(scored ? layout.score : layout.prediction),
    }
  }
}

/** Whether any row has a value: not all are missing. */
function histogramHasRows(vector: Float64Array, { at, bins }: HistogramPlace): boolean {
  return vector.subarray(at, at + bins).some((count) => count > 0)
}

function fill(columns: Columns, batch: BaselineBatch, from: number, to: number): void {
  for (let at = from; at < to; at++) {
    const row = columns.rows
    columns.status.putText(row, 'ok')
    const text = (column: (typeof columns.all)[number], value: string | null | undefined): void =>
      value === null || value === undefined ? column.putNothing(row) : column.putText(row, value)
    const number = (column: (typeof columns.all)[number], value: number | undefined): void =>
      value === undefined || Number.isNaN(value) ? column.putNothing(row) : column.putNumber(row, value)
    text(columns.prediction, batch.prediction[at])
    text(columns.producer, batch.producer[at])
    number(columns.score, batch.score?.[at])
    number(columns.latencyMs, batch.latencyMs?.[at])
    for (const column of columns.segments) text(column, batch.segments[column.name.slice('segments.'.length)]?.[at])
    for (const column of columns.features) {
      const values = batch.features[column.name.slice('features.'.length)]!
      if (values instanceof Float64Array) number(column, values[at])
      else text(column, values[at])
    }
    columns.rows++
  }
}

function checkBatches(batches: readonly BaselineBatch[]): void {
  const first = batches[0]
  if (first === undefined || batches.every(({ prediction }) => prediction.length === 0)) {
    throw new BaselineProblem('there are no baseline rows: check the file, its filter, or the time range')
  }
  const shape = (batch: BaselineBatch): string =>
    JSON.stringify([
      Object.keys(batch.features)
        .sort()
        .map((name) => [name, batch.features[name] instanceof Float64Array]),
      Object.keys(batch.segments).sort(),
      batch.score !== undefined,
      batch.latencyMs !== undefined,
      batch.window !== undefined,
    ])
  batches.forEach((batch, index) => {
    if (shape(batch) !== shape(first)) {
      throw new BaselineProblem(`batch ${index} has other columns, or columns of another type, than batch 0`)
    }
    const columns: readonly (readonly [string, ArrayLike<unknown> | undefined])[] = [
      ...Object.entries(batch.features).map(([name, values]) => [`feature ${name}`, values] as const),
      ...Object.entries(batch.segments).map(([name, values]) => [`segment ${name}`, values] as const),
      ['score', batch.score],
      ['producer', batch.producer],
      ['latencyMs', batch.latencyMs],
      ['window', batch.window],
    ]
    for (const [name, values] of columns) {
      if (values !== undefined && values.length !== batch.prediction.length) {
        throw new BaselineProblem(
          `batch ${index}: ${name} has ${values.length} rows, and prediction ${batch.prediction.length}`,
        )
      }
    }
  })
}
