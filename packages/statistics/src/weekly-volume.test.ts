import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hits, seeded } from './seeded.ts'
import { usualRows, weeklyVolume } from './weekly-volume.ts'

const hourMs = 3_600_000
/** Monday, 2 April 2001, 00:00 UTC. */
const monday = Date.UTC(2001, 3, 2)
const firstHour = monday / hourMs
/** Quiet at night, busy at noon, half as much on Sundays. */
const usual = (hour: number): number => (hour % 24 < 6 ? 2 : 100 + 10 * (hour % 24)) * (hour % 168 >= 144 ? 0.5 : 1)
const weeksOf = (weeks: number, of: (hour: number) => number): number[] =>
  Array.from({ length: 168 * weeks }, (_, hour) => of(hour))

test('equal weeks give back their hours, from Monday, with no spread and φ 1', () => {
  const { volume, phi } = weeklyVolume(weeksOf(6, usual), firstHour, 0)!
  expect(volume.rows).toEqual(weeksOf(1, usual))
  expect(volume.weeks.every((weeks) => weeks === 6)).toBe(true)
  expect(volume.scale.every((scale) => scale === 0)).toBe(true)
  expect(phi).toBe(1)
})

test('one mad week moves no cell', () => {
  const mad = weeksOf(6, (hour) => (hour < 168 ? 0 : usual(hour)))
  expect(weeklyVolume(mad, firstHour, 0)!.volume.rows).toEqual(weeksOf(1, usual))
})

test('φ is near one for independent rows, and near the dispersion of clumps', () => {
  const next = seeded(3)
  const rows = (clump: number) => weeksOf(8, (hour) => clump * hits((10 * usual(hour)) / clump, 0.1, next))
  // Binomial with p = .1: variance .9 of the mean; the other weeks' median adds about π/2/7 to it.
  expect(weeklyVolume(rows(1), firstHour, 0)!.phi).toBeLessThan(1.4)
  const clumped = weeklyVolume(rows(5), firstHour, 0)!.phi
  expect(clumped).toBeGreaterThan(4)
  expect(clumped).toBeLessThan(7)
})

test('an hour that was seen in few weeks has twice the scale, and one that was never seen that of other days', () => {
  const next = seeded(4)
  const noisy = weeksOf(6, (hour) => hits(10 * usual(hour), 0.1, next))
  const many = weeklyVolume(noisy, firstHour, 0)!
  const few = weeklyVolume(noisy.slice(0, 3 * 168), firstHour, 0)!
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  expect(mean(few.volume.scale) / mean(many.volume.scale)).toBeGreaterThan(1.6)
  const short = weeklyVolume(noisy.slice(0, 168 + 24), firstHour + 0, 0)!
  expect(short.volume.weeks.slice(22, 26)).toEqual([2, 2, 1, 1])
  const holed = weeklyVolume([...noisy.slice(0, 24), ...noisy.slice(0, 24)], firstHour, 0)
  expect(holed).toBeNull()
})

test('without two weeks of any hour nothing is said', () => {
  expect(weeklyVolume([], 0, 0)).toBeNull()
  expect(weeklyVolume(weeksOf(1, usual), firstHour, 0)).toBeNull()
})

test('what is expected of a span is the sum over its parts, and of a week all cells', () => {
  const { volume } = weeklyVolume(weeksOf(2, usual), firstHour, 0)!
  const week = 168 * hourMs
  fc.assert(
    fc.property(
      fc.integer({ min: -week, max: week }),
      fc.integer({ min: 0, max: week }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (from, ms, at) => {
        const cut = Math.floor(ms * at)
        const parts = usualRows(volume, monday + from, cut) + usualRows(volume, monday + from + cut, ms - cut)
        expect(usualRows(volume, monday + from, ms)).toBeCloseTo(parts, 6)
      },
    ),
  )
  expect(usualRows(volume, monday, week)).toBeCloseTo(
    volume.rows.reduce((a, b) => a + b, 0),
    6,
  )
})

test('cells follow local time', () => {
  const { volume } = weeklyVolume(weeksOf(2, usual), firstHour, -300)!
  // 05:00 UTC is midnight of Monday at UTC − 5 h.
  expect(usualRows(volume, monday + 17 * hourMs, hourMs)).toBe(usual(12))
  expect(usualRows(volume, monday + 5 * hourMs, hourMs)).toBe(usual(0))
})
