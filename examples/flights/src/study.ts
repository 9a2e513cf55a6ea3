import { deploymentSalt, goesToCandidate, positionOf } from './assignment.ts'
import { areaUnderCurve } from './auc.ts'
import { marchRows } from './baseline-rows.ts'
import { type Flights, lateAfterMinutes, loadFlights, rowsOfDay, spans } from './data.ts'
import { type Binning, categoryBins, equalMassBins } from './drift.ts'
import { faultSize } from './faults.ts'
import { type FeatureFaults, type FeaturesV2, type FlightRequest, featuresV1, featuresV2, healthy } from './features.ts'
import { type Model, score } from './models.ts'
import { keyedUniform } from './random.ts'
import { type Region, regions } from './regions.ts'
import { faulted } from './traffic.ts'
import type { Training } from './training.ts'
import { requestOf } from './units.ts'

/** What is measured: a feature or a score, healthy or under a fault, and whose bins and baseline it is held against. */
export type StudiedSignal = { readonly name: string; readonly baseline: string; readonly fault: string | null }

/** All studied signals; those with a fault are held against the healthy baseline of their namesake. */
export const studiedSignals: readonly StudiedSignal[] = [
  ...['distance', 'origin', 'destination', 'hour', 'dayOfWeek'].map(unfaulted),
  ...['originDelayRate', 'routeDelayRate', 'originHourDelayRate', 'score v1', 'score v2'].map(unfaulted),
  { name: 'distance in v2', baseline: 'distance', fault: 'unit' },
  { name: 'score v2', baseline: 'score v2', fault: 'unit' },
  { name: 'distance', baseline: 'distance', fault: 'source' },
  { name: 'score v1', baseline: 'score v1', fault: 'source' },
  { name: 'score v2', baseline: 'score v2', fault: 'source' },
  { name: 'originDelayRate in v2', baseline: 'originDelayRate', fault: 'missing' },
  { name: 'score v2', baseline: 'score v2', fault: 'missing' },
]

/** Counts of a signal's bins, by region of origin. */
export type CountsByRegion = ReadonlyMap<Region, Float64Array>

/** Everything the study counted. */
export type Study = {
  /** March, a signal each. */
  readonly baseline: readonly CountsByRegion[]
  /** April to June: day, then signal. */
  readonly days: readonly (readonly CountsByRegion[])[]
}

/** Counts March and each day of April to June with the bins of March (20 of equal mass; categories from 0.5 %). */
export async function studyDays(training: Training): Promise<Study> {
  const binnings = await binningsOfMarch(training)
  const march = await loadFlights(spans.march)
  const live = await loadFlights(spans.live)
  const days: CountsByRegion[][] = []
  for (let day = spans.live.from; day < spans.live.to; day++) {
    days.push(countRows(training, binnings, live, rowsOfDay(live, day), true))
  }
  return { baseline: countRows(training, binnings, march, { from: 0, to: march.rows }, false), days }
}

/** Counts of the two arms at a share of the candidate, over the first `dayCount` days of April, for every healthy signal. */
export async function studyArms(training: Training, shares: readonly number[], dayCount: number) {
  const binnings = await binningsOfMarch(training)
  const days = { from: spans.live.from, to: spans.live.from + dayCount }
  const live = await loadFlights(days)
  const signals = studiedSignals.filter(({ fault }) => fault === null)
  const empty = () => signals.map(({ baseline }) => new Float64Array(binnings.get(baseline)!.size))
  const arms = shares.map((share) => ({ share, stable: empty(), candidate: empty(), units: new Set<string>() }))
  const units = new Set<string>()
  for (let row = 0; row < live.rows; row++) {
    const request = requestOf(live, row)
    const values = valuesOf(training, request, false)
    const bins = signals.map(({ baseline }, index) => binnings.get(baseline)!.binOf(values[index]!))
    const position = positionOf(deploymentSalt, request.unit)
    units.add(request.unit)
    for (const arm of arms) {
      const isCandidate = goesToCandidate(position, arm.share)
      if (isCandidate) arm.units.add(request.unit)
      const counts = isCandidate ? arm.candidate : arm.stable
      for (let index = 0; index < bins.length; index++) counts[index]![bins[index]!]!++
    }
  }
  return { signals, arms, units: units.size, rows: live.rows }
}

/** Area under the ROC curve on April to June: both versions, and v2 under each fault of its feature code. */
export async function studyAccuracy({ models }: Training): Promise<ReadonlyMap<string, number>> {
  const live = await loadFlights(spans.live)
  const { v1, v2 } = models
  const scorers = new Map<string, (request: FlightRequest) => number>([
    ['v1', (request) => scoreV1(v1, request)],
    ['v2', (request) => score(v2, under(v2, request, healthy))],
    [
      'v2, fault unit',
      (request) =>
        score(
          v2,
          under(v2, request, (fault) => fault === 'unit'),
        ),
    ],
    ['v2, fault missing', (request) => score(v2, under(v2, request, losesRate(request)))],
  ])
  const late = Uint8Array.from(live.delayMinutes, (delay) => (delay > lateAfterMinutes ? 1 : 0))
  const accuracy = new Map<string, number>()
  for (const [name, scorer] of scorers) {
    const scores = Float64Array.from({ length: live.rows }, (_, row) => scorer(requestOf(live, row)))
    accuracy.set(name, areaUnderCurve(scores, late))
  }
  return accuracy
}

function countRows(
  training: Training,
  binnings: ReadonlyMap<string, Binning>,
  flights: Flights,
  rows: { readonly from: number; readonly to: number },
  withFaults: boolean,
): CountsByRegion[] {
  const signals = studiedSignals.filter(({ fault }) => withFaults || fault === null)
  const binningOf = signals.map(({ baseline }) => binnings.get(baseline)!)
  const counts = binningOf.map(({ size }) => new Map(regions.map((region) => [region, new Float64Array(size)])))
  for (let row = rows.from; row < rows.to; row++) {
    const request = requestOf(flights, row)
    const values = valuesOf(training, request, withFaults)
    for (let index = 0; index < signals.length; index++) {
      counts[index]!.get(request.producer as Region)![binningOf[index]!.binOf(values[index]!)]!++
    }
  }
  return counts
}

/** Values of the studied signals for one request, in their order. */
function valuesOf({ models }: Training, request: FlightRequest, withFaults: boolean): (number | string | null)[] {
  const { v1, v2 } = models
  const seen = featuresV2(request, v2.rates, healthy)
  const values = [
    ...[seen.distance, seen.origin, seen.destination, seen.hour, seen.dayOfWeek],
    ...[seen.originDelayRate, seen.routeDelayRate, seen.originHourDelayRate],
    ...[scoreV1(v1, request), score(v2, seen)],
  ]
  if (!withFaults) return values
  const inKilometres = under(v2, request, (fault) => fault === 'unit')
  const sent = faulted(request, true)
  const lossy = under(v2, request, losesRate(request))
  values.push(inKilometres.distance, score(v2, inKilometres))
  values.push(sent.distance, scoreV1(v1, sent), score(v2, under(v2, sent, healthy)))
  values.push(lossy.originDelayRate, score(v2, lossy))
  return values
}

function under(model: Model, request: FlightRequest, faults: FeatureFaults): FeaturesV2 {
  return featuresV2(request, model.rates, faults)
}

/** The fault `missing`, on the share of rows that it strikes. */
function losesRate(request: FlightRequest): FeatureFaults {
  const isLost = keyedUniform(1, request.flight, 12) < faultSize.missing.share
  return (fault) => fault === 'missing' && isLost
}

function scoreV1(model: Model, request: FlightRequest): number {
  return score(model, featuresV1(request, model.rates))
}

async function binningsOfMarch({ models }: Training): Promise<ReadonlyMap<string, Binning>> {
  const columns = new Map<string, (Float64Array | string[])[]>()
  const gather = (name: string, column: Float64Array | string[]) => {
    const parts = columns.get(name)
    if (parts === undefined) columns.set(name, [column])
    else parts.push(column)
  }
  for await (const batch of marchRows(models.v2)) {
    for (const [name, column] of Object.entries(batch.features)) gather(name, column)
    gather('score v2', batch.score)
  }
  for await (const batch of marchRows(models.v1)) gather('score v1', batch.score)
  return new Map(
    [...columns].map(([name, parts]) => [
      name,
      parts[0] instanceof Float64Array
        ? equalMassBins(Float64Array.from((parts as Float64Array[]).flatMap((part) => [...part])), 20)
        : categoryBins((parts as string[][]).flat(), 0.005),
    ]),
  )
}

function unfaulted(name: string): StudiedSignal {
  return { name, baseline: name, fault: null }
}
