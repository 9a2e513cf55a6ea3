import { areaUnderCurve } from './auc.ts'
import { type DaySpan, type Flights, lateAfterMinutes, loadFlights, spans } from './data.ts'
import {
  type DelayRates,
  type Features,
  type FeaturesV2,
  type FlightRequest,
  featuresV1,
  featuresV2,
  healthy,
  type Version,
} from './features.ts'
import { layoutOf, type Model, score, termsOf } from './models.ts'
import { shuffle, xoshiro128 } from './random.ts'
import { requestOf } from './units.ts'

/** Both versions and how they compare offline. */
export type Training = {
  readonly models: Readonly<Record<Version, Model>>
  readonly report: TrainingReport
}

/** What the manifests say about the training. */
export type TrainingReport = {
  readonly trainedRows: number
  readonly ratedRows: number
  readonly heldOutRows: number
  /** Area under the ROC curve on 21 to 31 March. */
  readonly auc: Readonly<Record<Version, number>>
  readonly seconds: number
}

/** Ways to train on less than all, for tests. */
export type TrainOnLess = { readonly everyNth?: number; readonly days?: DaySpan; readonly heldOutDays?: DaySpan }

const seed = 20_010_101
const rateSmoothingRows = 50
const passes = 2
const learningRate = 0.08

/**
 * Trains v1 and v2 on January and February 2001 and compares them on 21 to 31 March. Deterministic: the same data give
 * the same weights. Rates come from three rows in four, weights from the fourth: a row never sees a rate with itself in it.
 *
 * For tests, `everyNth` uses only each n-th row and `days` others than January and February, `heldOutDays` than 21 to 31 March.
 */
export async function train(less: TrainOnLess = {}): Promise<Training> {
  const { everyNth = 1, days = spans.training, heldOutDays = spans.heldOut } = less
  const began = performance.now()
  const training = await loadFlights(days)
  const heldOut = await loadFlights(heldOutDays)
  const rates = ratesOf(training, everyNth)
  const rows = rowsForWeights(training, everyNth)
  const models = { v1: fitModel('v1', rates, training, rows), v2: fitModel('v2', rates, training, rows) }
  const heldOutRows = Uint32Array.from({ length: Math.floor(heldOut.rows / everyNth) }, (_, row) => row * everyNth)
  return {
    models,
    report: {
      trainedRows: rows.length,
      ratedRows: Math.floor(training.rows / everyNth) - rows.length,
      heldOutRows: heldOutRows.length,
      auc: { v1: aucOf(models.v1, heldOut, heldOutRows), v2: aucOf(models.v2, heldOut, heldOutRows) },
      seconds: (performance.now() - began) / 1_000,
    },
  }
}

/** The features of a version by its own code, as they are while nothing is wrong. */
export function healthyFeatures(version: Version, request: FlightRequest, rates: DelayRates): Features {
  return version === 'v1' ? featuresV1(request, rates) : featuresV2(request, rates, healthy)
}

function rowsForWeights(flights: Flights, everyNth: number): Uint32Array {
  const step = 4 * everyNth
  const rows = Uint32Array.from({ length: Math.floor(flights.rows / step) }, (_, index) => index * step)
  return shuffle(rows, xoshiro128(seed))
}

function ratesOf(flights: Flights, everyNth: number): DelayRates {
  const origin = new Tally()
  const route = new Tally()
  const originHour = new Tally()
  let rows = 0
  let lateRows = 0
  for (let row = 0; row < flights.rows; row += everyNth) {
    if (row % (4 * everyNth) === 0) continue
    const from = flights.airports[flights.origin[row]!]!
    const late = isLate(flights, row)
    rows++
    lateRows += late
    origin.add(from, late)
    route.add(`${from}-${flights.airports[flights.destination[row]!]!}`, late)
    originHour.add(`${from}-${Math.floor(flights.departureMinute[row]! / 60) % 24}`, late)
  }
  const overall = rounded(lateRows / rows)
  return {
    overall,
    origin: origin.rates(overall),
    route: route.rates(overall),
    originHour: originHour.rates(overall),
  }
}

/** Counts rows and late rows by key; a rate leans on the overall rate as if 50 rows of it had been seen. */
class Tally {
  private readonly counts = new Map<string, { rows: number; late: number }>()

  add(key: string, late: number): void {
    const count = this.counts.get(key)
    if (count === undefined) this.counts.set(key, { rows: 1, late })
    else {
      count.rows++
      count.late += late
    }
  }

  rates(overall: number): Map<string, number> {
    const sorted = [...this.counts].sort(([left], [right]) => (left < right ? -1 : 1))
    return new Map(
      sorted.map(([key, { rows, late }]) => [
        key,
        rounded((late + rateSmoothingRows * overall) / (rows + rateSmoothingRows)),
      ]),
    )
  }
}

/** Logistic regression by AdaGrad over the terms of the version, two passes in a fixed order. */
function fitModel(version: Version, rates: DelayRates, flights: Flights, rows: Uint32Array): Model {
  const terms = termsOf(version)
  const weights = new Float64Array(layoutOf(version).size)
  const squares = new Float64Array(weights.length).fill(1)
  const at = new Int32Array(terms.length)
  const values = new Float64Array(terms.length)
  for (let pass = 0; pass < passes; pass++) {
    for (const row of rows) {
      const features = healthyFeatures(version, requestOf(flights, row), rates) as FeaturesV2
      let logit = 0
      let begin = 0
      for (let index = 0; index < terms.length; index++) {
        const term = terms[index]!
        const offset = term.index(features)
        at[index] = begin + Math.max(offset, 0)
        values[index] = offset < 0 ? 0 : (term.value?.(features, rates) ?? 1)
        logit += weights[at[index]!]! * values[index]!
        begin += term.size
      }
      const error = 1 / (1 + Math.exp(-logit)) - isLate(flights, row)
      for (let index = 0; index < terms.length; index++) {
        const gradient = error * values[index]!
        const weight = at[index]!
        squares[weight]! += gradient * gradient
        weights[weight]! -= (learningRate * gradient) / Math.sqrt(squares[weight]!)
      }
    }
  }
  const draft: Model = { version, rates, weights: weights.map(rounded), threshold: 1 }
  return { ...draft, threshold: thresholdOf(draft, flights, rows) }
}

/** The score above which as many rows lie as were late. */
function thresholdOf(model: Model, flights: Flights, rows: Uint32Array): number {
  const scores = new Float64Array(rows.length)
  let late = 0
  for (let index = 0; index < rows.length; index++) {
    scores[index] = score(model, healthyFeatures(model.version, requestOf(flights, rows[index]!), model.rates))
    late += isLate(flights, rows[index]!)
  }
  return rounded(scores.sort()[Math.max(rows.length - late, 0)] ?? 0.5)
}

function aucOf(model: Model, flights: Flights, rows: Uint32Array): number {
  const scores = new Float64Array(rows.length)
  const late = new Uint8Array(rows.length)
  for (let index = 0; index < rows.length; index++) {
    scores[index] = score(model, healthyFeatures(model.version, requestOf(flights, rows[index]!), model.rates))
    late[index] = isLate(flights, rows[index]!)
  }
  return areaUnderCurve(scores, late)
}

function isLate(flights: Flights, row: number): 0 | 1 {
  return flights.delayMinutes[row]! > lateAfterMinutes ? 1 : 0
}

/** Six decimals: what is written is what serves, and a last-bit difference between machines does not change a digest. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
