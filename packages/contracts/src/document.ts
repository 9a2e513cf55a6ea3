import type { CountSpec } from './counts.ts'
import type { DeploymentId, Hash, PersonId, VersionId } from './ids.ts'
import type { Policy } from './policy.ts'
import type { LogTime } from './time.ts'

/** Names the columns of a team's own topics: our field name → theirs (dotted path). Absent: the name is ours. */
export type FieldMapping = Readonly<Record<string, string>>

/** Document of kind `deployment` (docs/quickstart.md "Say what there is"). */
export interface DeploymentDocument {
  readonly kind: 'deployment'
  readonly deployment: DeploymentId
  readonly environment: string
  readonly tenant: string
  readonly owner: PersonId
  readonly onCall: PersonId
  readonly approver: PersonId
  readonly riskClass: Policy['riskClass']
  readonly topics: { readonly predictions: string; readonly features?: string; readonly outcomes?: string }
  readonly mapping: FieldMapping
  readonly segments: readonly string[]
  /** `memory`: the synthetic deployment's own. */
  readonly platform: { readonly kind: 'router' | 'exec' | 'http' | 'memory'; readonly agent: string }
  /** The version that serves when Interlock is introduced. */
  readonly stable: VersionId
}

/** Document of kind `manifest`: what a version is made of. */
export interface ManifestDocument {
  readonly kind: 'manifest'
  readonly version: VersionId
  /** Digest of the artifact that the platform activates. */
  readonly digest: Hash
  readonly trainedOn: string
  readonly codeCommit: string
  readonly owner: PersonId
  readonly tags: Readonly<Record<string, string>>
  /** Hash of the version's baseline document. */
  readonly baseline: Hash
  readonly offline: Readonly<Record<string, number>>
}

/**
 * Document of kind `baseline`: how a version saw its features and answered on data known to be healthy. Counts are
 * packed (`packCounts`) and base64 so that the document is JSON and hashes as one.
 */
export interface BaselineDocument {
  readonly kind: 'baseline'
  readonly version: VersionId
  readonly from: string
  readonly spec: CountSpec
  readonly specHash: Hash
  readonly rows: number
  readonly slices: readonly {
    readonly dimension: string
    readonly value: string
    readonly counts: string
    /** Design effects of the slice where they were estimated for it (`baseline calibrate`); elsewhere those of the whole hold. */
    readonly phi?: Readonly<Record<string, number>>
  }[]
  /** Latency at the quantiles .5, .9, .99, ms: exceedance limits, always edges of the latency histogram. */
  readonly latencyLimitsMs: { readonly p50: number; readonly p90: number; readonly p99: number }
  /** Design effect of each signal, by its name in policies, from healthy windows of the same data (≥ 1; absent: 1). */
  readonly phi: Readonly<Record<string, number>>
  /** How busy the deployment is by hour of the week; absent where the rows held no time. */
  readonly volume?: WeeklyVolume
}

/** Healthy rows of the whole deployment by hour of the week: 168 cells, the first from Monday 00:00 to 01:00 local time. */
export interface WeeklyVolume {
  /** Local time is UTC and so many minutes, all year: a clock change moves the cells until a new baseline. */
  readonly utcOffsetMinutes: number
  /** Rows of a usual hour. */
  readonly rows: readonly number[]
  /** Robust standard deviation of ln(1 + rows) between weeks. */
  readonly scale: readonly number[]
  /** Weeks that each cell has seen. */
  readonly weeks: readonly number[]
}

export interface PolicyDocument {
  readonly kind: 'policy'
  readonly policy: Policy
  readonly author: PersonId
  /** The YAML that the author wrote and the approver read. */
  readonly source: string
  /** Sources of the layers that it extends, as `extends` names them and in that order. Absent: none. */
  readonly layers?: readonly { readonly file: string; readonly source: string }[]
}

/** Public keys in force, by role; written by whoever holds the root key. */
export interface KeysetDocument {
  readonly kind: 'keyset'
  readonly version: number
  readonly keys: readonly KeyEntry[]
  /** From then on only hold, halt and rollback are taken, and people are paged. Absent: it does not expire. */
  readonly expires?: LogTime
}
export type KeyRole = 'governor' | 'fleet' | 'agent' | 'person' | 'notifier' | 'source' | 'service'
export interface KeyEntry {
  readonly keyId: string
  /** SPKI, DER, base64. */
  readonly publicKey: string
  readonly roles: readonly KeyRole[]
  /** Identity of the holder: a person's id, an agent's id, a service's name. */
  readonly holder: string
  /** What a person may do (docs/reliability.md §5.2): deployer, policy-author, policy-approver, release-approver, on-call. */
  readonly may: readonly string[]
  /**
   * The key's requests may be about these deployments alone: for a machine that asks in a person's role. Absent: about any.
   * A document may always be sent, since it does nothing before a request names it.
   */
  readonly only?: readonly DeploymentId[]
}

export type Document = DeploymentDocument | ManifestDocument | BaselineDocument | PolicyDocument | KeysetDocument
