import { setTimeout as sleep } from 'node:timers/promises'
import { dateOfDay, type Flights, rowsOfDay } from './data.ts'
import { faultySource } from './faults.ts'
import { type FlightRequest, kilometresPerMile } from './features.ts'
import { maxBatchRows } from './flight-request.ts'
import { shuffle, xoshiro128 } from './random.ts'
import { requestOf } from './units.ts'

/** How traffic is replayed. */
export type TrafficOptions = {
  readonly flights: Flights
  /** Days to replay, in order; after the last the first comes again. */
  readonly days: { readonly from: number; readonly to: number }
  /** Stop after so many days; absent: for ever. */
  readonly stopAfterDays?: number
  /** Predictions a second. */
  readonly rate: number
  readonly seed: number
  /** Whether the fault `source` is there from the first row. */
  readonly sourceFault?: boolean
  /** Sends one batch and returns once it is answered; throws if it is not. */
  readonly send: (rows: readonly FlightRequest[]) => Promise<void>
  /** Told about each second or so. */
  readonly report: (progress: TrafficProgress) => void
  readonly signal: AbortSignal
}

/** Where the replay is. */
export type TrafficProgress = {
  readonly date: string
  readonly sent: number
  /** Rows whose batch failed; they are not sent again (a caller would have gone without an answer). */
  readonly failed: number
  /** Predictions a second since the last report. */
  readonly rate: number
  /** How far the replay is behind its pace now. */
  readonly behindMs: number
  /** Time given up so far, because the router was slower than the pace for longer than a second. */
  readonly skippedMs: number
  readonly lastError: string | null
}

/** What a running replay can be told. */
export type TrafficControl = {
  /** Predictions a second from now on. */
  setRate(rate: number): void
  /** The fault `source`: the client of one region sends kilometres. */
  setSourceFault(active: boolean): void
  readonly done: Promise<TrafficProgress>
}

const maxInFlight = 8
const batchesPerSecond = 20
const maxBehindMs = 1_000
const reportEveryMs = 1_000

/**
 * Replays days as live traffic: each day's flights in a seeded random order, evenly, days in order. Paced by the
 * monotonic clock; at most eight batches are under way, and what cannot be sent within a second of its time
 * shifts the whole schedule (counted in `skippedMs`) and does not pile up.
 */
export function startTraffic(options: TrafficOptions): TrafficControl {
  let rate = options.rate
  let sourceFault = options.sourceFault ?? false
  let paceFrom = performance.now()
  let pacedRows = 0

  const setRate = (next: number) => {
    if (!(next > 0)) throw new Error(`traffic: a rate of ${next} a second cannot be kept; give a number above 0`)
    rate = next
    paceFrom = performance.now()
    pacedRows = 0
  }
  setRate(options.rate)

  async function run(): Promise<TrafficProgress> {
    const counts = { sent: 0, failed: 0, skippedMs: 0, lastError: null as string | null }
    const inFlight = new Set<Promise<void>>()
    let date = dateOfDay(options.days.from)
    let behindMs = 0
    let reportedAt = performance.now()
    let reportedSent = 0
    const progress = (): TrafficProgress => {
      const seconds = (performance.now() - reportedAt) / 1_000
      return { date, ...counts, rate: seconds > 0 ? (counts.sent - reportedSent) / seconds : 0, behindMs }
    }
    for (const { day, rows } of batches(options, () => rate)) {
      date = dateOfDay(day)
      while (inFlight.size >= maxInFlight) await Promise.race(inFlight)
      const aheadMs = paceFrom + (pacedRows / rate) * 1_000 - performance.now()
      if (aheadMs > 0) await sleep(aheadMs, undefined, { signal: options.signal }).catch(() => undefined)
      if (options.signal.aborted) break
      behindMs = Math.max(0, -aheadMs)
      if (behindMs > maxBehindMs) {
        counts.skippedMs += behindMs
        paceFrom += behindMs
      }
      pacedRows += rows.length
      const requests = rows.map((row) => faulted(requestOf(options.flights, row), sourceFault))
      const sending = options
        .send(requests)
        .then(
          () => {
            counts.sent += requests.length
          },
          (error: unknown) => {
            counts.failed += requests.length
            counts.lastError = error instanceof Error ? error.message : String(error)
          },
        )
        .finally(() => inFlight.delete(sending))
      inFlight.add(sending)
      if (performance.now() - reportedAt >= reportEveryMs) {
        options.report(progress())
        reportedAt = performance.now()
        reportedSent = counts.sent
      }
    }
    await Promise.all(inFlight)
    return progress()
  }

  return {
    setRate,
    setSourceFault(active) {
      sourceFault = active
    },
    done: run(),
  }
}

type Batch = { readonly day: number; readonly rows: readonly number[] }

/**
 * Batches of row numbers, day by day, each day in an order of its own that depends on seed and day only. About twenty
 * batches a second, as far as 64 rows reach.
 */
function* batches(options: TrafficOptions, rateNow: () => number): Generator<Batch> {
  const { days, flights, seed, stopAfterDays = Number.POSITIVE_INFINITY } = options
  for (let played = 0; played < stopAfterDays; played++) {
    const day = days.from + (played % (days.to - days.from))
    const { from, to } = rowsOfDay(flights, day)
    const order = shuffle(
      Uint32Array.from({ length: to - from }, (_, index) => from + index),
      xoshiro128(seed, day),
    )
    for (let first = 0; first < order.length; ) {
      const next = first + Math.min(maxBatchRows, Math.ceil(rateNow() / batchesPerSecond))
      yield { day, rows: Array.from(order.subarray(first, next)) }
      first = next
    }
  }
}

/** The row as its producer sends it: under the fault `source`, one region's client sends kilometres. */
export function faulted(request: FlightRequest, sourceFault: boolean): FlightRequest {
  if (!sourceFault || request.producer !== faultySource) return request
  return { ...request, distance: request.distance * kilometresPerMile }
}
