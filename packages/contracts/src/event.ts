import type { EventTime } from './time.ts'

/** Which role a version plays for one prediction. `arm:` variants belong to experiments. */
export type Variant = 'stable' | 'candidate' | 'shadow'
export type PredictionStatus = 'ok' | 'error' | 'timeout' | 'fallback'
export const predictionStatuses = ['ok', 'error', 'timeout', 'fallback'] as const satisfies readonly PredictionStatus[]

/** One answer of a model version to one request: schemas/prediction.avsc. */
export interface Prediction {
  readonly id: string
  readonly environment: string
  readonly tenant: string
  readonly deployment: string
  readonly generation: number
  readonly version: string
  readonly variant: Variant
  /** Whose decision it is: key of sticky assignment and of receipts. */
  readonly unit: string
  readonly eventTimeMs: EventTime
  readonly features: Readonly<Record<string, number | string | null>>
  /** Class label, or the number of a regression in text; null where no model answered. */
  readonly prediction: string | null
  readonly score: number | null
  readonly latencyMs: number | null
  readonly status: PredictionStatus
  readonly segments: Readonly<Record<string, string>>
  readonly producer: string
}

/** A feature value at its source, before any version read it: schemas/feature.avsc. */
export interface Feature {
  readonly id: string
  readonly environment: string
  readonly tenant: string
  readonly deployment: string
  readonly eventTimeMs: EventTime
  readonly features: Readonly<Record<string, number | string | null>>
  readonly segments: Readonly<Record<string, string>>
  readonly producer: string
}

/** What became true of a prediction, seconds to weeks later: schemas/outcome.avsc. */
export interface Outcome {
  readonly predictionId: string
  readonly environment: string
  readonly tenant: string
  readonly deployment: string
  readonly eventTimeMs: EventTime
  readonly label: string | null
  readonly value: number | null
  /** Higher replaces lower: a corrected label. */
  readonly revision: number
  readonly source: string
}

/** Content types that a record of a customer's topic may declare in its `content-type` header. */
export const contentTypes = {
  avro: 'application/vnd.confluent.avro',
  arrow: 'application/vnd.apache.arrow.stream',
  json: 'application/json',
} as const
