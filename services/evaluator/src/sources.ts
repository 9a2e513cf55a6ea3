import type { DetectorPane, DetectorReading, Evidence, Influence } from '@interlock/contracts'
import { watchPart } from '@interlock/deployment'
import {
  excessOf,
  moveWithoutOne,
  type Robust,
  robustOf,
  type SourcePane,
  shareOf,
  smallSources,
  startWithoutOne,
  type WithoutOne,
} from '@interlock/statistics'
import { added } from './added.ts'
import type { SummedPane } from './closed-pane.ts'
import { otherValue } from './panes.ts'
import type { Sight } from './plan.ts'
import { type Joined, joinSlices } from './slices.ts'
import type { Track } from './state.ts'

/** Sources whose influence is told. */
const influencesTold = 3

/** Part of what is too much that one small source must hold to be told as the one behind a slice. */
const tellingPart = 1 / 2

export function startSources({ detector, setup, sources }: Sight): WithoutOne | null {
  return sources.length === 0 ? null : startWithoutOne(detector, setup, sources.length)
}

/** The track's evidence without any one source after one more whole pane. */
export function moveSources(
  { detector, setup, sources }: Sight,
  before: WithoutOne | null,
  seen: DetectorPane,
  pane: SummedPane,
  groups: { readonly now: string; readonly against: string | null },
): WithoutOne | null {
  if (sources.length === 0) return null
  const parts = sources.map(
    ({ keys }): SourcePane => ({
      now: sumOf(pane, groups.now, keys),
      reference: groups.against === null ? null : sumOf(pane, groups.against, keys),
    }),
  )
  return moveWithoutOne(detector, setup, before ?? startWithoutOne(detector, setup, sources.length), seen, parts)
}

function sumOf(pane: SummedPane, group: string, keys: readonly string[]): Float64Array | null {
  const slices = pane.groups.get(group)?.slices
  let sum: Float64Array | null = null
  for (const key of keys) {
    const counts = slices?.get(key)
    if (counts !== undefined) sum = sum === null ? counts : added(sum, counts)
  }
  return sum
}

/** Evidence that stands without any one small source, and what it would be without each. */
export interface Weighed {
  readonly joined: Joined
  readonly influence: readonly Influence[]
  readonly alone: NonNullable<Evidence['alone']> | null
}

/**
 * Joins whole, slices and sources. Where a small source (at most a tenth of the rows) is about, harm is what is left without any one of them, and
 * slices of small producers do not take part: a source of its own may neither bring about nor hide what moves traffic.
 *
 * `alone`: with all rows ln E is beyond the limit, and without one small source it is below half of it. In between nothing is
 * told: a few panes more will tell. Where a segment leads (its rows are not known by producer), a source is told whose own
 * events beyond the others' rate are half of what is too much there; for distributions of a segment that cannot be said.
 */
export function weighSources(sight: Sight, whole: DetectorReading, track: Track, limit: number): Weighed {
  const joined = joinSlices(sight, whole, track.slices)
  const robust = track.withoutOne === null ? null : robustOf(whole, track.withoutOne)
  if (track.withoutOne === null || robust === null) return { joined, influence: [], alone: null }
  const { withoutOne } = track
  const name = (source: number): string => sight.sources[source]?.name ?? otherValue
  const standing = standingOf(sight, whole, robust, track, withoutOne)
  const influence = robust.without
    .slice(0, influencesTold)
    .map(({ source, share, harm }) => ({ source: name(source), traffic: share, without: harm }))
  const source = behindSegment(standing, withoutOne) ?? behindWhole(sight, joined, standing, robust, limit)
  const logE = Math.max(joined.logE.harm, standing.logE.harm)
  if (source === null || logE < limit) return { joined: standing, influence, alone: null }
  // What one source shows is told in full, and moves nothing: its evidence is what is left without it.
  const left = Math.min(standing.logE.harm, limit * watchPart)
  return {
    joined: { ...joined, logE: { harm: left, safe: standing.logE.safe } },
    influence,
    alone: { source: name(source), traffic: shareOf(withoutOne.sums, source), logE },
  }
}

/** The robust whole with the slices that no small producer owns. The whole's own numbers are shown unless a source hides harm in them. */
function standingOf(
  sight: Sight,
  whole: DetectorReading,
  { logE, guarded }: Robust,
  track: Track,
  withoutOne: WithoutOne,
): Joined {
  const small = new Set(smallSources(withoutOne).flatMap((source) => sight.sources[source]?.keys ?? []))
  const slices = new Map([...track.slices].filter(([key]) => !small.has(key)))
  const shown = whole.logE.harm >= logE.harm ? whole : guarded
  return joinSlices(sight, { ...shown, logE }, slices)
}

/** The small source without which nothing stands out; null where what stands out stands without each. */
function behindWhole(
  { sources }: Sight,
  { logE, leadKey }: Joined,
  standing: Joined,
  { without }: Robust,
  limit: number,
): number | null {
  if (logE.harm < limit || standing.logE.harm >= limit * watchPart) return null
  const leading = without.find(({ source }) => leadKey !== null && sources[source]?.keys.includes(leadKey))
  return (leading ?? without[0])?.source ?? null
}

/** The small source that holds most of what is too much in the segment that leads; null where none does. */
function behindSegment({ leadSlice, lead }: Joined, withoutOne: WithoutOne): number | null {
  if (leadSlice === null || leadSlice.dimension === 'producer') return null
  const { n, m, events } = lead.since ?? lead
  const excess = m === 0 ? 0 : events.now - (n * events.reference) / m
  if (excess <= 0) return null
  const parts = smallSources(withoutOne).map((source) => ({ source, part: excessOf(withoutOne.sums, source) / excess }))
  const most = parts.reduce((best, one) => (one.part > best.part ? one : best), { source: -1, part: tellingPart })
  return most.source < 0 ? null : most.source
}
