import { weeklyVolume } from '@interlock/statistics'
import { type BaselineBatch, BaselineProblem } from './baseline-rows.ts'

const hourMs = 3_600_000

/** Hours that the times of the rows may span: 20 years. More is a column of something else, and no memory for it. */
const mostHours = 175_320

/**
 * Hours of the week from the times of the rows; null where the rows have none, or do not span two weeks of any hour. The
 * hours of the first and the last row are left out: they may be cut.
 *
 * @throws BaselineProblem where the times span more than 20 years
 */
export function hourlyVolume(
  batches: readonly BaselineBatch[],
  utcOffsetMinutes: number,
): ReturnType<typeof weeklyVolume> {
  const rows = new Map<number, number>()
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const { timeMs } of batches) {
    for (const time of timeMs ?? []) {
      if (!Number.isFinite(time)) continue
      const hour = Math.floor((time + utcOffsetMinutes * 60_000) / hourMs)
      rows.set(hour, (rows.get(hour) ?? 0) + 1)
      first = Math.min(first, hour)
      last = Math.max(last, hour)
    }
  }
  if (!(last - first > 1)) return null
  if (last - first > mostHours) {
    throw new BaselineProblem(
      `the times of the rows lie ${Math.round((last - first) / 8_766)} years apart: is this column a time?`,
    )
  }
  const hours = Array.from({ length: last - first - 1 }, (_, index) => rows.get(first + 1 + index) ?? 0)
  return weeklyVolume(hours, first + 1, utcOffsetMinutes)
}
