import { clopperPearson, detectorFor } from '@interlock/statistics'
import { loadFlights, rowsOfDay } from '../../../examples/flights/src/data.ts'
import { chiSquare, kolmogorovSmirnov, psi } from './peers/window-tests.ts'

/** Real days: delay on arrival of three million flights, 2001-01-01 to 06-30, one window a day. */
const days = 181
/** Days that are healthy history before the first day is judged. */
const first = 28
/** What the fault adds to every flight. */
const addedMinutes = 5
const [least, most] = [-200, 600]

/** Two-sided level of our test of one day. */
const level = { nominal: 0.01, deviations: 2.5758 }
/** Part of the healthy days' correlations that is not believed, since they are estimated from few days. */
const shrinkage = 0.1

export interface DayResult {
  readonly method: string
  readonly whose: 'ours' | 'peer' | 'product'
  readonly healthyDays: number
  readonly alarms: number
  readonly rate: number
  readonly low: number
  readonly high: number
  /** Share of single days on which the fault is found, and of runs of three such days on which it is found by the third. */
  readonly foundInADay: number
  readonly foundInThree: number
}

/** Minutes of delay of each day, as counts from `least` on. */
type Day = Float64Array

async function readDays(): Promise<Day[]> {
  const flights = await loadFlights({ from: 0, to: days })
  return Array.from({ length: days }, (_, day) => {
    const counts = new Float64Array(most - least + 1)
    const { from, to } = rowsOfDay(flights, day)
    for (let row = from; row < to; row++) {
      counts[Math.min(most, Math.max(least, flights.delayMinutes[row]!)) - least]!++
    }
    return counts
  })
}

function later(day: Day): Day {
  const moved = new Float64Array(day.length)
  for (let i = 0; i < day.length; i++) moved[Math.min(day.length - 1, i + addedMinutes)]! += day[i]!
  return moved
}

/** Upper ends (exclusive, as places in a day's counts) of ten bins of equal mass of the given days, the last one open. */
function deciles(history: readonly Day[]): number[] {
  const all = new Float64Array(most - least + 1)
  for (const day of history) for (let i = 0; i < day.length; i++) all[i]! += day[i]!
  const total = all.reduce((a, b) => a + b, 0)
  const ends: number[] = []
  let sum = 0
  for (let i = 0; i < all.length && ends.length < 9; i++) {
    sum += all[i]!
    if (sum >= (total * (ends.length + 1)) / 10) ends.push(i + 1)
  }
  return ends
}

function binned(day: Day, ends: readonly number[]): Float64Array {
  return Float64Array.from([...ends, day.length], (end, bin) => {
    let sum = 0
    for (let i = bin === 0 ? 0 : ends[bin - 1]!; i < end; i++) sum += day[i]!
    return sum
  })
}

/** Log-odds of being earlier than each cut, half a flight added on both sides. */
function logOdds(day: Day, ends: readonly number[]): Float64Array {
  const bins = binned(day, ends)
  const total = bins.reduce((a, b) => a + b, 0)
  let below = 0.5
  return Float64Array.from(ends, (_, cut) => {
    below += bins[cut]!
    return Math.log(below / (total + 1 - below))
  })
}

/** What healthy history knows: the usual log-odds, how they move together from day to day, and what the fault does to them. */
interface History {
  readonly mean: Float64Array
  readonly covariance: readonly Float64Array[]
  readonly moved: Float64Array
  readonly days: number
}

function learn(healthy: readonly Float64Array[], faulty: readonly Float64Array[], believed: number): History {
  const k = healthy[0]!.length
  const mean = new Float64Array(k)
  const moved = new Float64Array(k)
  for (const [d, day] of healthy.entries()) {
    for (let i = 0; i < k; i++) {
      mean[i]! += day[i]! / healthy.length
      moved[i]! += (faulty[d]![i]! - day[i]!) / healthy.length
    }
  }
  const covariance = Array.from({ length: k }, () => new Float64Array(k))
  for (const day of healthy) {
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) {
        const part = ((day[i]! - mean[i]!) * (day[j]! - mean[j]!)) / (healthy.length - 1)
        covariance[i]![j]! += i === j ? part : believed * part
      }
    }
  }
  return { mean, covariance, moved, days: healthy.length }
}

/** x with Sx = b, S symmetric and positive definite (Cholesky). */
export function solve(s: readonly Float64Array[], b: Float64Array): Float64Array {
  const n = b.length
  const l = s.map(() => new Float64Array(n))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = s[i]![j]!
      for (let k = 0; k < j; k++) sum -= l[i]![k]! * l[j]![k]!
      l[i]![j] = i === j ? Math.sqrt(sum) : sum / l[j]![j]!
    }
  }
  const x = Float64Array.from(b)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= l[i]![k]! * x[k]!
    x[i]! /= l[i]![i]!
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= l[k]![i]! * x[k]!
    x[i]! /= l[i]![i]!
  }
  return x
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0)

/** Deviations of a day along the fault's direction, seen through the healthy days' covariance. */
function matched({ mean, covariance, moved, days: known }: History, day: Float64Array): number {
  const weights = solve(covariance, moved)
  const off = day.map((value, i) => value - mean[i]!)
  return dot(weights, off) / Math.sqrt(dot(weights, moved) * (1 + 1 / known))
}

/** Hotelling's T² of a day: no direction is known. */
function undirected({ mean, covariance, days: known }: History, day: Float64Array): number {
  const off = day.map((value, i) => value - mean[i]!)
  return dot(off, solve(covariance, off)) / (1 + 1 / known)
}

/** A test of one day: alarms at 1. `before` is the first day of the fault: nothing from then on is history. */
type DayTest = (day: Day, before: number) => number

function verdicts(method: string, whose: DayResult['whose'], all: readonly Day[], test: DayTest): DayResult {
  const judged = all.slice(first)
  const faulty = judged.map(later)
  const alarms = judged.filter((day, d) => test(day, first + d) >= 1).length
  const found = (d: number, from: number): boolean => test(faulty[d]!, first + from) >= 1
  const singles = faulty.filter((_, d) => found(d, d)).length
  const runs = judged.length - 2
  const threes = Array.from({ length: runs }, (_, d) => [0, 1, 2].some((i) => found(d + i, d))).filter(Boolean).length
  const [low, high] = clopperPearson(alarms, judged.length, 0.05)
  return {
    method,
    whose,
    healthyDays: judged.length,
    alarms,
    rate: alarms / judged.length,
    low,
    high,
    foundInADay: singles / judged.length,
    foundInThree: threes / runs,
  }
}

/** The peers' statistic in units of the limit that, known in hindsight, just keeps 5 % of the healthy days. */
function inHindsight(all: readonly Day[], statistic: (day: Day) => number): DayTest {
  const healthy = all
    .slice(first)
    .map(statistic)
    .sort((a, b) => a - b)
  const limit = healthy[Math.ceil(healthy.length * 0.95)]!
  return (day) => statistic(day) / limit
}

/** χ²(9) at 1 %, of nine cuts. */
const hotellingLimit = 21.666

export async function flightDays(): Promise<readonly DayResult[]> {
  const all = await readDays()
  const ends = deciles(all.slice(0, first))
  const odds = all.map((day) => logOdds(day, ends))
  const moved = all.map((day) => logOdds(later(day), ends))
  const histories = (believed: number): ((before: number) => History) => {
    const made = new Map<number, History>()
    return (before) => {
      const known = made.get(before) ?? learn(odds.slice(0, before), moved.slice(0, before), believed)
      made.set(before, known)
      return known
    }
  }
  const together = histories(1 - shrinkage)
  const alone = histories(0)
  const reference = all.slice(0, first)
  const pooled = binned(
    reference.reduce((sum, day) => sum.map((count, i) => count + day[i]!), new Float64Array(most - least + 1)),
    ends,
  )
  const rows = pooled.reduce((a, b) => a + b, 0)
  const shares = [...pooled].map((count) => count / rows)
  const phi = reference.reduce((sum, day) => sum + chiSquare(binned(day, ends), shares), 0) / (reference.length - 1) / 9
  const dirichlet = dirichletOf(pooled, phi)

  const peers = [
    ['KS', 1.628, (day: Day) => kolmogorovSmirnov(binned(day, ends), shares)],
    ['χ²', 21.666, (day: Day) => chiSquare(binned(day, ends), shares)],
    ['PSI', 0.2, (day: Day) => psi(binned(day, ends), shares)],
  ] as const
  return [
    verdicts(
      'matched filter, covariance of healthy days',
      'ours',
      all,
      (day, before) => Math.abs(matched(together(before), logOdds(day, ends))) / level.deviations,
    ),
    verdicts(
      'the same, cuts taken as independent',
      'ours',
      all,
      (day, before) => Math.abs(matched(alone(before), logOdds(day, ends))) / level.deviations,
    ),
    verdicts(
      'Hotelling T², no direction known',
      'ours',
      all,
      (day, before) => undirected(together(before), logOdds(day, ends)) / hotellingLimit,
    ),
    verdicts(
      `dirichlet-baseline as it serves, φ̂ ${phi.toFixed(0)}, e-value 100`,
      'product',
      all,
      (day) => dirichlet(binned(day, ends)) / Math.log(100),
    ),
    ...peers.flatMap(([name, limit, statistic]) => [
      verdicts(`${name} at its published limit`, 'peer', all, (day) => statistic(day) / limit),
      verdicts(`${name}, limit known in hindsight`, 'peer', all, inHindsight(all, statistic)),
    ]),
  ]
}

/** ln E of one day alone. */
function dirichletOf(baseline: Float64Array, phi: number): (counts: Float64Array) => number {
  const detector = detectorFor('dirichlet-baseline')
  const setup = {
    guardrail: {
      id: 'delay',
      signal: 'distribution(delay)',
      detector: 'dirichlet-baseline',
      reference: 'baseline',
      tolerance: { harm: 0, safe: 0 },
      budget: { falsePerYear: 1 },
      role: 'guard',
      action: 'hold',
      protects: 'the benchmark',
      slices: [],
      minimumSample: 0,
    },
    signal: {
      kind: 'histogram',
      id: 'distribution(delay)',
      bins: [...baseline.keys()].map(String),
      read: (counts: Float64Array) => counts,
    },
    baseline,
    phi,
    paneMs: 86_400_000,
  } as const
  return (now) => {
    const pane = { start: 0, ms: setup.paneMs, now, reference: null, coverage: 1 }
    return detector.read(setup, detector.update(setup, detector.start(setup), pane)).logE.harm
  }
}
