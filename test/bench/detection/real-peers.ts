import { type RealSetting, realAlarms } from '../../peers/peers.ts'
import { random } from '../sampling/random.ts'
import { errors, paneValue, usualValue } from './families.ts'
import { adwin } from './peers/adwin.ts'
import { frourosCusum } from './peers/frouros-cusum.ts'
import { pageHinkley } from './peers/page-hinkley.ts'
import { courses, independent, panesOf } from './stream.ts'

/** Healthy panes before the errors double, and panes after it. */
const [healthy, panes] = [300, 600]

interface Pair {
  readonly real: RealSetting
  /** Our chart of the same rule, and the threshold that is this setting; null: its draws differ, so alarms may too. */
  readonly ours: readonly [start: () => (value: number) => number, threshold: number] | null
}

const pairs: readonly Pair[] = [
  pair('river ADWIN, default', 'river', 'ADWIN', { clock: 1 }, () => adwin(1), Math.log(1 / 0.002)),
  pair('river ADWIN, δ = .3', 'river', 'ADWIN', { clock: 1, delta: 0.3 }, () => adwin(1), Math.log(1 / 0.3)),
  pair('river Page–Hinkley, default', 'river', 'PageHinkley', { mode: 'up' }, () => pageHinkley(0.005), 50),
  pair(
    'river Page–Hinkley, tuned',
    'river',
    'PageHinkley',
    { mode: 'up', delta: 0.5, threshold: 8 },
    () => pageHinkley(0.5),
    8,
  ),
  pair('frouros CUSUM, default', 'frouros', 'CUSUM', {}, () => frourosCusum(0.005), 50),
  pair('frouros CUSUM, tuned', 'frouros', 'CUSUM', { delta: 0.5, lambda_: 8 }, () => frourosCusum(0.5), 8),
  { real: { name: 'river KSWIN, default', library: 'river', detector: 'KSWIN', options: { seed: 1 } }, ours: null },
]

function pair(
  name: string,
  library: RealSetting['library'],
  detector: string,
  options: RealSetting['options'],
  start: () => (value: number) => number,
  threshold: number,
): Pair {
  return { real: { name, library, detector, options }, ours: [start, threshold] }
}

export interface RealPeer {
  readonly name: string
  readonly version: string
  readonly streams: number
  /** Streams that alarm while all is well. */
  readonly early: number
  /** Of the others: median panes to the alarm, and how many never alarm. */
  readonly median: number | null
  readonly missed: number
  /** Streams on which our chart of the same rule alarms at the same pane; null: not comparable. */
  readonly agree: number | null
}

/** Real libraries on the standardised error rates of streams whose rate doubles, beside our charts of the same rules. */
export async function realPeers(python: string, streams: number, seed: number): Promise<readonly RealPeer[] | string> {
  const { mean, deviation } = usualValue(errors)
  const counts = new Float64Array(2)
  const made = Array.from({ length: streams }, (_, id) => {
    const next = panesOf({ family: errors, noise: independent, size: 1, course: courses.abrupt }, random(seed + id))
    const values = Array.from({ length: healthy + panes }, (_, pane) => {
      next(counts, pane - healthy)
      return (paneValue(errors, counts) - mean) / deviation
    })
    return { id: String(id), values }
  })
  const told = await realAlarms(
    python,
    pairs.map(({ real }) => real),
    made,
  )
  if (typeof told === 'string') return told
  return pairs.map(({ real, ours }) => {
    const alarms = told.alarms.filter(({ name }) => name === real.name)
    const waits = alarms.flatMap(({ alarm }) =>
      alarm !== null && alarm < healthy ? [] : [alarm === null ? Number.POSITIVE_INFINITY : alarm - healthy + 1],
    )
    waits.sort((a, b) => a - b)
    const median = waits[waits.length >> 1] ?? Number.POSITIVE_INFINITY
    const agree =
      ours === null
        ? null
        : alarms.filter(({ stream, alarm }) => {
            const step = ours[0]()
            const at = made[Number(stream)]!.values.findIndex((value) => step(value) > ours[1])
            return (at < 0 ? null : at) === alarm
          }).length
    return {
      name: real.name,
      version: `${real.library} ${told.versions[real.library]}`,
      streams,
      early: streams - waits.length,
      median: Number.isFinite(median) ? median : null,
      missed: waits.filter((wait) => wait === Number.POSITIVE_INFINITY).length,
      agree,
    }
  })
}
