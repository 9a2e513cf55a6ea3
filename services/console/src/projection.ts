import {
  type AlertOut,
  type AnyOut,
  type DecisionOut,
  type DeploymentDocument,
  type DisagreementOut,
  defaultTimes,
  type EvidenceOut,
  type Hash,
  type LineageOut,
  type LogTime,
  type Policy,
  type ServedOut,
  type StateOut,
  type VersionId,
} from '@interlock/contracts'
import type { LogPlace } from './api.ts'
import { noWatchfulness, type Watchfulness, withEvidence, withStanding, withWatchFrom } from './guarded.ts'
import { type Lines, noLines, withPane } from './series.ts'

/** An out and where it lies. */
export interface Placed<Kind> {
  readonly out: Kind
  readonly place: LogPlace
}

/** What `why` shows behind a decision. */
export interface Proof {
  readonly evidence: Placed<EvidenceOut> | null
  readonly lineage: LineageOut | null
}

/**
 * What the console knows of one deployment: a fold over the outs of the governor and the evaluator, rebuilt from the
 * logs at each start. Never mutated. Every list is bounded by `projectionBounds`.
 */
export interface Projection {
  readonly deployment: string
  readonly document: DeploymentDocument | null
  readonly policy: { readonly hash: Hash; readonly policy: Policy } | null
  readonly classes: readonly string[]
  readonly state: StateOut | null
  /** Newest first. */
  readonly decisions: readonly Placed<DecisionOut>[]
  readonly decisionsTotal: number
  readonly alerts: readonly AlertOut[]
  /** Where the policy on trial and the one in force parted, newest first. */
  readonly disagreements: readonly DisagreementOut[]
  /** Evidence of the newest panes, newest last. */
  readonly recent: readonly Placed<EvidenceOut>[]
  readonly lineages: readonly LineageOut[]
  /** Evidence and lineage that kept decisions name, also where they are still to come. */
  readonly proofs: ReadonlyMap<Hash, Proof>
  readonly served: ServedOut | null
  readonly lines: Lines
  /** Pane at which the candidate's stage began, and the candidate's rows of the generation up to there. */
  readonly stage: { readonly since: number; readonly rowsBefore: number | null } | null
  /** Earlier stable versions, newest first: where a rollback without a candidate would lead. */
  readonly previous: readonly VersionId[]
  /** What the last verified rollbacks took, ms, newest first. */
  readonly rollbackMs: readonly number[]
  /** Who served, and whether anybody looked. */
  readonly watchfulness: Watchfulness
}

export const projectionBounds = {
  decisions: 1_000,
  alerts: 100,
  disagreements: 100,
  recent: 128,
  previous: 8,
  rollbackMs: 5,
} as const

export function emptyProjection(deployment: string): Projection {
  return {
    deployment,
    document: null,
    policy: null,
    classes: [],
    state: null,
    decisions: [],
    decisionsTotal: 0,
    alerts: [],
    disagreements: [],
    recent: [],
    lineages: [],
    proofs: new Map(),
    served: null,
    lines: noLines,
    stage: null,
    previous: [],
    rollbackMs: [],
    watchfulness: noWatchfulness,
  }
}

/** What of a deployment's page an out changes. */
export type Changed = 'state' | 'decisions' | 'panes'

/** Whose projection an out belongs to, and what it changes; null where the console shows nothing of it. */
export function changedBy(out: AnyOut): { readonly deployment: string; readonly changed: Changed } | null {
  switch (out.kind) {
    case 'watch':
    case 'state':
    case 'served':
      return { deployment: out.deployment, changed: 'state' }
    case 'decision':
    case 'alert':
    case 'disagreement':
    case 'lineage':
      return { deployment: out.deployment, changed: 'decisions' }
    case 'evidence':
      return { deployment: out.deployment, changed: 'panes' }
    default:
      return null
  }
}

/** Takes one out of the deployment, of the entry that was appended at `at`. Outs of one log come in its order; the two logs in any order. */
export function folded(projection: Projection, out: AnyOut, place: LogPlace, at: LogTime): Projection {
  switch (out.kind) {
    case 'watch': {
      const policy = { hash: out.policyHash, policy: out.policy }
      const watchfulness = withWatchFrom(projection.watchfulness, out.from)
      return { ...projection, document: out.document, policy, classes: out.spec.classes, watchfulness }
    }
    case 'state':
      return staged({ ...projection, state: out, watchfulness: withStanding(projection.watchfulness, out) })
    case 'served':
      return { ...projection, served: out }
    case 'alert':
      return { ...projection, alerts: [out, ...projection.alerts].slice(0, projectionBounds.alerts) }
    case 'disagreement': {
      const disagreements = [out, ...projection.disagreements].slice(0, projectionBounds.disagreements)
      return { ...projection, disagreements }
    }
    case 'decision':
      return withDecision(projection, out, place)
    case 'evidence': {
      const recent = [...projection.recent, { out, place }].slice(-projectionBounds.recent)
      const lines = withPane(projection.lines, out)
      const watchfulness = withEvidence(projection.watchfulness, out, at, inTimeMs(projection))
      return staged(proven({ ...projection, recent, lines, watchfulness }, out.hash))
    }
    case 'lineage': {
      const lineages = [...projection.lineages, out].slice(-projectionBounds.recent)
      return proven({ ...projection, lineages }, out.evidence)
    }
    default:
      return projection
  }
}

function withDecision(projection: Projection, out: DecisionOut, place: LogPlace): Projection {
  const decisions = [{ out, place }, ...projection.decisions].slice(0, projectionBounds.decisions)
  const proofs = new Map(projection.proofs)
  if (out.evidence !== null && !proofs.has(out.evidence)) proofs.set(out.evidence, { evidence: null, lineage: null })
  const dropped = projection.decisions[projectionBounds.decisions - 1]?.out.evidence
  if (dropped != null && !decisions.some((one) => one.out.evidence === dropped)) proofs.delete(dropped)
  const next: Projection = {
    ...projection,
    decisions,
    decisionsTotal: projection.decisionsTotal + 1,
    proofs,
    previous: previousAfter(projection.previous, out),
    rollbackMs: rollbackTimes(projection.rollbackMs, out),
  }
  return out.evidence === null ? next : proven(next, out.evidence)
}

/** Fills in the proof that names this evidence, where a decision asks for it. */
function proven(projection: Projection, hash: Hash): Projection {
  const proof = projection.proofs.get(hash)
  if (proof === undefined) return projection
  const evidence = proof.evidence ?? projection.recent.findLast(({ out }) => out.hash === hash) ?? null
  const lineage = proof.lineage ?? projection.lineages.findLast((one) => one.evidence === hash) ?? null
  if (evidence === proof.evidence && lineage === proof.lineage) return projection
  return { ...projection, proofs: new Map(projection.proofs).set(hash, { evidence, lineage }) }
}

/** As the governor keeps them (a rollback's target leaves the list, the version that is left never enters it). */
function previousAfter(previous: readonly VersionId[], { outcome, before, after }: DecisionOut): readonly VersionId[] {
  if (before.stable === null || after.stable === null || before.stable === after.stable) return previous
  const others = previous.filter((version) => version !== after.stable && version !== before.stable)
  return outcome === 'rolled-back' ? others : [before.stable, ...others].slice(0, projectionBounds.previous)
}

function rollbackTimes(times: readonly number[], { outcome, facts }: DecisionOut): readonly number[] {
  if (outcome !== 'verified' || facts.what !== 'roll-back' || typeof facts.afterMs !== 'number') return times
  return [facts.afterMs, ...times].slice(0, projectionBounds.rollbackMs)
}

/** Remembers what the candidate had answered when its stage began. */
function staged(projection: Projection): Projection {
  const { state, stage, recent } = projection
  const since = state?.stageSince ?? null
  if (state === null || since === null) return stage === null ? projection : { ...projection, stage: null }
  if (stage?.since === since && stage.rowsBefore !== null) return projection
  const ended = recent.findLast(({ out }) => out.generation === state.view.generation && out.pane + out.paneMs <= since)
  const first = recent.find(({ out }) => out.generation === state.view.generation)
  const isWholeGeneration = recent[0] !== first || recent.length < projectionBounds.recent
  const isNew = first !== undefined && isWholeGeneration && first.out.pane >= since
  const rowsBefore = ended !== undefined ? candidateRows(ended.out, state.view.candidate) : isNew ? 0 : null
  return stage?.since === since && stage.rowsBefore === rowsBefore
    ? projection
    : { ...projection, stage: { since, rowsBefore } }
}

/** Rows of the candidate since the generation began, in whatever role. */
export function candidateRows(evidence: EvidenceOut, candidate: VersionId | null): number {
  return evidence.totals.reduce((sum, { version, rows }) => sum + (version === candidate ? rows : 0), 0)
}

/** End of the last closed pane; null before the first. */
export function evaluatedTo({ recent }: Projection): number | null {
  const last = recent.at(-1)?.out
  return last === undefined ? null : last.pane + last.paneMs
}

/** How long after its end the evidence of a pane comes in time: when the evaluator waits for no shard any longer. */
export function inTimeMs(projection: Projection): number {
  const { latenessMs, stallTimeoutMs } = timesOf(projection)
  return latenessMs + stallTimeoutMs
}

/** Pane, lateness and stall of the policy in force, or the defaults. */
export function timesOf({ policy }: Projection): Policy['times'] {
  return policy?.policy.times ?? defaultTimes
}
