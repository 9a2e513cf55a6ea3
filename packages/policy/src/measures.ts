/** Patterns of what an author writes, for the schema and for reading. */
export const measurePatterns = {
  duration: /^\d{1,6}(?:\.\d{1,3})? ?(?:ms|s|m|min|h|d)$/,
  percent: /^\d{1,4}(?:\.\d{1,4})? ?%$/,
  rolloutBudget: /^1 in [1-9]\d{0,2}(?:,?\d{3}){0,2}(?: rollouts?)?$/,
  yearBudget:
    /^\d{1,3}(?: false (?:alarms?|actions?|holds?|halts?|rollbacks?))? (?:(?:a|per|each) (?:day|week|month|year)|in (?:\d{1,4} )?(?:days?|weeks?|months?|years?))$/,
} as const

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** "5s", "1.5 min", "24h" → whole milliseconds. Null where it is no duration. */
export function readDuration(text: string): number | null {
  if (!measurePatterns.duration.test(text)) return null
  const [, number, unit] = /^([\d.]+) ?([a-z]+)$/.exec(text)!
  return Math.round(Number(number) * unitMs[unit!]!)
}

/** Whole milliseconds as an author writes them, in the largest unit that fits: 90000 → "90s", 1800000 → "30m". */
export function writeDuration(ms: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find((one) => ms >= unitMs[one]! && ms % unitMs[one]! === 0) ?? 'ms'
  return `${ms / unitMs[unit]!}${unit}`
}

/** "2026-12-01" → its first millisecond, UTC. Null where there is no such day. */
export function readDay(text: string): number | null {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []
  if (year === undefined) return null
  const at = Date.UTC(Number(year), Number(month) - 1, Number(day))
  return Number.isFinite(at) && new Date(at).toISOString().slice(0, 10) === text ? at : null
}

/** "5%", "0.1 %" → 0.05, 0.001; a bare number stands for itself. Null where it is neither. */
export function readRatio(written: string | number): number | null {
  if (typeof written === 'number') return Number.isFinite(written) && written >= 0 ? Math.abs(written) : null
  if (!measurePatterns.percent.test(written)) return null
  // A quotient of whole numbers is the nearest double to what was written; 0.1 / 100 is not always.
  const digits = written.replace('%', '').trim()
  const places = digits.split('.')[1]?.length ?? 0
  return Number(digits.replace('.', '')) / Number(`100${'0'.repeat(places)}`)
}

const daysIn: Readonly<Record<string, number>> = { day: 1, week: 7, month: 365 / 12, year: 365 }

/**
 * A budget in words: "1 in 1000 rollouts" → alpha 0.001; "1 false alarm in 90 days", "2 a year" → falsePerYear.
 * Null where it is neither, or zero.
 */
export function readBudget(text: string): { readonly alpha: number } | { readonly falsePerYear: number } | null {
  if (measurePatterns.rolloutBudget.test(text)) {
    return { alpha: 1 / Number(/^1 in ([\d,]+)/.exec(text)![1]!.replaceAll(',', '')) }
  }
  if (!measurePatterns.yearBudget.test(text)) return null
  const count = Number(/^\d+/.exec(text)![0])
  const [, spans, unit] = /(?:(?:a|per|each)|in(?: (\d+))?) (day|week|month|year)s?$/.exec(text)!
  const days = Number(spans ?? 1) * daysIn[unit!]!
  return count === 0 || days === 0 ? null : { falsePerYear: (count * 365) / days }
}
