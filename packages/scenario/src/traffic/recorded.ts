import type { Row } from '../row.ts'
import { deployment, environment, startMs, tenant } from '../world/place.ts'
import type { Traffic } from './traffic.ts'

/** Bounds what one span may be asked for when a recording is dense. */
const shortestSpanMs = 1

/**
 * Replays recorded answers of one version: in their order and at their distances, again and again with another person
 * behind each unit, so that a scenario may last longer than what was recorded. Rows of shadows and of rules are left out.
 *
 * A repeated recording is no new data: against a baseline it always shows the recording's own mix.
 *
 * @param rows prediction events; need not be sorted
 * @param options.version whose answers are played; by default that with most rows
 * @param options.rowsPerHour replays them faster or slower than they came
 * @throws RangeError when no row is left
 */
export function recordedTraffic(
  rows: readonly Row[],
  options: { readonly version?: string; readonly rowsPerHour?: number } = {},
): Traffic {
  const answers = rows.filter(({ variant, status }) => variant !== 'shadow' && status !== 'fallback')
  const version = options.version ?? mostFrequent(answers.map((row) => row.version))
  const played = answers
    .filter((row) => row.version === version)
    .sort((a, b) => a.eventTimeMs - b.eventTimeMs || (a.id < b.id ? -1 : 1))
  const first = played[0]?.eventTimeMs
  const last = played.at(-1)?.eventTimeMs
  if (first === undefined || last === undefined)
    throw new RangeError(`the recording holds no answer of ${version ?? 'any version'}`)
  const gapMs = played.length < 2 ? 1_000 : (last - first) / (played.length - 1)
  const recordedMs = Math.max(shortestSpanMs, last - first + gapMs)
  const lengthMs = options.rowsPerHour === undefined ? recordedMs : (played.length * 3_600_000) / options.rowsPerHour
  const pace = lengthMs / recordedMs
  const offsets = Float64Array.from(played, ({ eventTimeMs }) => (eventTimeMs - first) * pace)
  const failed = played.filter(({ status }) => status === 'error' || status === 'timeout').length
  return {
    from: `recorded: ${played.length} answers of ${version}`,
    rowsPerHour: (played.length * 3_600_000) / lengthMs,
    errorRate: failed / played.length,
    between(from, to) {
      const taken: Row[] = []
      for (let pass = Math.floor(from / lengthMs); pass * lengthMs < to; pass++) {
        const began = pass * lengthMs
        for (let index = lowerBound(offsets, from - began); index < played.length; index++) {
          const at = began + (offsets[index] as number)
          if (at >= to) break
          const row = played[index] as Row
          const unit = pass === 0 ? row.unit : `${row.unit}~${pass}`
          const eventTimeMs = startMs + Math.floor(at)
          taken.push({ ...row, environment, deployment, tenant, id: `${row.id}~${pass}`, unit, eventTimeMs })
        }
      }
      return taken
    },
  }
}

function mostFrequent(words: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0]
}

/** Place of the first number that is not below `value`. */
function lowerBound(sorted: Float64Array, value: number): number {
  let from = 0
  let to = sorted.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((sorted[middle] as number) < value) from = middle + 1
    else to = middle
  }
  return from
}
