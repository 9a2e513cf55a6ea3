import { type CanaryDelay, canaryDelay, type FalseStops, falseStops } from './canary.ts'
import { benignControls, type ControlResult } from './controls.ts'
import { errors, type Family, families } from './families.ts'
import { type DayResult, flightDays } from './flight-days.ts'
import {
  absent,
  changesOf,
  compare,
  type Magnitude,
  type Measured,
  type Promise as Promised,
  promises,
  type Scale,
} from './measure.ts'
import { type RealPeer, realPeers } from './real-peers.ts'
import { errorRateChanges, subtleFaults } from './subtle.ts'

/** Everything that the bench measured; the page is made of it. */
export interface Report {
  readonly bench: 'detection'
  readonly full: boolean
  /** Part of a full run's streams that was drawn. */
  readonly part: number
  readonly seed: number
  readonly seconds: number
  readonly absent: readonly string[]
  readonly promises: readonly Promised[]
  readonly power: readonly Measured[]
  readonly errorRates: readonly Measured[]
  readonly subtle: readonly (Measured & { readonly title: string })[]
  readonly stops: readonly FalseStops[]
  readonly canaryDelays: readonly CanaryDelay[]
  readonly controls: readonly ControlResult[]
  readonly days: readonly DayResult[]
  /** Or why there are none. */
  readonly real: readonly RealPeer[] | string
}

/** Families whose promises are also tested on streams that are not independent. */
const promised: readonly string[] = ['errors', 'feature', 'surge']

/** A histogram's pane costs five times that of a rate: fewer streams are drawn of it. */
function scaleOf(family: Family, scale: Scale): Scale {
  return family.kind === 'histogram' ? { ...scale, nullStreams: Math.ceil(scale.nullStreams / 2) } : scale
}

export async function measure(
  full: boolean,
  part: number,
  seed: number,
  python: string,
  say: (what: string) => void,
): Promise<Report> {
  const began = performance.now()
  const timed = <T>(what: string, make: () => T): T => {
    const from = performance.now()
    const made = make()
    say(`${what}: ${((performance.now() - from) / 1_000).toFixed(1)} s`)
    return made
  }
  const scale: Scale = full
    ? { nullStreams: Math.ceil(200 * part), nullLengths: 2, changeStreams: Math.ceil(200 * part), seed }
    : { nullStreams: 24, nullLengths: 3, changeStreams: 24, seed }
  const some = full ? families : families.filter(({ id }) => ['errors', 'feature', 'surge'].includes(id))
  const sizes: readonly Magnitude[] = full ? ['XS', 'S', 'M', 'L'] : ['M', 'L']
  const half = { ...scale, nullStreams: Math.ceil(scale.nullStreams / 2) }
  const tables = {
    power: [
      ...some.flatMap((family) =>
        timed(`${family.id} at 500`, () => compare(family, 500, changesOf(family, 500, sizes), scaleOf(family, scale))),
      ),
      ...(full ? timed('errors at 5,000', () => compare(errors, 5_000, changesOf(errors, 5_000, sizes), half)) : []),
    ],
    errorRates: timed('error rates at 1,000', () => compare(errors, 1_000, errorRateChanges(), scale)),
    promises: some
      .filter(({ id }) => promised.includes(id))
      .flatMap((family) =>
        timed(`promises of ${family.id}`, () => promises(family, full ? 500 : 100, scaleOf(family, half))),
      ),
    subtle: full ? timed('subtle faults', () => subtleFaults(500, half)) : [],
    stops: timed('canaries', () =>
      ([0.05, 0.01, 0.001] as const).map((alpha) =>
        falseStops(alpha, full ? Math.ceil(part * (alpha === 0.001 ? 50_000 : 2_000)) : 200, seed + 1_000_000),
      ),
    ),
    canaryDelays: timed('delays of canaries', () =>
      [0.05, 0.01, 0.001].map((alpha) => canaryDelay(2, alpha, full ? 2_000 : 100, seed + 2_000_000)),
    ),
    controls: timed('benign controls', () => benignControls(full ? 10_000 : 1_000, seed)),
  }
  const days = await flightDays()
  say('real peers')
  const real = await realPeers(python, full ? Math.ceil(60 * part) : 8, seed + 3_000_000)
  return {
    bench: 'detection',
    full,
    part,
    seed,
    seconds: Math.round((performance.now() - began) / 1_000),
    absent: [...new Set(families.flatMap(absent))],
    ...tables,
    days,
    real,
  }
}
