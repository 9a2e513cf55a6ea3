import type { DetectorReading, Driver } from '@interlock/contracts'
import { wholeAndSlices } from '@interlock/statistics'
import { added } from './added.ts'
import type { SummedPane } from './closed-pane.ts'
import { sliceOf } from './panes.ts'
import type { Plan, Sight } from './plan.ts'
import type { Track } from './state.ts'

/**
 * Moves the detectors of the slices whose turn it is, each with the rows of the panes since its turn before; slices without a
 * row stay where they are. Turns go by pane number, so they depend neither on the data nor on the steps.
 *
 * @param panes whole panes, this one last
 */
export function moveSlices(
  plan: Plan,
  sight: Sight,
  track: Track,
  panes: readonly SummedPane[],
  groups: { readonly now: string; readonly against: string | null },
): Track['slices'] {
  const pane = panes.at(-1)
  if (pane === undefined || sight.slices.size === 0) return track.slices
  const turn = Math.round(pane.start / pane.ms)
  const first = Math.max(track.since, pane.start - (sight.turns - 1) * pane.ms)
  const block = panes.filter(({ start }) => start >= first)
  const slices = new Map(track.slices)
  for (const [index, key] of sight.sliceOrder.entries()) {
    const setup = sight.slices.get(key)
    if (setup === undefined || (index + turn) % sight.turns !== 0) continue
    const now = sumOf(block, groups.now, key)
    if (now === null) continue
    const reference = groups.against === null ? null : (sumOf(block, groups.against, key) ?? plan.zero)
    const start = block[0]?.start ?? pane.start
    const ms = pane.start + pane.ms - start
    const state = sight.detector.update(setup, slices.get(key)?.state ?? sight.detector.start(setup), {
      start,
      ms,
      now,
      reference,
      coverage: 1,
    })
    slices.set(key, { state, reading: sight.detector.read(setup, state) })
  }
  return slices
}

function sumOf(panes: readonly SummedPane[], group: string, slice: string): Float64Array | null {
  let sum: Float64Array | null = null
  for (const pane of panes) {
    const counts = pane.groups.get(group)?.slices.get(slice)
    if (counts !== undefined) sum = sum === null ? counts : added(sum, counts)
  }
  return sum
}

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
export function joinSlices(sight: Sight, whole: DetectorReading, slices: Track['slices']): Joined {
  const readings = sight.sliceOrder.flatMap((key): SliceReading[] => {
    const slice = slices.get(key)
    return slice === undefined ? [] : [{ key, reading: slice.reading }]
  })
  const parts = readings.filter(speaks)
  const evidence = parts.map(({ reading }) => reading.logE.harm)
  const { logE: harm, shares } = wholeAndSlices(whole.logE.harm, evidence, sight.sliceOrder.length)
  // A slice leads when more than half of the evidence is its own.
  const leader = parts.find((_, index) => (shares[index + 1] ?? 0) > 1 / 2)
  const lead = leader?.reading ?? whole
  return {
    logE: { harm, safe: whole.logE.safe },
    lead,
    leadKey: leader?.key ?? null,
    leadSlice: leader === undefined ? null : sliceOf(leader.key),
    drivers: [...sliceDrivers(sight, readings, leader?.key ?? null, whole.n), ...binDrivers(lead)],
  }
}

/** Bins have one dimension, whatever the detector calls its signal. */
function binDrivers({ drivers }: DetectorReading): readonly Driver[] {
  return drivers.slice(0, driversNamed).map((driver) => ({ ...driver, dimension: 'bin' }))
}

function speaks({ reading }: SliceReading): boolean {
  return reading.status === 'ok'
}

/**
 * The slices of each dimension that surely lie beyond what is tolerated, with their parts of what is too much and of the rows,
 * largest first. Among hundreds of slices chance alone puts many a little above their reference: those are not named. They do
 * count in what is too much, with those below their reference against them, so that the first slice of many to be sure of is
 * not taken for all of it.
 *
 * @param rows of the whole
 */
function sliceDrivers(
  { setup }: Sight,
  readings: readonly SliceReading[],
  leadKey: string | null,
  rows: number,
): readonly Driver[] {
  const { guardrail, signal } = setup
  const isRate = signal.kind === 'rate'
  const tolerated = isRate ? 1 + guardrail.tolerance.harm : guardrail.tolerance.harm
  const byDimension = new Map<
    string,
    (Excess & { readonly value: string; readonly n: number; readonly isSure: boolean })[]
  >()
  for (const { key, reading } of readings) {
    const { dimension, value } = sliceOf(key)
    const list = byDimension.get(dimension) ?? []
    byDimension.set(dimension, list)
    const isSure = key === leadKey || reading.effect.low > tolerated
    list.push({ value, n: reading.n, isSure, ...(isRate ? rateExcess(reading) : distance(reading)) })
  }
  return [...byDimension.keys()].sort().flatMap((dimension) => {
    const all = byDimension.get(dimension) ?? []
    const sure = all.filter(({ excess, isSure }) => isSure && excess > 0)
    const sum = (list: typeof all): number => list.reduce((total, { excess }) => total + excess, 0)
    const total = Math.max(sum(all), sum(sure))
    return sure
      .sort((a, b) => b.excess - a.excess)
      .slice(0, driversNamed)
      .map(({ value, n, excess, now, reference }) => ({
        dimension,
        value,
        share: excess / total,
        now,
        reference,
        ...(rows === 0 ? {} : { traffic: Math.min(1, n / rows) }),
      }))
  })
}

type Excess = Pick<Driver, 'now' | 'reference'> & { readonly excess: number }

/** Events above what the reference's rate leaves to expect, since it began. */
function rateExcess(reading: DetectorReading): Excess {
  const { n, m, events } = reading.since ?? reading
  const now = n === 0 ? 0 : events.now / n
  const reference = m === 0 ? 0 : events.reference / m
  return { excess: n * (now - reference), now, reference }
}

/** Nats over all rows of the slice since it began. */
function distance({ n, since, effect }: DetectorReading): Excess {
  return { excess: (since?.n ?? n) * effect.estimate, now: effect.estimate, reference: 0 }
}
