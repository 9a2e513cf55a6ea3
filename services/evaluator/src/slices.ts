import type { DetectorReading, Driver, Json } from '@interlock/contracts'
import { ln, logSumExp } from '@interlock/statistics'
import { sliceOf } from './panes.ts'
import type { Sight } from './plan.ts'

/** Evidence of a guardrail over the whole and its slices. */
export interface Joined {
  readonly logE: { readonly harm: number; readonly safe: number }
  /** Reading of what carries most of the evidence: the whole, or one slice. */
  readonly lead: DetectorReading
  readonly leadKey: string | null
  readonly leadSlice: { readonly dimension: string; readonly value: string } | null
  readonly drivers: readonly Driver[]
}

interface SliceReading {
  readonly key: string
  readonly reading: DetectorReading
}

/** Slices of a dimension, and bins, that are named at most. */
const driversNamed = 5

/**
 * Joins the whole with its slices: half of the weight for the whole, half in equal parts for all slices, those without a
 * row (their evidence is 1) included. An average of e-values is an e-value under any dependence, so one harmed slice shows
 * for the price of ln(2·slices) nats. Safe is a claim about the whole: slices do not take part in it.
 *
 * @source docs/statistics.md "One number per deployment", "Attribution"
 */
export function joinSlices(sight: Sight, whole: DetectorReading, states: ReadonlyMap<string, Json>): Joined {
  if (sight.sliceCount === 0) return alone(whole)
  const readings: SliceReading[] = []
  for (const key of [...states.keys()].sort()) {
    const setup = sight.slices.get(key)
    if (setup === undefined) continue
    readings.push({ key, reading: sight.detector.read(setup, states.get(key) as Json) })
  }
  const ofWhole = whole.logE.harm - ln(2)
  const eachSlice = -ln(2 * sight.sliceCount)
  const silent = sight.sliceCount - readings.filter(speaks).length
  const parts = readings
    .filter(speaks)
    .map(({ key, reading }) => ({ key, reading, log: reading.logE.harm + eachSlice }))
  const rest = silent === 0 ? [] : [eachSlice + ln(silent)]
  const harm = logSumExp([ofWhole, ...parts.map(({ log }) => log), ...rest])
  const first = parts.reduce<(typeof parts)[number] | null>(
    (best, part) => (best && best.log >= part.log ? best : part),
    null,
  )
  // A slice leads when its posterior share of the evidence is above one half.
  const leads = first !== null && first.log > harm - ln(2)
  const lead = leads ? first.reading : whole
  return {
    logE: { harm, safe: whole.logE.safe },
    lead,
    leadKey: leads ? first.key : null,
    leadSlice: leads ? sliceOf(first.key) : null,
    drivers: [...sliceDrivers(sight, readings, leads ? first.key : null), ...lead.drivers.slice(0, driversNamed)],
  }
}

function alone(whole: DetectorReading): Joined {
  return {
    logE: whole.logE,
    lead: whole,
    leadKey: null,
    leadSlice: null,
    drivers: whole.drivers.slice(0, driversNamed),
  }
}

function speaks({ reading }: SliceReading): boolean {
  return reading.status === 'ok'
}

/**
 * The slices of each dimension that surely lie beyond what is tolerated, with their parts of what is too much, largest first.
 * Among hundreds of slices chance alone puts many a little above their reference: those do not take part.
 */
function sliceDrivers({ setup }: Sight, readings: readonly SliceReading[], leadKey: string | null): readonly Driver[] {
  const { guardrail, signal } = setup
  const isRate = signal.kind === 'rate'
  const tolerated = isRate ? 1 + guardrail.tolerance.harm : guardrail.tolerance.harm
  const byDimension = new Map<string, (Driver & { readonly excess: number })[]>()
  for (const { key, reading } of readings) {
    if (key !== leadKey && reading.effect.low <= tolerated) continue
    const { dimension, value } = sliceOf(key)
    const list = byDimension.get(dimension) ?? []
    byDimension.set(dimension, list)
    list.push({ dimension, value, share: 0, ...(isRate ? rateExcess(reading) : distance(reading)) })
  }
  return [...byDimension.keys()].sort().flatMap((dimension) => {
    const list = (byDimension.get(dimension) ?? []).filter(({ excess }) => excess > 0)
    const total = list.reduce((sum, { excess }) => sum + excess, 0)
    return list
      .sort((a, b) => b.excess - a.excess)
      .slice(0, driversNamed)
      .map(({ value, excess, now, reference }) => ({ dimension, value, share: excess / total, now, reference }))
  })
}

type Excess = Pick<Driver, 'now' | 'reference'> & { readonly excess: number }

/** Events above what the reference's rate leaves to expect. */
function rateExcess({ n, m, events }: DetectorReading): Excess {
  const now = n === 0 ? 0 : events.now / n
  const reference = m === 0 ? 0 : events.reference / m
  return { excess: n * (now - reference), now, reference }
}

/** Nats over all rows of the slice. */
function distance({ n, effect }: DetectorReading): Excess {
  return { excess: n * effect.estimate, now: effect.estimate, reference: 0 }
}
