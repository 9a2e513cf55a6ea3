import type { GuardedMinutes } from './api.ts'
import { guardedOf } from './guarded.ts'
import { inTimeMs, type Projection, timesOf } from './projection.ts'

/** Gaps of one version in an answer. */
const shownGaps = 100

/** Guarded minutes of a deployment, as the API tells them. */
export function guardedMinutes(projection: Projection, since: number, now: number): GuardedMinutes {
  const pendingMs = timesOf(projection).paneMs + inTimeMs(projection)
  const { from, to, versions } = guardedOf(projection.watchfulness, since, now, pendingMs)
  return {
    from,
    to,
    versions: versions.map(({ gaps, ...version }) => ({
      ...version,
      gapsTotal: gaps.length,
      gaps: gaps.toReversed().slice(0, shownGaps),
    })),
  }
}
