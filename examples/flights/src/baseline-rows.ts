import { loadFlights, spans } from './data.ts'
import { categoricalFeatures, numericFeatures } from './features.ts'
import { decide, type Model, score } from './models.ts'
import { keyedLogNormal } from './random.ts'
import { modelledLatency } from './serving.ts'
import { healthyFeatures } from './training.ts'
import { requestOf } from './units.ts'

/** Rows in columns; every column has as many entries as `score`. */
export type ColumnBatch = {
  /** Numeric features as Float64Array (missing: NaN), categorical ones as strings. */
  readonly features: Readonly<Record<string, Float64Array | string[]>>
  readonly score: Float64Array
  readonly prediction: string[]
  readonly producer: string[]
  /** Service time as the router models it: the data hold none. */
  readonly latencyMs: Float64Array
  /** Day of departure, counted from 1970: how healthy days differ sets the design effects. */
  readonly window: Int32Array
  /** `airport`: the origin. */
  readonly segments: Readonly<Record<string, string[]>>
}

const batchRows = 65_536
const dayMs = 86_400_000
/** Seed of the modelled service times of March. */
const baselineSeed = 2001

/**
 * The rows of March 2001 as this version saw and scored them: what the version was accepted on, and therefore its
 * baseline. 511,502 rows in eight batches, in order of departure.
 *
 * @param everyNth only each n-th row (tests)
 */
export async function* marchRows(model: Model, everyNth = 1): AsyncGenerator<ColumnBatch> {
  const flights = await loadFlights(spans.march)
  for (let first = 0; first < flights.rows; first += batchRows * everyNth) {
    const rows = Math.min(batchRows, Math.ceil((flights.rows - first) / everyNth))
    const numeric = numericFeatures[model.version].map((name) => ({ name, column: new Float64Array(rows) }))
    const categorical = categoricalFeatures.map((name) => ({ name, column: new Array<string>(rows) }))
    const scores = new Float64Array(rows)
    const prediction = new Array<string>(rows)
    const producer = new Array<string>(rows)
    const airport = new Array<string>(rows)
    const latencyMs = new Float64Array(rows)
    const window = new Int32Array(rows)
    for (let row = 0; row < rows; row++) {
      const request = requestOf(flights, first + row * everyNth)
      const features = healthyFeatures(model.version, request, model.rates)
      const byName = features as Readonly<Record<string, number | string | null>>
      for (const { name, column } of numeric) column[row] = (byName[name] as number | null) ?? Number.NaN
      for (const { name, column } of categorical) column[row] = byName[name] as string
      scores[row] = score(model, features)
      prediction[row] = decide(model, scores[row]!)
      producer[row] = request.producer
      airport[row] = request.origin
      latencyMs[row] = keyedLogNormal(baselineSeed, request.flight, 0, modelledLatency.medianMs, modelledLatency.sigma)
      window[row] = Math.floor(request.departureMs / dayMs)
    }
    yield {
      features: Object.fromEntries([...numeric, ...categorical].map(({ name, column }) => [name, column])),
      score: scores,
      prediction,
      producer,
      latencyMs,
      window,
      segments: { airport },
    }
  }
}
