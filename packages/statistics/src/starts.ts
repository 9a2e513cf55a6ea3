import type { EventTime } from '@interlock/contracts'

/** A pane at which a change may have begun, with what had been summed up before it. */
export type Start = { readonly at: EventTime; readonly sums: readonly number[] }

/**
 * Adds a possible start and, beyond `limit`, forgets the one whose neighbours stand closest together for its age. What
 * is kept thins out with age at a constant ratio: a recent onset is known to the pane, an old one to a part of its
 * age. The choice depends on time alone, never on the data.
 */
export function keepStart(starts: readonly Start[], start: Start, limit: number): readonly Start[] {
  const kept = [...starts, start]
  if (kept.length <= limit) return kept
  let worst = 1
  let least = Number.POSITIVE_INFINITY
  for (let i = 1; i < kept.length - 1; i++) {
    const gap = (kept[i + 1] as Start).at - (kept[i - 1] as Start).at
    const crowding = gap / (start.at - (kept[i] as Start).at)
    if (crowding < least) {
      least = crowding
      worst = i
    }
  }
  kept.splice(worst, 1)
  return kept
}

/** Nats within which start panes are as likely as the likeliest: an approximate 95 % set (a heuristic). */
const onsetNats = 2

export interface OnsetOf {
  readonly onset: { readonly from: EventTime; readonly to: EventTime } | null
  /** Likeliest start, the latest of equals; null where no onset is named. */
  readonly start: Start | null
}

/**
 * When it began: start panes whose log-likelihood ratio "changed from here on" against "never changed" is within 2 nats
 * of the greatest, widened by what was forgotten on either side of them. No onset is named while the greatest is itself
 * within 2 nats of no change.
 *
 * Where the ratio is flat (no event before the change says nothing about its moment) `within` tells the starts of that span
 * apart: the log-likelihood of a change at `start` in what came since the `first` of them.
 */
export function onsetOf(
  starts: readonly Start[],
  paneMs: number,
  logRatio: (start: Start) => number,
  within?: (start: Start, first: Start) => number,
): OnsetOf {
  const wide = likeliest(starts.map(logRatio))
  if (wide === null || wide.greatest <= onsetNats) return { onset: null, start: null }
  const first = starts[wide.from] as Start
  const inside = starts.slice(wide.from, wide.to + 1)
  const narrow = within === undefined ? null : likeliest(inside.map((start) => within(start, first)))
  const { from, best, to } = narrow === null ? wide : shifted(narrow, wide.from)
  const before = starts[from - 1]
  const after = starts[to + 1]
  const onset = {
    from: before === undefined ? (starts[from] as Start).at : before.at + paneMs,
    to: after === undefined ? (starts[to] as Start).at + paneMs : after.at,
  }
  return { onset, start: starts[best] as Start }
}

interface Likeliest {
  readonly best: number
  readonly from: number
  readonly to: number
  readonly greatest: number
}

/** Place of the greatest value, the last of equals, and the span around it that stays within 2 nats. */
function likeliest(values: readonly number[]): Likeliest | null {
  let best = 0
  for (let i = 1; i < values.length; i++) if ((values[i] as number) >= (values[best] as number)) best = i
  const greatest = values[best]
  if (greatest === undefined) return null
  let from = best
  let to = best
  while (from > 0 && (values[from - 1] as number) >= greatest - onsetNats) from--
  while (to < values.length - 1 && (values[to + 1] as number) >= greatest - onsetNats) to++
  return { best, from, to, greatest }
}

function shifted({ best, from, to, greatest }: Likeliest, by: number): Likeliest {
  return { best: best + by, from: from + by, to: to + by, greatest }
}
