import type { Desired, EventTime, LogTime, Observed, Variant, VersionId } from '@interlock/contracts'

/** Predictions by version in one pane, open or closed: the newest `served` of that pane. */
export interface ServedPane {
  readonly pane: EventTime
  readonly counts: readonly { readonly version: VersionId; readonly variant: Variant; readonly rows: number }[]
}

/** What a command wants, in versions instead of digests. */
export interface Expectation {
  readonly desired: Desired
  readonly target: VersionId
  readonly candidate: VersionId | null
}

/** Predictions after the apply fact that prove a change … */
export const provingRows = 50
/** … or, where there are fewer, all of the first seconds after it. */
export const provingMs = 5_000
/** Without any traffic for so long after the apply fact, the weights alone count, and it says so. */
export const weightsOnlyAfterMs = 15_000
/** Largest share of the forbidden version, and largest distance of a share from the ordered one. */
export const shareTolerance = 0.01
/** The router draws: a share of n rows is off by sampling; so many standard deviations are not held against it. */
const samplingDeviations = 4

/** Whether the platform's own weights are those that were ordered. */
export function weightsAgree(desired: Desired, observed: Observed): boolean {
  const share = desired.candidate === null ? 0 : desired.shareMax
  return (
    observed.stable === desired.target &&
    observed.fallback === desired.fallback &&
    Math.abs(observed.share - share) <= shareTolerance &&
    (desired.candidate === null || observed.candidate === desired.candidate) &&
    (observed.shadow === desired.shadow || observed.candidate === null)
  )
}

/** What traffic shows: rows that answered users, and the part that should not have. */
export interface Traffic {
  readonly rows: number
  /** Share of a version that should not answer, or of the candidate where a share was ordered. */
  readonly share: number
  readonly agrees: boolean
}

/** Sums the panes that lie wholly after `appliedAt`. Shadow rows answer nobody and are left out. */
export function trafficSince(expected: Expectation, panes: readonly ServedPane[], appliedAt: LogTime): Traffic {
  let rows = 0
  let candidate = 0
  let stranger = 0
  for (const { pane, counts } of panes) {
    if (pane < appliedAt) continue
    for (const count of counts) {
      if (count.variant === 'shadow') continue
      rows += count.rows
      if (count.version === expected.candidate) candidate += count.rows
      else if (count.version !== expected.target) stranger += count.rows
    }
  }
  if (rows === 0) return { rows, share: 0, agrees: false }
  const ordered = expected.desired.candidate === null ? 0 : expected.desired.shareMax
  if (ordered === 0) {
    const share = (candidate + stranger) / rows
    return { rows, share, agrees: share <= shareTolerance }
  }
  const share = candidate / rows
  const slack = shareTolerance + samplingDeviations * Math.sqrt((ordered * (1 - ordered)) / rows)
  return { rows, share, agrees: Math.abs(share - ordered) <= slack && stranger / rows <= shareTolerance }
}

export type Verification = 'verified' | 'weights-only' | 'waiting'

/**
 * Verified means seen by another eye: the platform's weights *and* the evaluator's count of who answers
 * (docs/architecture.md §7). Never the agent's word alone. A fallback answers without a model, so that only weights
 * can show it.
 */
export function verify(
  expected: Expectation,
  observed: Observed | null,
  panes: readonly ServedPane[],
  appliedAt: LogTime,
  time: LogTime,
): Verification {
  if (observed === null || !weightsAgree(expected.desired, observed)) return 'waiting'
  if (expected.desired.fallback) return 'weights-only'
  const traffic = trafficSince(expected, panes, appliedAt)
  if (traffic.rows === 0) return time - appliedAt >= weightsOnlyAfterMs ? 'weights-only' : 'waiting'
  if (!traffic.agrees) return 'waiting'
  return traffic.rows >= provingRows || time - appliedAt >= provingMs ? 'verified' : 'waiting'
}
