import type {
  AlertOut,
  DeploymentDocument,
  DeploymentId,
  DeploymentView,
  Desired,
  EventTime,
  EvidenceOut,
  Hash,
  LogTime,
  Observed,
  Order,
  PersonId,
  Policy,
  VersionId,
} from '@interlock/contracts'
import type {
  Approval,
  CommandRecord,
  HashedPolicy,
  Hold,
  ReadinessRecord,
  Release,
  ServedPane,
  ShadowAnswers,
  StageClock,
} from '@interlock/deployment'

/** A page under way: which sinks the notifier gave up on. */
export interface Page {
  readonly alert: AlertOut
  readonly failed: readonly string[]
  readonly sentAt: LogTime
  readonly sent: number
}

/** A rollout that is running: who started it, and how far it came. */
export interface Rollout {
  readonly by: PersonId
  /** Decision that began the generation. */
  readonly decision: Hash
  readonly startedAt: LogTime
  /** Every profiler shard counts under this generation's spec. */
  readonly ready: boolean
  readonly clock: StageClock
}

/** What led to a restore by two people: the first signature, waiting for the second. */
export interface RestoreWish {
  readonly by: PersonId
  readonly at: LogTime
}

/** A restore that two people signed. It is carried out once the ledger holds the decision. */
export interface AgreedRestore {
  readonly decision: Hash
  readonly by: PersonId
  readonly second: PersonId
  /** What stood when they signed: a stronger order since then ends the restore. */
  readonly order: Order
}

/** A policy on trial. It lives in the record and in what the evaluator is told; nothing that acts reads it. */
export interface ShadowPolicy extends HashedPolicy {
  /** The policy in force beside it. */
  readonly inForce: Hash
  readonly generation: number
  readonly since: LogTime
  readonly answers: ShadowAnswers
  /** Its guardrails that never had data enough to speak. */
  readonly silent: readonly string[]
}

/** How far the ledger is behind this deployment's decisions. */
export interface LedgerPosition {
  /** Sequence of the newest decision that has its leaf. */
  readonly sequence: number
  /** Since when decisions wait without a new leaf; null while none waits. */
  readonly waitingSince: LogTime | null
  /** Alert that says so; null while nobody was told. */
  readonly alert: string | null
}

/**
 * Everything that the governor knows of one deployment. Plain JSON, never mutated. Lists are bounded by
 * `recordBounds`.
 */
export interface DeploymentRecord {
  readonly deployment: DeploymentId
  readonly document: DeploymentDocument
  readonly documentHash: Hash
  /** A second person approved the document while it was this one. */
  readonly documentApproved: boolean
  readonly phase: DeploymentView['phase']
  /** Highest order that was issued or seen. Its first part is the generation. */
  readonly order: Order
  readonly stable: Release
  readonly candidate: Release | null
  /** Whoever started the newest rollout: may not restore it. */
  readonly deployer: PersonId | null
  readonly rollout: Rollout | null
  readonly policy: { readonly hash: Hash; readonly policy: Policy } | null
  readonly holds: readonly Hold[]
  readonly command: CommandRecord | null
  /** Versions that profiler and evaluator watch; after a change the leaving one stays until the change is verified. */
  readonly watching: { readonly stable: Release; readonly candidate: Release | null } | null
  /** The policy on trial beside the one in force, for the generation. Absent: none. */
  readonly shadow?: ShadowPolicy
  readonly watchedSince: LogTime
  /** Where a restore would take the rollout up again. */
  readonly suspended: { readonly candidate: Release; readonly stageIndex: number } | null
  /** Earlier stable versions, newest first: kept warm as rollback targets. */
  readonly previous: readonly Release[]
  readonly rolledBack: readonly VersionId[]
  /** Times of the automatic rollbacks of the last hour. */
  readonly rollbacks: readonly LogTime[]
  readonly approvals: readonly Approval[]
  readonly restoreWish: RestoreWish | null
  readonly agreedRestore: AgreedRestore | null
  readonly ledger: LedgerPosition
  /** Targets of the standing rollback that the platform could not activate. */
  readonly failedTargets: readonly VersionId[]
  readonly readiness: Readonly<Record<string, ReadinessRecord>>
  readonly agent: { readonly seenAt: LogTime; readonly observed: Observed | null } | null
  readonly evidence: EvidenceOut | null
  /** End of the last whole pane that held rows. */
  readonly dataTo: EventTime | null
  /** End of the newest open pane that the provisional hold rests on; of no meaning without that hold. */
  readonly provisionalTo: EventTime | null
  /** Since when no data came, while it is not watched; null while it is. */
  readonly lostAt: LogTime | null
  /** Harm in both arms: the guardrails that saw it, and the producer that is suspected. */
  readonly incident: {
    readonly source: string | null
    readonly since: LogTime
    readonly guardrails: readonly string[]
  } | null
  /** Panes in a row in which the reason of a machine's hold was calm, by the hold's owner. */
  readonly calm: Readonly<Record<string, number>>
  readonly served: readonly ServedPane[]
  /** Answers of the candidate in closed panes, newest last: how many people met a fault. */
  readonly answered: readonly { readonly pane: EventTime; readonly rows: number }[]
  /** First pane of the fault behind the standing command; null where none is known. */
  readonly faultFrom: EventTime | null
  readonly sequence: number
  /** Text of the decision that explains the present state, while it does. */
  readonly standing: string | null
  /** Alerts that wait for their end, by what they are about. */
  readonly openAlerts: Readonly<Record<string, string>>
  /** Pages whose delivery is followed. */
  readonly pages: readonly Page[]
  /** Hash of what a person was shown last. */
  readonly shown: Hash | null
}

/** Owner of the hold that rests on open panes. */
export const provisionalOwner = 'provisional'

export const recordBounds = { previous: 8, rolledBack: 64, served: 64, answered: 600, readiness: 32 } as const

/** What a snapshot of version 1 does not have. */
export const recordDefaults = {
  agreedRestore: null,
  ledger: { sequence: 0, waitingSince: null, alert: null },
  failedTargets: [],
  pages: [],
} as const satisfies Partial<DeploymentRecord>

/** The record of a deployment that was just registered; the version that serves is its stable one. */
export function newRecord(
  document: DeploymentDocument,
  documentHash: Hash,
  stable: Release,
  time: LogTime,
): DeploymentRecord {
  return {
    deployment: document.deployment,
    document,
    documentHash,
    documentApproved: false,
    phase: 'registered',
    order: [0, 0, 0, 0],
    stable,
    candidate: null,
    deployer: null,
    rollout: null,
    policy: null,
    holds: [],
    command: null,
    watching: null,
    watchedSince: time,
    suspended: null,
    previous: [],
    rolledBack: [],
    rollbacks: [],
    approvals: [],
    restoreWish: null,
    ...recordDefaults,
    readiness: {},
    agent: null,
    evidence: null,
    dataTo: null,
    provisionalTo: null,
    lostAt: null,
    incident: null,
    calm: {},
    served: [],
    answered: [],
    faultFrom: null,
    sequence: 0,
    standing: null,
    openAlerts: {},
    shown: null,
  }
}

export function generationOf(record: DeploymentRecord): number {
  return record.order[0]
}

/** Share of the traffic that the candidate is ordered to answer. */
export function shareOf(record: DeploymentRecord): number {
  return record.candidate === null ? 0 : (record.command?.desired.shareMax ?? 0)
}

/** The stage that a rollout is in, or null before its first one and without a rollout. */
export function stageOf(record: DeploymentRecord): Policy['stages'][number] | null {
  if (record.rollout === null) return null
  return record.policy?.policy.stages[record.rollout.clock.index] ?? null
}

/** Stable answers everybody. */
export function withoutCandidate(target: Release): Desired {
  return { target: target.digest, candidate: null, shareMax: 0, shadow: false, pace: 'at-once', fallback: false }
}

/** The deployment's state in the words of the console. */
export function viewOf(record: DeploymentRecord): DeploymentView {
  return {
    phase: record.phase,
    generation: generationOf(record),
    stable: record.stable.version,
    candidate: record.candidate?.version ?? null,
    stage: stageOf(record)?.name ?? null,
    stageIndex: record.rollout?.clock.index ?? -1,
    share: shareOf(record),
    holds: record.holds,
    order: record.order,
  }
}

/** What decisions compare with: a deployment before it was registered. */
export const unregisteredView: DeploymentView = {
  phase: 'unregistered',
  generation: 0,
  stable: null,
  candidate: null,
  stage: null,
  stageIndex: -1,
  share: 0,
  holds: [],
  order: [0, 0, 0, 0],
}
