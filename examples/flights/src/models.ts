import type { DelayRates, Features, FeaturesV2, Version } from './features.ts'
import { airports } from './regions.ts'

/**
 * A delay model: P(arrives more than 15 minutes late), by logistic regression over the terms of its version.
 * Plain data; `score` reads it.
 */
export type Model = {
  readonly version: Version
  readonly rates: DelayRates
  /** One weight an entry of the version's layout (`layoutOf`). */
  readonly weights: Float64Array
  /** Scores from here on are answered with "late": chosen so that as many are called late as were. */
  readonly threshold: number
}

/** What a model answers. */
export type Prediction = 'late' | 'on-time'

/** One block of weights: which of them a row uses, and times what. */
export type Term<F> = {
  readonly name: string
  readonly size: number
  /** Which weight of the block; −1: none. */
  index(features: F): number
  /** What it is multiplied by (1 where absent). */
  value?(features: F, rates: DelayRates): number
}

/** Upper edges, in miles, of the distance bands; the last band has none. */
export const distanceEdges = [150, 250, 350, 500, 700, 950, 1_300, 1_800, 2_300] as const

const airportCode = new Map(airports.map((airport, code) => [airport, code]))

const termsV1: readonly Term<Features>[] = [
  { name: 'bias', size: 1, index: () => 0 },
  { name: 'hour', size: 24, index: (features) => features.hour },
  { name: 'distanceBand', size: distanceEdges.length + 1, index: (features) => bandOf(features.distance) },
  {
    name: 'originDelayRate',
    size: 1,
    index: () => 0,
    value: (features, rates) => relativeLogit(features.originDelayRate, rates.overall),
  },
]

const termsV2: readonly Term<FeaturesV2>[] = [
  ...termsV1,
  { name: 'destination', size: airports.length, index: (features) => airportCode.get(features.destination) ?? -1 },
  {
    name: 'hourAndDistanceBand',
    size: 24 * (distanceEdges.length + 1),
    index: (features) => features.hour * (distanceEdges.length + 1) + bandOf(features.distance),
  },
  {
    name: 'routeDelayRate',
    size: 1,
    index: () => 0,
    value: (features, rates) => relativeLogit(features.routeDelayRate, rates.overall),
  },
  {
    name: 'originHourDelayRate',
    size: 1,
    index: () => 0,
    value: (features, rates) => relativeLogit(features.originHourDelayRate, rates.overall),
  },
]

/** The terms of a version. The caller hands them features of the same version. */
export function termsOf(version: Version): readonly Term<FeaturesV2>[] {
  return version === 'v1' ? termsV1 : termsV2
}

/** Where each block of weights begins, by name, and how many weights there are in all. */
export function layoutOf(version: Version): { readonly blocks: ReadonlyMap<string, number>; readonly size: number } {
  const blocks = new Map<string, number>()
  let size = 0
  for (const term of termsOf(version)) {
    blocks.set(term.name, size)
    size += term.size
  }
  return { blocks, size }
}

/** The model's probability that the flight arrives late, in (0, 1). */
export function score(model: Model, features: Features): number {
  let logit = 0
  let begin = 0
  const complete = features as FeaturesV2
  for (const term of termsOf(model.version)) {
    const index = term.index(complete)
    if (index >= 0) logit += model.weights[begin + index]! * (term.value?.(complete, model.rates) ?? 1)
    begin += term.size
  }
  return 1 / (1 + Math.exp(-logit))
}

/** What is answered for a score. */
export function decide(model: Model, probability: number): Prediction {
  return probability >= model.threshold ? 'late' : 'on-time'
}

/** ln odds of a rate relative to the overall rate; a rate that is missing counts as the overall one. */
function relativeLogit(rate: number | null, overall: number): number {
  if (rate === null) return 0
  return Math.log(rate / (1 - rate)) - Math.log(overall / (1 - overall))
}

function bandOf(distance: number): number {
  let band = 0
  while (band < distanceEdges.length && distance >= distanceEdges[band]!) band++
  return band
}
