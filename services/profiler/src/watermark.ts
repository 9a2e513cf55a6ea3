import type { LogTime } from '@interlock/contracts'

/** How far behind the step a shard that has taken everything stands: what is appended meanwhile is not yet read. */
const caughtUpLagMs = 1_000

/**
 * The shard's watermark after a step: no more than a few rows from before it are still to come. Caught up: step time less
 * a second. In a backlog: the median record timestamp of what was taken, so that a single odd clock moves nothing. Never
 * above the step's time, never back.
 *
 * @source docs/reliability.md "Time and watermark"
 */
export function watermarkAfter(
  before: LogTime,
  step: { readonly time: LogTime; readonly caughtUp: boolean; readonly taken: readonly LogTime[] },
): LogTime {
  if (step.caughtUp) return Math.max(before, step.time - caughtUpLagMs)
  if (step.taken.length === 0) return before
  const sorted = Float64Array.from(step.taken).sort()
  const median = sorted[Math.floor((sorted.length - 1) / 2)]!
  return Math.max(before, Math.min(median, step.time))
}
