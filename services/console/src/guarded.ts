import type { Evidence, EvidenceOut, LogTime, StateOut, VersionId } from '@interlock/contracts'

/**
 * Why a version that served was not really watched (docs/receipts.md "Guarded minutes"). Of several causes the first one
 * in this order is named.
 */
export const gapCauses = [
  /** No evidence, or not before the evaluator should have given up on the last shard: nobody looked in time. */
  'stalled',
  /** A part of the pane was not seen. */
  'incomplete',
  /** No rule looked at the version: no policy in force yet, another generation watched, or no rule about it. */
  'not-in-force',
  /** It had a share and no row came, or a rule had nothing to compare with. */
  'no-data',
  /** A rule has too few rows to speak. */
  'too-few',
  /** The agent had lost the governor and acted alone. */
  'grant-lapsed',
] as const
export type GapCause = (typeof gapCauses)[number]

/** The causes as people say them, on the page and in the command line. */
export const gapWords: Readonly<Record<GapCause, string>> = {
  stalled: 'no evaluation in time',
  incomplete: 'not seen in full',
  'not-in-force': 'no rule in force',
  'no-data': 'no data',
  'too-few': 'too few rows to judge',
  'grant-lapsed': 'the agent on its own',
}

/** A part of the serving time in tenths of a percent, rounded down: nothing below all of it is 100 %. */
export function watchedPart(part: number, whole: number): string {
  return whole === 0 ? '–' : `${(Math.floor((part / whole) * 1_000) / 10).toFixed(1)} %`
}

/** Panes in a row of which the same is to be said. Times in ms; `to` exclusive. */
export interface PaneRun {
  readonly from: number
  readonly to: number
  /** Versions that answered, or that rules looked at: whether it answered users, and why it was not watched. */
  readonly versions: readonly {
    readonly version: VersionId
    readonly served: boolean
    readonly cause: GapCause | null
  }[]
}

/** Who shall serve from a moment on. */
export interface Standing {
  readonly at: LogTime
  readonly stable: VersionId | null
  readonly candidate: VersionId | null
  readonly share: number
  readonly grantLapsed: boolean
}

/** What is kept to tell guarded minutes; bounded, oldest first. */
export interface Watchfulness {
  readonly runs: readonly PaneRun[]
  readonly standings: readonly Standing[]
  /** From where on the first watch was in force; null before it. */
  readonly watchedFrom: number | null
  /** What is older was dropped. */
  readonly knownFrom: number
}

export const noWatchfulness: Watchfulness = { runs: [], standings: [], watchedFrom: null, knownFrom: 0 }
export const watchfulnessBound = 2_000

/** One version's serving time. `gaps` and the watched time are a partition of it. */
export interface GuardedVersion {
  readonly version: VersionId
  readonly servingMs: number
  readonly watchedMs: number
  readonly causes: Readonly<Partial<Record<GapCause, number>>>
  readonly gaps: readonly Gap[]
}
export interface Gap {
  readonly from: number
  readonly to: number
  readonly cause: GapCause
}
export interface Guarded {
  readonly from: number
  readonly to: number
  readonly versions: readonly GuardedVersion[]
}

/** Takes the evidence of a closed pane. @param inTimeMs how long after its end evidence of a pane still comes in time */
export function withEvidence(known: Watchfulness, out: EvidenceOut, at: LogTime, inTimeMs: number): Watchfulness {
  const end = out.pane + out.paneMs
  const run: PaneRun = { from: out.pane, to: end, versions: versionsIn(out, at - end > inTimeMs) }
  const last = known.runs.at(-1)
  // Of a pane that is told of again, as after a lost log, the first word stands.
  if (last !== undefined && run.from < last.to) return known
  if (last !== undefined && last.to === run.from && JSON.stringify(last.versions) === JSON.stringify(run.versions)) {
    return { ...known, runs: [...known.runs.slice(0, -1), { ...last, to: run.to }] }
  }
  return bounded({ ...known, runs: [...known.runs, run] })
}

/** Takes the governor's word about who shall serve. */
export function withStanding(known: Watchfulness, { at, view }: StateOut): Watchfulness {
  const { stable, candidate, share, holds } = view
  const next = { stable, candidate, share, grantLapsed: holds.some(({ owner }) => owner === 'grant') }
  const last = known.standings.at(-1)
  if (last !== undefined && JSON.stringify({ ...last, at: 0 }) === JSON.stringify({ at: 0, ...next })) return known
  return bounded({ ...known, standings: [...known.standings, { at, ...next }] })
}

export function withWatchFrom(known: Watchfulness, from: number): Watchfulness {
  return known.watchedFrom === null ? { ...known, watchedFrom: from } : known
}

function versionsIn(out: EvidenceOut, isLate: boolean): PaneRun['versions'] {
  const served = new Map<VersionId, number>()
  for (const { version, variant, rows } of out.summaries) {
    served.set(version, (served.get(version) ?? 0) + (variant === 'shadow' ? 0 : rows))
  }
  const named = new Set([...served.keys(), ...out.guardrails.map(({ version }) => version)])
  return [...named].sort().map((version) => {
    const rows = served.get(version) ?? 0
    const statuses = out.guardrails.filter((one) => one.version === version).map(({ evidence }) => evidence.status)
    return { version, served: rows > 0, cause: causeOf(isLate, out.coverage, rows, statuses) }
  })
}

function causeOf(
  isLate: boolean,
  coverage: number,
  rows: number,
  statuses: readonly Evidence['status'][],
): GapCause | null {
  if (isLate) return 'stalled'
  if (coverage < 1 || statuses.includes('incomplete')) return 'incomplete'
  if (statuses.length === 0) return 'not-in-force'
  if (rows === 0 || statuses.includes('no-data')) return 'no-data'
  return statuses.includes('too-few') ? 'too-few' : null
}

function bounded(known: Watchfulness): Watchfulness {
  const runs = known.runs.slice(-watchfulnessBound)
  const standings = known.standings.slice(-watchfulnessBound)
  const cuts = [
    runs.length < known.runs.length ? runs[0]!.from : 0,
    standings.length < known.standings.length ? standings[0]!.at : 0,
  ]
  return { ...known, runs, standings, knownFrom: Math.max(known.knownFrom, ...cuts) }
}

/**
 * Share of its serving time that each version was really watched, from `since` (or from what is known) up to the last pane
 * that is evaluated or should be.
 *
 * A version serves while it has a share by the governor's order, or answered users within the pane. It is watched in a pane
 * that was evaluated in time and whole, in which it answered, and in which every rule about it speaks; not while the grant
 * of its exposure has lapsed.
 *
 * @param now  ms; what ended less than `pendingMs` ago may still be evaluated in time and is left out
 */
export function guardedOf(known: Watchfulness, since: number, now: number, pendingMs: number): Guarded {
  const { runs, standings, watchedFrom } = known
  const begin = Math.min(standings[0]?.at ?? Number.POSITIVE_INFINITY, runs[0]?.from ?? Number.POSITIVE_INFINITY)
  const to = Math.max(now - pendingMs, runs.at(-1)?.to ?? 0)
  const from = Math.min(to, Math.max(since, known.knownFrom, begin))
  const cuts = [
    from,
    to,
    watchedFrom ?? from,
    ...runs.flatMap((run) => [run.from, run.to]),
    ...standings.map(({ at }) => at),
  ]
  const within = [...new Set(cuts.filter((cut) => cut >= from && cut <= to))].sort((a, b) => a - b)
  const sums = new Map<VersionId, { servingMs: number; watchedMs: number; gaps: Gap[] }>()
  let run = 0
  let standing = -1
  for (let index = 0; index + 1 < within.length; index++) {
    const [start, end] = [within[index]!, within[index + 1]!]
    while (run < runs.length && runs[run]!.to <= start) run++
    while (standing + 1 < standings.length && standings[standing + 1]!.at <= start) standing++
    const pane = run < runs.length && runs[run]!.from <= start ? runs[run]! : null
    const unseen: GapCause = watchedFrom === null || start < watchedFrom ? 'not-in-force' : 'stalled'
    for (const [version, cause] of servingIn(pane, standings[standing] ?? null, unseen)) {
      const sum = sums.get(version) ?? { servingMs: 0, watchedMs: 0, gaps: [] }
      sums.set(version, sum)
      sum.servingMs += end - start
      if (cause === null) sum.watchedMs += end - start
      else addGap(sum.gaps, { from: start, to: end, cause })
    }
  }
  const versions = [...sums.keys()].sort().map((version) => ({ version, ...sums.get(version)! }))
  return { from, to, versions: versions.map((one) => ({ ...one, causes: causesOf(one.gaps) })) }
}

/** Versions that serve in a span, and why each is not watched there. */
function servingIn(
  pane: PaneRun | null,
  standing: Standing | null,
  unseen: GapCause,
): ReadonlyMap<VersionId, GapCause | null> {
  const serving = new Set<VersionId>(
    (pane?.versions ?? []).filter(({ served }) => served).map(({ version }) => version),
  )
  if (standing?.stable != null && (standing.share < 1 || standing.candidate === null)) serving.add(standing.stable)
  if (standing?.candidate != null && standing.share > 0) serving.add(standing.candidate)
  return new Map(
    [...serving].map((version) => {
      if (pane === null) return [version, unseen]
      const seen = pane.versions.find((one) => one.version === version)
      const cause = seen === undefined ? 'not-in-force' : seen.cause
      const isLapsed = standing?.grantLapsed === true && version === standing.candidate
      return [version, cause === null && isLapsed ? 'grant-lapsed' : cause]
    }),
  )
}

function addGap(gaps: Gap[], gap: Gap): void {
  const last = gaps.at(-1)
  if (last?.to === gap.from && last.cause === gap.cause) gaps[gaps.length - 1] = { ...last, to: gap.to }
  else gaps.push(gap)
}

function causesOf(gaps: readonly Gap[]): GuardedVersion['causes'] {
  const sums: Partial<Record<GapCause, number>> = {}
  for (const cause of gapCauses) {
    const ms = gaps.filter((gap) => gap.cause === cause).reduce((sum, gap) => sum + gap.to - gap.from, 0)
    if (ms > 0) sums[cause] = ms
  }
  return sums
}
