import type { EventTime, WeeklyVolume } from '@interlock/contracts'
import { ln, log1p } from './elementary.ts'

const hourMs = 3_600_000
const hoursAWeek = 168
/** Hour 0 of 1970 was the first of a Thursday; cells begin with Monday. */
const mondayShift = 72
/** Median of |z| for a normal z, inverted: makes the median absolute deviation a standard deviation. */
const madToDeviation = 1.4826
/** Median of χ² with one degree of freedom. */
const medianOfSquare = 0.455
/** Weeks behind a cell before its own spread counts as known; with fewer its scale is widened. */
const fewestWeeks = 4
const widening = 2
/** Weight of the spread over all cells, in hours seen, beside a cell's own: a median of six points is noisy. */
const sharedWeight = 12

/**
 * Hour-of-week cells from healthy rows. The centre of a cell is the median of its weeks. Its scale is the median absolute
 * deviation of ln(1 + rows), over the cell and its two neighbours, shrunk to that of all cells, and doubled where the cell
 * has seen fewer than four weeks. A cell without a week takes the median of the same hour on other days.
 *
 * An hour is held against the median of the *other* weeks of its cell, so what is estimated is rather over- than understated.
 *
 * @param hours rows of each whole hour, in order and without a hole, quiet hours included
 * @param firstHour hours of local time since 1970 at which they begin
 * @returns also φ̂, the dispersion of an hour around its cell: median of (x − μ̂)²/μ̂ over .455, at least 1. Null where no
 *   cell has seen two weeks: then nothing is known of how weeks differ.
 * @source docs/statistics.md "Hours of the week"
 */
export function weeklyVolume(
  hours: readonly number[],
  firstHour: number,
  utcOffsetMinutes: number,
): { readonly volume: WeeklyVolume; readonly phi: number } | null {
  const seen = Array.from({ length: hoursAWeek }, (): number[] => [])
  hours.forEach((rows, index) => {
    seen[cellOf(firstHour + index)]!.push(rows)
  })
  const residuals = seen.map((rows) => (rows.length < 2 ? [] : rows.map((own, week) => residual(own, rows, week))))
  const all = residuals.flat()
  if (all.length === 0) return null
  const overall = spreadOf(all)
  const scale = seen.map((rows, cell) => {
    const near = [-1, 0, 1].flatMap((step) => residuals[(cell + step + hoursAWeek) % hoursAWeek]!)
    const own = near.length === 0 ? overall : spreadOf(near)
    const shrunk = Math.sqrt(
      (near.length * own * own + sharedWeight * overall * overall) / (near.length + sharedWeight),
    )
    return rows.length < fewestWeeks ? widening * shrunk : shrunk
  })
  const volume: WeeklyVolume = {
    utcOffsetMinutes,
    rows: seen.map((rows, cell) => (rows.length > 0 ? median(rows) : sameHour(seen, cell))),
    scale,
    weeks: seen.map((rows) => rows.length),
  }
  const squares = all.flatMap(({ square }) => (square === null ? [] : [square]))
  return { volume, phi: Math.max(1, squares.length === 0 ? 1 : median(squares) / medianOfSquare) }
}

/**
 * Rows that the cells leave to expect from `start` to `start + ms`, every minute of an hour alike.
 *
 * @param start UTC, ms
 */
export function usualRows({ rows, utcOffsetMinutes }: WeeklyVolume, start: EventTime, ms: number): number {
  const from = start + utcOffsetMinutes * 60_000
  const to = from + ms
  let sum = 0
  for (let hour = Math.floor(from / hourMs); hour * hourMs < to; hour++) {
    const part = (Math.min(to, (hour + 1) * hourMs) - Math.max(from, hour * hourMs)) / hourMs
    sum += part * (rows[cellOf(hour)] as number)
  }
  return sum
}

function cellOf(hour: number): number {
  return (((hour + mondayShift) % hoursAWeek) + hoursAWeek) % hoursAWeek
}

interface Residual {
  readonly log: number
  /** Squared deviation over what was expected; null where nothing was. */
  readonly square: number | null
}

function residual(own: number, rows: readonly number[], week: number): Residual {
  const usual = median(rows.filter((_, other) => other !== week))
  const off = own - usual
  return { log: log1p(own) - ln(1 + usual), square: usual > 0 ? (off * off) / usual : null }
}

function spreadOf(residuals: readonly Residual[]): number {
  return madToDeviation * median(residuals.map(({ log }) => Math.abs(log)))
}

function sameHour(seen: readonly (readonly number[])[], cell: number): number {
  const others = Array.from({ length: 7 }, (_, day) => seen[(cell + 24 * day) % hoursAWeek]!).flat()
  return others.length > 0 ? median(others) : median(seen.flat())
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
