import {
  type CountSpec,
  type FeatureSpec,
  type HistogramPlace,
  type Layout,
  layoutOf,
  momentSplit,
  pooledWord,
  specialAt,
} from '@interlock/contracts'
import { BinLookup } from './bin-lookup.ts'
import { type Column, type Columns, tags, type Wanted } from './columns.ts'
import { specProblem } from './wanted.ts'
import { unknownWord, type WordTable } from './word-table.ts'

/** Writes, for every row of `rows`, the place in the layout at which its cell of one column counts. */
type Placing = (column: Column, rows: Int32Array, places: Int32Array) => void

/** One way of slicing rows: by producer, or by a segment. */
export interface Slicing {
  /** `producer`, or `segment:<name>`. */
  readonly dimension: string
  column(columns: Columns): Column
  /** Slice of each code of the column; the last entry is for rows of no code. */
  readonly sliceOfCode: Int32Array
  readonly values: readonly string[]
}

/** Value of a slice for rows whose producer or segment is not in the spec, or missing. */
export const otherSlice = 'other'

interface FeaturePlan {
  readonly placing: Placing
  readonly moments: Moments | null
}

/** Where a numeric feature's moments stand, and its fixed point. */
interface Moments {
  readonly s1: number
  readonly s2High: number
  readonly s2Low: number
  readonly first: number
  readonly scale: number
  /** Places below this one are regular bins; only their rows enter a moment. */
  readonly from: number
  readonly to: number
}

/** A spec made ready to count columns of one shape. */
export interface Counter {
  readonly spec: CountSpec
  readonly layout: Layout
  /** Producer first, then the segments in the spec's order. */
  readonly slicings: readonly Slicing[]
  /** Places in `Columns.features` of the spec's features. */
  readonly features: readonly number[]
  readonly plans: readonly FeaturePlan[]
  readonly latency: Placing
  readonly score: Placing
  readonly prediction: Placing
}

/**
 * @param wanted what the columns were made for; must hold every name of the spec
 * @throws RangeError for a spec that `specProblem` refuses
 */
export function counterOf(spec: CountSpec, wanted: Wanted): Counter {
  const problem = specProblem(spec)
  if (problem !== null) throw new RangeError(`the spec cannot be counted: ${problem}`)
  const layout = layoutOf(spec)
  const placeOf = (list: readonly { readonly name: string }[], name: string): number => {
    const place = list.findIndex((candidate) => candidate.name === name)
    if (place < 0) throw new RangeError(`the columns hold no "${name}"`)
    return place
  }
  const features = spec.features.map(({ name }) => placeOf(wanted.features, name))
  return {
    spec,
    layout,
    features,
    slicings: [
      slicing('producer', spec.producers, wanted.producers, (columns) => columns.producer),
      ...spec.segments.map(({ name, values }) => {
        const place = placeOf(wanted.segments, name)
        return slicing(`segment:${name}`, values, wanted.segments[place]!.table, (columns) => columns.segments[place]!)
      }),
    ],
    plans: spec.features.map((feature, index) =>
      planOf(feature, layout, index, wanted.features[features[index]!]!.table),
    ),
    latency: numericPlacing(layout.latency, spec.latencyEdgesMs),
    score: numericPlacing(layout.score, spec.scoreEdges),
    prediction: wordPlacing(layout.prediction, spec.classes, [], wanted.classes),
  }
}

function slicing(
  dimension: string,
  known: readonly string[],
  table: WordTable,
  column: (columns: Columns) => Column,
): Slicing {
  const values = [...new Set([...known, otherSlice])].sort()
  const places = new Map(values.map((value, place) => [value, place]))
  const other = places.get(otherSlice)!
  const sliceOfCode = Int32Array.from([...table.words, otherSlice], (word) => places.get(word) ?? other)
  return { dimension, column, sliceOfCode, values }
}

/** Place of a row's slice in `slicing.values`. */
export function sliceOf({ sliceOfCode, column }: Slicing, columns: Columns, row: number): number {
  const { tags: kinds, codes } = column(columns)
  const code = kinds[row] === tags.word ? codes[row]! : unknownWord
  return sliceOfCode[code === unknownWord ? sliceOfCode.length - 1 : code]!
}

function planOf(feature: FeatureSpec, layout: Layout, index: number, table: WordTable): FeaturePlan {
  const place = layout.features[index]!
  if (feature.kind === 'categorical') {
    return { placing: wordPlacing(place, feature.vocabulary, feature.pooled ?? [], table), moments: null }
  }
  const { s1, s2High, s2Low } = layout.moments.find(({ name }) => name === feature.name)!
  const moments = { s1, s2High, s2Low, first: feature.edges[0]!, scale: feature.scale }
  return {
    placing: numericPlacing(place, feature.edges),
    moments: { ...moments, from: place.at, to: place.at + place.bins },
  }
}

function numericPlacing(place: HistogramPlace, edges: readonly number[]): Placing {
  const lookup = new BinLookup(edges)
  const missing = specialAt(place, 'missing')
  const invalid = specialAt(place, 'invalid')
  return (column, rows, places) => {
    const { numbers, tags: kinds } = column
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!
      const kind = kinds[row]
      const value = numbers[row]!
      if (kind === tags.number) places[index] = Number.isFinite(value) ? place.at + lookup.of(value) : invalid
      else places[index] = kind === tags.missing ? missing : invalid
    }
  }
}

function wordPlacing(
  place: HistogramPlace,
  words: readonly string[],
  pooled: readonly string[],
  table: WordTable,
): Placing {
  const missing = specialAt(place, 'missing')
  const invalid = specialAt(place, 'invalid')
  const unseen = specialAt(place, 'unseen')
  const placeOfCode = new Int32Array(table.words.length).fill(unseen)
  const known = (word: string, bin: number): void => {
    const code = table.codeOf(word)
    if (code === unknownWord) throw new RangeError(`the columns do not know the word "${word}"`)
    placeOfCode[code] = place.at + bin
  }
  words.forEach(known)
  for (const word of pooled) known(word, words.indexOf(pooledWord))
  return (column, rows, places) => {
    const { codes, tags: kinds } = column
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!
      const kind = kinds[row]
      if (kind === tags.word) places[index] = codes[row] === unknownWord ? unseen : placeOfCode[codes[row]!]!
      else places[index] = kind === tags.missing ? missing : invalid
    }
  }
}

/**
 * Adds rows to count vectors: integers only, so any order, split or merge of rows gives the same vectors.
 *
 * @param rows which rows of `columns` to count
 * @param starts for each way of grouping (by producer, by airport …) and each of `rows`, where the vector of the row's
 *   group begins in `into`; every row is added once a way
 * @param into the groups' vectors, one after the other, each `layout.width` long
 */
export function countRows(
  counter: Counter,
  columns: Columns,
  rows: Int32Array,
  starts: readonly Int32Array[],
  into: Float64Array,
): void {
  const { layout } = counter
  const places = new Int32Array(rows.length)
  const add = (): void => {
    for (const start of starts) {
      for (let index = 0; index < rows.length; index++) into[start[index]! + places[index]!]!++
    }
  }
  places.fill(layout.rows)
  add()
  for (let index = 0; index < rows.length; index++) places[index] = layout.status + columns.status.codes[rows[index]!]!
  add()
  counter.latency(columns.latencyMs, rows, places)
  add()
  counter.score(columns.score, rows, places)
  add()
  counter.prediction(columns.prediction, rows, places)
  add()
  counter.plans.forEach(({ placing, moments }, index) => {
    const column = columns.features[counter.features[index]!]!
    placing(column, rows, places)
    add()
    if (moments !== null) addMoments(moments, column, rows, places, starts, into)
  })
}

function addMoments(
  { s1, s2High, s2Low, first, scale, from, to }: Moments,
  column: Column,
  rows: Int32Array,
  places: Int32Array,
  starts: readonly Int32Array[],
  into: Float64Array,
): void {
  for (let index = 0; index < rows.length; index++) {
    const place = places[index]!
    if (place < from || place >= to) continue
    const step = Math.round((column.numbers[rows[index]!]! - first) / scale)
    const square = step * step
    const high = Math.floor(square / momentSplit)
    const low = square - high * momentSplit
    for (const start of starts) {
      const at = start[index]!
      into[at + s1]! += step
      into[at + s2High]! += high
      into[at + s2Low]! += low
    }
  }
}
