import type { Command, Desired, Order } from './command.ts'
import type { CountSpec, SliceCounts } from './counts.ts'
import type { DeadLetterOut, ReplayedOut } from './dead-letter.ts'
import type { DisagreementOut } from './disagreement.ts'
import type { BaselineDocument, DeploymentDocument } from './document.ts'
import type { Variant } from './event.ts'
import type { BrakeOut, CheckpointOut, LeafOut, PulseOut } from './fleet-outs.ts'
import type { DeploymentId, Hash, VersionId } from './ids.ts'
import type { Range } from './log.ts'
import type { Policy } from './policy.ts'
import type { EventTime, LogTime } from './time.ts'

// ── governor → profiler, evaluator ─────────────────────────────────────────────────────────────────────────────────

/** What to watch, in force from a pane; replaces the deployment's earlier watch. */
export interface WatchOut {
  readonly kind: 'watch'
  readonly deployment: DeploymentId
  readonly document: DeploymentDocument
  readonly generation: number
  readonly stable: VersionId
  readonly candidate: VersionId | null
  readonly spec: CountSpec
  readonly specHash: Hash
  readonly policyHash: Hash
  readonly policy: Policy
  /** Baselines of the watched versions. */
  readonly baselines: readonly BaselineDocument[]
  readonly from: EventTime
  /** Policy on trial: its rules are watched too, and act never. Absent: none. */
  readonly shadow?: { readonly hash: Hash; readonly policy: Policy }
}

// ── profiler → evaluator ───────────────────────────────────────────────────────────────────────────────────────────

/** Counts of the rows that one step took for one version and pane. Deltas: the evaluator sums them. */
export interface CountsOut {
  readonly kind: 'counts'
  readonly deployment: DeploymentId
  readonly generation: number
  readonly version: VersionId
  readonly variant: Variant
  readonly pane: EventTime
  readonly spec: Hash
  readonly rows: number
  readonly slices: readonly SliceCounts[]
  /** Sample of the rows' event ids (`IdSample` of @interlock/columns). Absent: no rule of the policy asks for it. */
  readonly ids?: Uint8Array
  /** Smallest span of input offsets that holds these rows. Lineage, outside every evidence hash. */
  readonly span: Range
}

/** One a step: the shard's watermark and the account of every row taken (S6). */
export interface ProgressOut {
  readonly kind: 'progress'
  readonly shard: number
  readonly watermark: LogTime
  readonly caughtUp: boolean
  /**
   * Rows taken in this step, those counted into a pane, and those that became dead letters by reason.
   * taken = counted + setAside + Σ dead.
   */
  readonly taken: number
  readonly counted: number
  /** Rows of features and outcomes topics that decode well and belong to no pane of predictions. Absent: none. */
  readonly setAside?: number
  readonly dead: Readonly<Record<string, number>>
}

/** This profiler shard counts under the spec of that generation from now on. */
export interface EchoOut {
  readonly kind: 'echo'
  readonly shard: number
  readonly deployment: DeploymentId
  readonly generation: number
  readonly spec: Hash
}

// ── evaluator → governor ───────────────────────────────────────────────────────────────────────────────────────────

export interface Interval {
  readonly estimate: number
  readonly low: number
  readonly high: number
}

/**
 * A slice, bin or source and its part in what is out of line. `share` of the excess, 0 … 1. `now` and `reference`: for a
 * bin, its share of the rows; for a slice of a rate, its rate; for a slice of a histogram, its divergence in nats and 0.
 */
export interface Driver {
  readonly dimension: string
  readonly value: string
  readonly share: number
  readonly now: number
  readonly reference: number
  /** Slices: their part of the rows, 0 … 1. */
  readonly traffic?: number
}

/** What the evidence of harm would be without one source's rows. Those of a source that is left out for another reason count for none. */
export interface Influence {
  readonly source: string
  /** Its part of the rows of both arms, 0 … 1. */
  readonly traffic: number
  /** ln of the e-value without it. */
  readonly without: number
}

/** What a detector knows. All numbers are functions of integer counts (docs/statistics.md "Determinism"). */
export interface Evidence {
  readonly status: 'ok' | 'too-few' | 'no-data' | 'incomplete'
  /** Natural logarithms of e-values. */
  readonly logE: { readonly harm: number; readonly safe: number }
  /** Rates: candidate's rate over reference's (a ratio). Histograms: divergence in nats. */
  readonly effect: Interval
  /** Rows of the watched version, and of the reference. */
  readonly n: number
  readonly m: number
  /** Events behind the rate on both sides (errors, missing …); 0 for histograms. */
  readonly events: { readonly now: number; readonly reference: number }
  readonly phi: number
  readonly onset: { readonly from: EventTime; readonly to: EventTime } | null
  /**
   * Rows and events since the likeliest onset, from the pane that begins at `from`; effect, bins and medians are of these too.
   * Absent while no onset is named.
   */
  readonly since?: {
    readonly from: EventTime
    readonly n: number
    readonly m: number
    readonly events: { readonly now: number; readonly reference: number }
  }
  readonly drivers: readonly Driver[]
  /** Medians of a numeric feature, interpolated within bins: "about 1.6 times". Absent where they say nothing. */
  readonly typical?: { readonly now: number; readonly reference: number }
  /** Present when one slice carries the evidence: effect, n, m, events, onset, since and typical are then of that slice. */
  readonly slice?: { readonly dimension: string; readonly value: string }
  /** The small sources without which the evidence would be least, least first. `logE.harm` stands without any one of them. */
  readonly influence?: readonly Influence[]
  /** One small source alone is out of line: with it ln E is `logE`, beyond the limit, and without it nothing stands out. */
  readonly alone?: { readonly source: string; readonly traffic: number; readonly logE: number }
  /** End of the last pane. */
  readonly dataTo: EventTime
  readonly window: Hash
}

/**
 * A feature, signal, bin, segment or source and its part in what is out of line when something is decided. Shares of features
 * and signals add to 1, and so do those within a segment's dimension, bins and sources.
 */
export interface RankedCause {
  /** `feature`, `signal`, `bin`, `producer`, or `segment:<name>`. */
  readonly dimension: string
  readonly value: string
  /** Bins: the feature or signal that they are of. */
  readonly of?: string
  readonly share: number
  /** Segments and sources: their part of the rows. */
  readonly traffic?: number
}

export type Verdict = 'pass' | 'watch' | 'breach' | 'inconclusive' | 'no-data'

/** Evidence of one guardrail about one version of the deployment. */
export interface GuardrailEvidence {
  readonly guardrail: string
  readonly version: VersionId
  readonly variant: Variant
  readonly evidence: Evidence
  /** ln of the evidence at which the guardrail's own part of the budget is spent. */
  readonly limit: number
}

/** Rows of one version in one closed pane, for charts and `served`. */
export interface PaneSummary {
  readonly version: VersionId
  readonly variant: Variant
  readonly rows: number
  readonly errors: number
  readonly latencyMs: { readonly p50: number; readonly p90: number; readonly p99: number }
  /** Rows by predicted class in the order of the spec's classes, then unseen, missing, invalid. */
  readonly predictions: readonly number[]
}

/** All evidence of a deployment after a pane was closed. One out a pane; the content is the same for every batching. */
export interface EvidenceOut {
  readonly kind: 'evidence'
  readonly deployment: DeploymentId
  readonly generation: number
  /** Start of the pane that was closed last, its length, and what part of it was seen (1 = every shard reported). */
  readonly pane: EventTime
  readonly paneMs: number
  readonly coverage: number
  readonly guardrails: readonly GuardrailEvidence[]
  readonly summaries: readonly PaneSummary[]
  /** Rows of each version since the generation began, closed panes only. */
  readonly totals: readonly { readonly version: VersionId; readonly variant: Variant; readonly rows: number }[]
  readonly late: number
  /** SHA-256 of the canonical content above. */
  readonly hash: Hash
  /** What the rules of the policy on trial know, outside the hash. Absent: none is on trial, or a backlog left no room for it. */
  readonly shadow?: { readonly policy: Hash; readonly guardrails: readonly GuardrailEvidence[] }
}

/** Spans of input that went into the panes up to this one; beside the evidence, outside its hash. */
export interface LineageOut {
  readonly kind: 'lineage'
  readonly deployment: DeploymentId
  readonly generation: number
  readonly pane: EventTime
  readonly evidence: Hash
  readonly spans: readonly Range[]
}

/**
 * Who answers, from open panes too: the rows of one pane so far, by version and variant. A later out about the same pane
 * replaces the earlier one.
 */
export interface ServedOut {
  readonly kind: 'served'
  readonly deployment: DeploymentId
  readonly generation: number
  readonly pane: EventTime
  readonly counts: readonly { readonly version: VersionId; readonly variant: Variant; readonly rows: number }[]
}

/**
 * Evidence that would be beyond its limit if the open panes closed as they stand, of guardrails whose closed evidence is not
 * there yet. It depends on what had arrived, so it may only hold, and no equality is promised for it.
 */
export interface ProvisionalOut {
  readonly kind: 'provisional'
  readonly deployment: DeploymentId
  readonly generation: number
  /** Start of the newest open pane that was looked at; `dataTo` of the evidence is its end. */
  readonly pane: EventTime
  readonly guardrails: readonly GuardrailEvidence[]
}

/** All profiler shards count under the spec of this generation. */
export interface ReadyToCountOut {
  readonly kind: 'ready-to-count'
  readonly deployment: DeploymentId
  readonly generation: number
  readonly spec: Hash
}

// ── governor → everybody ───────────────────────────────────────────────────────────────────────────────────────────

export type DecisionKind =
  | 'registered'
  | 'approved'
  | 'refused'
  | 'rollout-started'
  | 'promoted'
  | 'completed'
  | 'held'
  | 'released'
  | 'halted'
  | 'ramped-down'
  | 'rolled-back'
  | 'fell-back'
  | 'restored'
  | 'verified'
  | 'escalated'
  | 'data-incident'
  | 'not-watched'
  | 'watched-again'
  | 'aborted'
  | 'ledger-behind'

/** The one record behind `why`, timeline, page and alert. */
export interface DecisionOut {
  readonly kind: 'decision'
  /** H(policy hash, evidence hashes, rule, outcome, deployment, generation, sequence). */
  readonly id: Hash
  readonly deployment: DeploymentId
  readonly environment: string
  readonly generation: number
  readonly sequence: number
  readonly at: LogTime
  readonly outcome: DecisionKind
  /** Which rule of the machine decided: a guardrail's id, a gate, a person's request, a timer. */
  readonly rule: string
  /** Facts for `say`: everything that the sentence needs, nothing else. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>
  /** The sentences, as `say` wrote them when it was decided. */
  readonly text: string
  readonly evidence: Hash | null
  readonly guardrail: GuardrailEvidence | null
  /** What explains it, over all rules about the version, the largest share first. Absent where no evidence stands behind it. */
  readonly causes?: readonly RankedCause[]
  readonly policy: Hash
  readonly by: string
  readonly before: DeploymentView
  readonly after: DeploymentView
  /** Id of the request that asked for it; absent where the machine decided. */
  readonly request?: string
  /** Hash of the document that was acted on: what was approved, registered or rolled out. */
  readonly object?: Hash
}

/** The deployment's state in the words of the console. */
export interface DeploymentView {
  readonly phase:
    | 'unregistered'
    | 'registered'
    | 'rolling-out'
    | 'steady'
    | 'halted'
    | 'rolling-back'
    | 'rolled-back'
    | 'ramping-down'
    | 'fallen-back'
  readonly generation: number
  readonly stable: VersionId | null
  readonly candidate: VersionId | null
  readonly stage: string | null
  readonly stageIndex: number
  readonly share: number
  readonly holds: readonly { readonly owner: string; readonly reason: string }[]
  readonly order: Order
}

/** Attention of the console (docs/console.md): one word a deployment. */
export type Attention = 'act-now' | 'not-watched' | 'watch' | 'handled' | 'healthy'

/** State of a deployment after a step that changed what a person would see. Not a decision. */
export interface StateOut {
  readonly kind: 'state'
  readonly deployment: DeploymentId
  readonly at: LogTime
  readonly view: DeploymentView
  readonly attention: Attention
  readonly sentence: string
  readonly engines: readonly EngineState[]
  /** Why promotion is blocked now, each a sentence; empty when nothing blocks. */
  readonly blocked: readonly string[]
  readonly verdicts: readonly {
    readonly guardrail: string
    readonly version: VersionId
    readonly verdict: Verdict
    readonly sentence: string
  }[]
  readonly stageSince: EventTime | null
  readonly command: {
    readonly order: Order
    readonly state: CommandState
    readonly desired: Desired
    readonly decision: Hash
    readonly times: Readonly<Record<string, LogTime>>
  } | null
  readonly dataTo: EventTime | null
  /** Rules that are looser for a time, a sentence each. Absent: none. */
  readonly exceptions?: readonly string[]
  /** The policy on trial, and those of its rules that never had data enough to speak. Absent: none is on trial. */
  readonly shadow?: {
    readonly policy: Hash
    readonly name: string
    readonly since: LogTime
    readonly silent: readonly string[]
  }
}
export type CommandState = 'issued' | 'received' | 'applied' | 'verified' | 'escalated' | 'superseded' | 'rejected'
export interface EngineState {
  readonly engine: 'technical' | 'approvals' | 'observability'
  readonly state: 'ok' | 'missing' | 'stale' | 'failed'
  readonly detail: string
}

/** A command for the publisher to sign and copy to `commands`. */
export interface CommandOut {
  readonly kind: 'command'
  readonly command: Command
  /** The command is stuck: it goes by the second path too, over HTTPS straight to the agent. */
  readonly escalated?: boolean
  /** First order of the command that this one ends, where that one was not verified yet. */
  readonly supersedes?: Order
}

/** For people; published on `alerts`. */
export interface AlertOut {
  readonly kind: 'alert'
  readonly id: string
  readonly deployment: DeploymentId
  readonly at: LogTime
  readonly attention: Attention
  readonly sentence: string
  readonly done: string
  readonly asked: string
  readonly decision: Hash
  readonly resolves: string | null
}

/** Everything that a shard log may carry. */
export type AnyOut =
  | WatchOut
  | CountsOut
  | ProgressOut
  | EchoOut
  | DeadLetterOut
  | ReplayedOut
  | EvidenceOut
  | LineageOut
  | ServedOut
  | ProvisionalOut
  | ReadyToCountOut
  | DecisionOut
  | StateOut
  | CommandOut
  | AlertOut
  | DisagreementOut
  | BrakeOut
  | LeafOut
  | CheckpointOut
  | PulseOut
