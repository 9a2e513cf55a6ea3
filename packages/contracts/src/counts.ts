import type { Hash } from './ids.ts'
import { putVarint, VarintReader } from './varint.ts'

/**
 * What the profiler counts for a deployment: frozen edges and vocabularies. Content-addressed; counts made under two
 * different specs never merge (docs/statistics.md "Choosing edges").
 */
export interface CountSpec {
  readonly v: 1
  readonly features: readonly FeatureSpec[]
  /** Upper edges of latency bins in ms, strictly increasing; includes the exceedance limits as edges. */
  readonly latencyEdgesMs: readonly number[]
  /** Edges of score bins, strictly increasing. */
  readonly scoreEdges: readonly number[]
  /** Class labels of the prediction; others count as unseen. Empty for regression. */
  readonly classes: readonly string[]
  /** Segment dimensions by name with their known values; others count as `other`. */
  readonly segments: readonly { readonly name: string; readonly values: readonly string[] }[]
  /** Known producers; others count as `other`. */
  readonly producers: readonly string[]
}

export type FeatureSpec = NumericFeature | CategoricalFeature

export interface NumericFeature {
  readonly kind: 'numeric'
  readonly name: string
  /** k+1 strictly increasing finite edges make k bins; bin i is [edge i, edge i+1), the last one closed. */
  readonly edges: readonly number[]
  /** Fixed point of the exact moments: a value counts as round((value − edges[0]) / scale) steps, below 2^20. */
  readonly scale: number
}

export interface CategoricalFeature {
  readonly kind: 'categorical'
  readonly name: string
  readonly vocabulary: readonly string[]
  /**
   * Values that were seen in the baseline but are too rare for a bin of their own: they count in the vocabulary's entry
   * `__other__`, so that `unseen` means never seen. Absent: none, and every value outside the vocabulary is unseen.
   */
  readonly pooled?: readonly string[]
}

/** The vocabulary's entry for the values of `pooled`. */
export const pooledWord = '__other__'

/** One histogram signal in the flat count vector of a cell. */
export interface HistogramPlace {
  readonly name: string
  readonly at: number
  /** Number of regular bins; the special bins follow them in the order of `specials`. */
  readonly bins: number
  readonly specials: readonly SpecialBin[]
}
export type SpecialBin = 'below' | 'above' | 'missing' | 'invalid' | 'unseen'

/** Where each signal of a spec stands in a cell's count vector. Everything in it is an integer. */
export interface Layout {
  readonly width: number
  readonly rows: number
  /** Four cells in the order of `predictionStatuses`. */
  readonly status: number
  readonly latency: HistogramPlace
  readonly score: HistogramPlace
  readonly prediction: HistogramPlace
  readonly features: readonly HistogramPlace[]
  /**
   * Exact moments of the numeric features over their regular bins: s1, then s2 as high and low part
   * (s2 = high·2^20 + low, never reduced: both parts simply add).
   */
  readonly moments: readonly {
    readonly name: string
    readonly s1: number
    readonly s2High: number
    readonly s2Low: number
  }[]
  /**
   * Of the sample of event ids: its rows, and those among them whose id had come before. The evaluator writes them, since
   * only whoever holds the samples of all parts can tell; counts of the profiler are 0 here.
   */
  readonly sampled: { readonly rows: number; readonly repeated: number }
}

/** Number of regular bins between edges; none where a deployment has no such value (no edges). */
function binsBetween(edges: readonly number[]): number {
  return Math.max(0, edges.length - 1)
}

/** The factor between the two parts of a second moment. */
export const momentSplit = 2 ** 20

/** Ids of a sample of event ids: below it the sample is all of them, beyond it a uniform draw of so many. */
export const sampleIds = 256

/** Layout of a spec's count vector. Pure function of the spec; every reader computes the same. */
export function layoutOf(spec: CountSpec): Layout {
  let next = 0
  const take = (length: number): number => {
    const at = next
    next += length
    return at
  }
  const place = (name: string, bins: number, specials: readonly SpecialBin[]): HistogramPlace => ({
    name,
    bins,
    specials,
    at: take(bins + specials.length),
  })
  const rows = take(1)
  const status = take(4)
  const latency = place('latency', binsBetween(spec.latencyEdgesMs), numericSpecials)
  const score = place('score', binsBetween(spec.scoreEdges), numericSpecials)
  const prediction = place('prediction', spec.classes.length, categoricalSpecials)
  const features = spec.features.map((feature) =>
    feature.kind === 'numeric'
      ? place(feature.name, binsBetween(feature.edges), numericSpecials)
      : place(feature.name, feature.vocabulary.length, categoricalSpecials),
  )
  const moments = spec.features
    .filter((feature) => feature.kind === 'numeric')
    .map(({ name }) => ({ name, s1: take(1), s2High: take(1), s2Low: take(1) }))
  const sampled = { rows: take(1), repeated: take(1) }
  return { width: next, rows, status, latency, score, prediction, features, moments, sampled }
}

export const numericSpecials = ['below', 'above', 'missing', 'invalid'] as const satisfies readonly SpecialBin[]
export const categoricalSpecials = ['unseen', 'missing', 'invalid'] as const satisfies readonly SpecialBin[]

/** Index of a special bin in a count vector, or −1 where this histogram has none of that kind. */
export function specialAt(place: HistogramPlace, special: SpecialBin): number {
  const index = place.specials.indexOf(special)
  return index < 0 ? -1 : place.at + place.bins + index
}

/** Number of cells of a histogram, special bins included. */
export function histogramWidth(place: HistogramPlace): number {
  return place.bins + place.specials.length
}

/**
 * A slice of the rows of one version in one pane. Every row is in exactly one producer slice, so the total is the sum
 * over the slices of dimension `producer`; each segment dimension slices the same rows again.
 */
export interface SliceCounts {
  /** `producer`, or a segment dimension's name prefixed with `segment:`. */
  readonly dimension: string
  readonly value: string
  /** Sparse counts of the slice: pairs (gap to the next non-zero index, count), varints: `packCounts`. */
  readonly counts: Uint8Array
}

/** Sum of baseline or healthy counts by slice, with the spec they were counted under. */
export interface BaselineCounts {
  readonly spec: Hash
  readonly rows: number
  readonly slices: readonly SliceCounts[]
}

/** Packs a count vector sparsely as LEB128 varint pairs (gap since the last non-zero index, count). */
export function packCounts(counts: ArrayLike<number>): Uint8Array {
  const bytes: number[] = []
  let last = -1
  for (let index = 0; index < counts.length; index++) {
    const count = counts[index] as number
    if (count === 0) continue
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`count at ${index} is ${count}: counts are whole numbers from 0 to 2^53 − 1`)
    }
    putVarint(bytes, index - last - 1)
    putVarint(bytes, count)
    last = index
  }
  return Uint8Array.from(bytes)
}

/**
 * Adds (or, with sign −1, subtracts) packed counts into a vector.
 *
 * @throws RangeError when the bytes name a place outside the vector, end early, or a sum leaves 0 … 2^53 − 1.
 */
export function addPacked(packed: Uint8Array, into: Float64Array, sign: 1 | -1 = 1): void {
  const numbers = new VarintReader(packed)
  let index = -1
  while (numbers.hasMore) {
    index += numbers.next() + 1
    const count = numbers.next()
    const old = into[index]
    if (old === undefined) throw new RangeError(`packed counts name place ${index} of ${into.length}`)
    const sum = old + sign * count
    if (!Number.isSafeInteger(sum) || sum < 0)
      throw new RangeError(`sum at ${index} leaves the range of counts: ${sum}`)
    into[index] = sum
  }
}
