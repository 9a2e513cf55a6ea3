import type { CountSpec, FeatureSpec } from '@interlock/contracts'
import { type BaselineBatch, BaselineProblem } from './baseline-rows.ts'
import { equalMassEdges, momentScale } from './equal-mass-edges.ts'
import { type LatencyLimits, latencyEdges } from './latency-edges.ts'
import { commonWords, vocabularyOf } from './vocabulary.ts'

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
  /** Local time, by which the hours of the week are told: UTC and so many minutes. */
  readonly utcOffsetMinutes: number
}

export const baselineDefaults: BaselineOptions = {
  bins: 20,
  scoreBins: 20,
  rareShare: 0.005,
  slices: 300,
  classes: 64,
  utcOffsetMinutes: 0,
}

/** Edges, vocabularies, segment values and producers from the rows themselves. */
export function chooseSpec(
  batches: readonly BaselineBatch[],
  options: BaselineOptions,
  limits: LatencyLimits,
): CountSpec {
  const first = batches[0]!
  const segments = Object.keys(first.segments).sort()
  const valuesOf = (columns: readonly (readonly string[])[]): string[] => commonWords(columns, options.slices)
  return {
    v: 1,
    features: Object.keys(first.features)
      .sort()
      .map((name) => chooseFeature(name, batches, options)),
    latencyEdgesMs: latencyEdges(limits),
    scoreEdges: scoreEdgesOf(batches, options.scoreBins),
    classes: classesOf(batches, options.classes),
    segments: segments.map((name) => ({ name, values: valuesOf(batches.map((batch) => batch.segments[name]!)) })),
    producers: valuesOf(batches.map(({ producer }) => producer)),
  }
}

/**
 * The bins of another baseline for these rows, so that the two can be compared.
 *
 * @throws BaselineProblem where the rows hold a feature, segment or latency limit that has no bins there, or of another type
 */
export function sharedSpec(batches: readonly BaselineBatch[], like: CountSpec, limits: LatencyLimits): CountSpec {
  const first = batches[0]!
  for (const limit of Object.values(limits)) {
    if (!like.latencyEdgesMs.includes(limit)) {
      throw new BaselineProblem(`the other baseline has no latency edge at ${limit} ms: leave the latency limits to it`)
    }
  }
  for (const [name, values] of Object.entries(first.features)) {
    const kind = values instanceof Float64Array ? 'numeric' : 'categorical'
    const known = like.features.find((feature) => feature.name === name)
    if (known === undefined) {
      throw new BaselineProblem(
        `the other baseline has no bins for feature ${name}: build from the version with more features first`,
      )
    }
    if (known.kind !== kind)
      throw new BaselineProblem(`feature ${name} is ${kind} here and ${known.kind} in the other baseline`)
  }
  for (const name of Object.keys(first.segments)) {
    if (!like.segments.some((segment) => segment.name === name)) {
      throw new BaselineProblem(
        `the other baseline has no segment ${name}: leave it out here, or build that one with it`,
      )
    }
  }
  return like
}

function chooseFeature(name: string, batches: readonly BaselineBatch[], options: BaselineOptions): FeatureSpec {
  if (batches[0]!.features[name] instanceof Float64Array) {
    const edges = equalMassEdges(
      finiteValues(batches, (batch) => batch.features[name] as Float64Array),
      options.bins,
    )
    return { kind: 'numeric', name, edges, scale: momentScale(edges) }
  }
  const rows = batches.reduce((sum, { prediction }) => sum + prediction.length, 0)
  const words = batches.map((batch) => batch.features[name] as readonly (string | null)[])
  const { vocabulary, pooled } = vocabularyOf(words, rows, options.rareShare)
  return { kind: 'categorical', name, vocabulary, ...(pooled.length > 0 ? { pooled } : {}) }
}

function scoreEdgesOf(batches: readonly BaselineBatch[], bins: number): number[] {
  const scores = finiteValues(batches, ({ score }) => score)
  const isUnit = scores.length === 0 || (scores[0]! >= 0 && scores[scores.length - 1]! <= 1)
  return isUnit ? Array.from({ length: bins + 1 }, (_, edge) => edge / bins) : equalMassEdges(scores, bins)
}

/** Labels of a classifier; none for a regression, whose answers are nearly as many as its rows. */
function classesOf(batches: readonly BaselineBatch[], most: number): readonly string[] {
  const classes = commonWords(
    batches.map(({ prediction }) => prediction),
    most + 1,
  )
  return classes.length > most ? [] : classes
}

/** All finite values of a column over the batches, ascending. */
export function finiteValues(
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
