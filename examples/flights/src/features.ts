import type { VersionFault } from './faults.ts'

/** What a caller knows when it asks: the flight as it leaves the gate. The same row reaches either version. */
export type FlightRequest = {
  /** Whose decision it is; keeps its version while shares only rise. */
  readonly unit: string
  /** Names the flight (its row in the data); keyed randomness hangs on it. */
  readonly flight: number
  /** Departure by the local wall clock, read as UTC, in milliseconds. */
  readonly departureMs: number
  readonly origin: string
  readonly destination: string
  /** Miles. */
  readonly distance: number
  /** The client that sends it: a region of origin airports. */
  readonly producer: string
}

/** Shares of late flights learned in January and February, smoothed towards the overall share. */
export type DelayRates = {
  readonly overall: number
  /** By origin, `ORD`. */
  readonly origin: ReadonlyMap<string, number>
  /** By route, `ORD-LGA`. */
  readonly route: ReadonlyMap<string, number>
  /** By origin and hour of departure, `ORD-17`. */
  readonly originHour: ReadonlyMap<string, number>
}

/** What v1 sees, and what its events carry. */
export type FeaturesV1 = {
  readonly distance: number
  readonly origin: string
  readonly destination: string
  /** Hour of departure, 0 to 23: time-like. */
  readonly hour: number
  /** 0 is Sunday: time-like. */
  readonly dayOfWeek: number
  readonly originDelayRate: number | null
}

/** What v2 sees: v1's features and two rates more. */
export type FeaturesV2 = FeaturesV1 & {
  readonly routeDelayRate: number
  readonly originHourDelayRate: number
}

/** Which faults of feature code are active for this row. */
export type FeatureFaults = (fault: VersionFault) => boolean

/** The two versions of the model. */
export type Version = 'v1' | 'v2'

/** Features of either version by name, as its events carry them. */
export type Features = FeaturesV1 | FeaturesV2

/** Kilometres in a mile. */
export const kilometresPerMile = 1.609344

/** No fault: how features were computed when the models were trained and accepted. */
export const healthy: FeatureFaults = () => false

/** v1's own feature code. */
export function featuresV1(request: FlightRequest, rates: DelayRates): FeaturesV1 {
  return {
    distance: request.distance,
    origin: request.origin,
    destination: request.destination,
    ...timeOf(request.departureMs),
    originDelayRate: rates.origin.get(request.origin) ?? rates.overall,
  }
}

/**
 * v2's own feature code. Under the fault `unit` it hands the model kilometres where the model learned miles; under
 * `missing` it loses the origin's rate.
 */
export function featuresV2(request: FlightRequest, rates: DelayRates, faults: FeatureFaults): FeaturesV2 {
  const time = timeOf(request.departureMs)
  return {
    distance: faults('unit') ? request.distance * kilometresPerMile : request.distance,
    origin: request.origin,
    destination: request.destination,
    ...time,
    originDelayRate: faults('missing') ? null : (rates.origin.get(request.origin) ?? rates.overall),
    routeDelayRate: rates.route.get(`${request.origin}-${request.destination}`) ?? rates.overall,
    originHourDelayRate: rates.originHour.get(`${request.origin}-${time.hour}`) ?? rates.overall,
  }
}

/** Names of the numeric features of a version, in the order of its events. */
export const numericFeatures = {
  v1: ['distance', 'hour', 'dayOfWeek', 'originDelayRate'],
  v2: ['distance', 'hour', 'dayOfWeek', 'originDelayRate', 'routeDelayRate', 'originHourDelayRate'],
} as const satisfies Record<Version, readonly string[]>

/** Names of the categorical features, the same in both versions. */
export const categoricalFeatures = ['origin', 'destination'] as const

function timeOf(departureMs: number): { hour: number; dayOfWeek: number } {
  const hours = Math.floor(departureMs / 3_600_000)
  return { hour: hours % 24, dayOfWeek: (Math.floor(hours / 24) + 4) % 7 }
}
