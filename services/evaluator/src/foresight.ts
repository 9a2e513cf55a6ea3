import type { EventTime, GuardrailEvidence, LogTime, ProvisionalOut } from '@interlock/contracts'
import { type ClosedPane, sumPane, unmovedAfter } from './closed-pane.ts'
import { openBetween } from './closing.ts'
import type { OpenPane } from './panes.ts'
import type { Plan, Subject } from './plan.ts'
import type { Track, Watched } from './state.ts'
import { moveTrack, readTrack, startTrack } from './tracks.ts'

/** Open panes are looked into at most so often, ms of log time, and at most so many times a pane. */
const looksEveryMs = 1_000
const looksAPane = 4

/** Open panes that one look goes through, oldest first: bounds its work where panes wait long for their lateness. */
const panesAhead = 8

/** Part of the limit, in ln, from which on closed evidence is on its way there. */
const nearingPart = 1 / 4

/** Whether a look is due in the step from `before` to `time`: follows from the two alone, so that nothing need be remembered. */
export function isLookDue({ plan }: Watched, before: LogTime, time: LogTime): boolean {
  if (plan === null) return false
  const everyMs = Math.max(looksEveryMs, plan.paneMs / looksAPane)
  return Math.floor(time / everyMs) > Math.floor(before / everyMs)
}

/**
 * What the evidence would be if the open panes closed as they stand. No track moves. Null, so nearly always, unless some
 * guardrail would reach its limit that has not reached it with its closed panes.
 *
 * Cheap before it is exact: each guardrail's whole is looked at first, without slices. Against the stable version that is
 * sound however little of a pane has come, for both arms came alike. A baseline is a day's mixture, and an open pane is
 * whichever partition was read first: such a guardrail is looked at only once its closed panes are on their way to the limit.
 * Silence is never looked for: an open pane cannot tell it from rows that are still to come.
 *
 * Depends on what had arrived when the step was made: no equality is promised for it.
 */
export function foresee(watched: Watched, time: LogTime): ProvisionalOut | null {
  const { watch, plan, deployment } = watched
  if (watch === null || plan === null) return null
  const looked = plan.subjects.filter((subject) => isLookedAt(subject, watched.harm.get(subject.key) ?? 0))
  const opens = looked.length === 0 ? [] : openPanes(watched, plan, time)
  const pane = opens.at(-1)?.start
  if (pane === undefined) return null
  const wholes = summed(plan, opens, [])
  const suspects = looked.filter((subject) => isSuspect(watched, plan, subject, wholes))
  if (suspects.length === 0) return null
  const panes = summed(plan, opens, suspects)
  const identity = { deployment, generation: watch.generation }
  const guardrails = suspects
    .map((subject) => readTrack(plan, subject, moved(watched, plan, subject, panes), panes.at(-1)!, identity))
    .filter(isBeyond)
  return guardrails.length === 0 ? null : { kind: 'provisional', ...identity, pane, guardrails }
}

function isLookedAt({ guardrail, sight, against, limit }: Subject, closedHarm: number): boolean {
  if (sight === null || sight.setup.signal.kind === 'volume' || guardrail.action === 'watch') return false
  return closedHarm < limit && (against !== null || isNearing(closedHarm, limit))
}

function isNearing(closedHarm: number, limit: number): boolean {
  return closedHarm >= nearingPart * limit
}

/** The whole alone is beyond the limit, or slices, which it does not see, may be what brought it on its way. */
function isSuspect(watched: Watched, plan: Plan, subject: Subject, wholes: readonly ClosedPane[]): boolean {
  const { sight, limit, key } = subject
  if (sight === null) return false
  if (sight.slices.size > 0 && isNearing(watched.harm.get(key) ?? 0, limit)) return true
  const alone = { ...subject, sight: { ...sight, slices: new Map(), sliceOrder: [], sources: [] } }
  const { whole } = moved(watched, plan, alone, wholes)
  return sight.detector.read(sight.setup, whole).logE.harm >= limit
}

/** The track as it would be after the open panes. */
function moved(watched: Watched, plan: Plan, subject: Subject, panes: readonly ClosedPane[]): Track {
  let track = watched.tracks.get(subject.key) ?? startTrack(subject, watched.next)
  let { unmoved } = watched
  for (const pane of panes) {
    track = moveTrack(plan, subject, track, unmoved, pane)
    unmoved = unmovedAfter(plan, unmoved, pane)
  }
  return track
}

function isBeyond({ evidence, limit }: GuardrailEvidence): boolean {
  return evidence.status === 'ok' && evidence.logE.harm >= limit
}

/** Sums of the open panes as if they were whole, in the slices that the subjects look into. */
function summed(plan: Plan, opens: readonly Opened[], subjects: readonly Subject[]): readonly ClosedPane[] {
  const names = new Set(
    subjects.flatMap(({ guardrail, sight }) => [
      ...guardrail.slices,
      ...(sight !== null && sight.sources.length > 0 ? ['producer'] : []),
    ]),
  )
  const dimensions = new Map([...plan.dimensions].filter(([name]) => names.has(name)))
  return opens.map(({ start, open }) => sumPane({ ...plan, dimensions }, open, start, 1))
}

interface Opened {
  readonly start: EventTime
  readonly open: OpenPane
}

/** Panes of the watch in force that have begun, up to the newest with a row. */
function openPanes({ panes, pending, next }: Watched, { paneMs }: Plan, time: LogTime): readonly Opened[] {
  const end = Math.min(time, pending[0]?.from ?? time)
  const newest = [...panes.keys()].reduce((most, start) => (start < end ? Math.max(most, start) : most), next - 1)
  const opens: Opened[] = []
  for (let start = next; start <= newest && opens.length < panesAhead; start += paneMs) {
    opens.push({ start, open: openBetween(panes, start, start + paneMs) })
  }
  return opens
}
