import {
  canonicalJson,
  type EventTime,
  type EvidenceOut,
  type LineageOut,
  type LogTime,
  sha256,
  type WatchOut,
} from '@interlock/contracts'
import { sumPane, unmovedAfter } from './closed-pane.ts'
import { coverSpan, emptyPane, joinPanes, type OpenPane, rowsOf } from './panes.ts'
import type { Methods, Plan } from './plan.ts'
import { addRows } from './served.ts'
import { moveShadow } from './shadow.ts'
import type { ProfilerShard, Watched } from './state.ts'
import { summariesOf } from './summaries.ts'
import { moveTrack, readTrack, startTrack } from './tracks.ts'
import { putInForce } from './watching.ts'

/** Open panes of one deployment, in number and in bytes of counts. Beyond them the oldest closes, incomplete. */
export const openPaneBounds = { panes: 4_096, bytes: 64 * 1_048_576 } as const

/**
 * Part of the profiler shards that vouch for the pane that is next, or null while it must stay open.
 *
 * A shard vouches when its watermark has passed the pane's end by the lateness. One that is silent for `stallTimeoutMs` is
 * waited for no longer: its pane closes without it, incomplete.
 *
 * @source docs/reliability.md "Time and watermark"
 */
export function coverageToClose(watched: Watched, profilers: readonly ProfilerShard[], time: LogTime): number | null {
  if (watched.watch === null) return null
  const { paneMs, latenessMs, stallTimeoutMs } = watched.watch.policy.times
  const due = watched.next + paneMs + latenessMs
  const vouching = profilers.filter(({ watermark }) => watermark >= due).length
  if (vouching === profilers.length) return 1
  const waitsFor = profilers.some(
    ({ watermark, silentMs }) => watermark < due && !(silentMs >= stallTimeoutMs && time - stallTimeoutMs >= due),
  )
  return waitsFor && !isOverfull(watched) ? null : vouching / profilers.length
}

function isOverfull({ panes }: Watched): boolean {
  if (panes.size > openPaneBounds.panes) return true
  let bytes = 0
  for (const pane of panes.values()) bytes += pane.bytes
  return bytes > openPaneBounds.bytes
}

/**
 * Closes the pane that is next: every detector moves once, and the deployment's evidence is said.
 *
 * @returns also `bytes`, the length of the evidence as text, for the bound of a step; and what the policy on trial knows of a whole
 * pane, which is no part of the evidence
 */
export function closePane(
  watched: Watched,
  reported: number,
  methods: Methods,
): {
  readonly watched: Watched
  readonly evidence: EvidenceOut
  readonly lineage: LineageOut
  readonly bytes: number
  readonly onTrial: { readonly said: NonNullable<EvidenceOut['shadow']>; readonly bytes: number } | null
} {
  const { watch, plan } = watched as { watch: WatchOut; plan: Plan }
  const start = watched.next
  const next = start + plan.paneMs
  const open = openBetween(watched.panes, start, next)
  const pane = sumPane(plan, open, start, reported)
  const tracks = new Map(
    plan.subjects.map((subject) => {
      const track = watched.tracks.get(subject.key) ?? startTrack(subject, start)
      return [subject.key, moveTrack(plan, subject, track, watched.unmoved, pane)]
    }),
  )
  const { deployment } = watched
  const { generation } = watch
  const totals = pane.variants.reduce(addRows, watched.totals)
  const guardrails = plan.subjects.map((subject) =>
    readTrack(plan, subject, tracks.get(subject.key)!, pane, { deployment, generation }),
  )
  const content = {
    kind: 'evidence',
    deployment,
    generation,
    pane: start,
    paneMs: plan.paneMs,
    coverage: pane.coverage,
    guardrails,
    summaries: summariesOf(plan, watch, pane),
    totals,
    late: watched.late,
  } as const
  const text = canonicalJson(content)
  const evidence: EvidenceOut = { ...content, hash: sha256(text) }
  const spans = new Map(watched.spans)
  for (const span of open.spans.values()) coverSpan(spans, span)
  const lineage: LineageOut = {
    kind: 'lineage',
    deployment,
    generation,
    pane: start,
    evidence: evidence.hash,
    spans: [...spans.keys()].sort().map((key) => spans.get(key)!),
  }
  const panes = new Map([...watched.panes].filter(([key]) => key >= next))
  const unmoved = unmovedAfter(plan, watched.unmoved, pane)
  const onTrial = moveShadow(watched, tracks, pane, { deployment, generation })
  const harm = new Map(plan.subjects.map(({ key }, index) => [key, guardrails[index]!.evidence.logE.harm]))
  const { shadow: _, ...still } = watched
  const history = onTrial === null ? {} : { shadow: onTrial.shadow }
  const moved = { ...still, ...history, tracks, harm, unmoved, totals, spans, panes, next }
  return {
    watched: putInForce(moved, methods),
    evidence,
    lineage,
    bytes: text.length,
    onTrial: pane.coverage < 1 ? null : onTrial,
  }
}

/** Counts of the pane from `start` to `end`: of several, where the length of panes changed between two watches. */
export function openBetween(panes: Watched['panes'], start: EventTime, end: EventTime): OpenPane {
  const within = [...panes.keys()].filter((key) => key >= start && key < end).sort((a, b) => a - b)
  return joinPanes(within.map((key) => panes.get(key)!))
}

/** Drops the oldest panes of a deployment that nobody watches yet when there are too many. */
export function boundUnwatched(watched: Watched): Watched {
  if (watched.watch !== null || !isOverfull(watched)) return watched
  const oldest = Math.min(...watched.panes.keys())
  const panes = new Map(watched.panes)
  panes.delete(oldest)
  const rows = rowsOf(watched.panes.get(oldest) ?? emptyPane)
  return boundUnwatched({ ...watched, panes, before: watched.before + rows })
}
