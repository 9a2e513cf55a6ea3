import type {
  AlertOut,
  DecisionOut,
  EvidenceOut,
  Hash,
  Policy,
  Range,
  Request,
  ServedOut,
  StateOut,
  WatchOut,
} from '@interlock/contracts'

/** Every answer of the API: what it knows, as of when, and what is missing from it. */
export interface Envelope<Body> {
  /** When it was answered, ISO 8601. */
  readonly asOf: string
  /** End of the last closed pane that the answer rests on, or null where nothing was evaluated yet. */
  readonly evaluatedTo: string | null
  /** Position in the stream of changes; `GET /api/v1/stream` resumes after it. */
  readonly cursor: string
  readonly complete: boolean
  readonly missing: readonly string[]
  readonly body: Body
}

/** Row of `GET /api/v1/deployments`. */
export interface DeploymentRow {
  readonly deployment: string
  readonly attention: StateOut['attention']
  readonly sentence: string
  readonly stable: string | null
  readonly candidate: string | null
  readonly share: number
  readonly stage: string | null
  readonly at: string
}

/** `GET /api/v1/deployments/:id`: all that the page shows, charts aside. */
export interface DeploymentPage {
  readonly deployment: string
  readonly environment: string
  readonly owner: string
  readonly onCall: string
  readonly approver: string
  readonly state: StateOut
  /** Policy in force with its sentences: guardrail id → rule in words. */
  readonly policy: { readonly hash: Hash; readonly policy: Policy; readonly rules: Readonly<Record<string, string>> } | null
  readonly evidence: EvidenceOut | null
  readonly served: ServedOut | null
  readonly classes: readonly string[]
  /** Newest first, bounded. */
  readonly decisions: readonly DecisionOut[]
  readonly alerts: readonly AlertOut[]
}

/** One pane of one version in `GET /api/v1/deployments/:id/series`. */
export interface SeriesPoint {
  readonly at: number
  readonly version: string
  readonly variant: string
  readonly rows: number
  readonly errors: number
  readonly p50: number
  readonly p99: number
  /** Seen in full? A pane below 1 is drawn as a gap. */
  readonly coverage: number
}
export interface EvidencePoint {
  readonly at: number
  readonly guardrail: string
  readonly version: string
  readonly variant: string
  readonly harm: number
  readonly safe: number
  readonly limit: number
}
export interface Series {
  readonly panes: readonly SeriesPoint[]
  readonly evidence: readonly EvidencePoint[]
}

/** `GET /api/v1/deployments/:id/why` and `/why/:decision`: decision → evidence → counts → ranges. */
export interface Why {
  readonly decision: Omit<DecisionOut, 'before' | 'after'> & Pick<DecisionOut, 'before' | 'after'>
  /** The evidence out that the decision names, or null for decisions of people and timers. */
  readonly evidence: EvidenceOut | null
  /** Counts behind the guardrail that decided: rows and events of both sides, with the bins that moved most. */
  readonly counts: {
    readonly n: number
    readonly m: number
    readonly events: { readonly now: number; readonly reference: number }
  } | null
  /** Spans of input records that the counts were made of. Offsets as text. */
  readonly ranges: readonly { readonly topic: string; readonly partition: number; readonly from: string; readonly to: string }[]
  /** Positions in the logs where decision and evidence lie. */
  readonly sources: { readonly decision: LogPlace; readonly evidence: LogPlace | null }
}
export interface LogPlace {
  readonly topic: string
  readonly shard: number
  readonly offset: string
}

/** `GET /api/v1/deployments/:id/rollback-plan`. */
export interface RollbackPlan {
  readonly deployment: string
  readonly from: string | null
  readonly to: string | null
  readonly share: number
  readonly help: { readonly word: 'should' | 'probably-not' | 'unknown'; readonly sentence: string }
  readonly ready: readonly { readonly name: string; readonly state: 'ok' | 'failed' | 'unknown'; readonly detail: string }[]
  readonly undo: string
  readonly reason: string
  /** False, with the sentence, where there is nothing to roll back. */
  readonly possible: { readonly ok: boolean; readonly sentence: string }
}

/** Body of `POST /api/v1/requests`; the server signs it with the local operator's key. */
export type OperatorRequest = Extract<Request, { kind: 'rollback' | 'hold' | 'release-hold' | 'halt' }>

/** `202` of `POST /api/v1/requests`: it is in the log. What comes of it is a decision. */
export interface Recorded {
  readonly id: string
  readonly offset: string
}

/** What the wiring gives the console. */
export interface ConsolePorts {
  /** Signs and records a request; resolves when it is durable. */
  readonly submit: (request: OperatorRequest, id: string) => Promise<{ readonly offset: bigint }>
  readonly token: string
  /** Wall clock, for `asOf`, ages and the stream's keep-alive. */
  readonly now: () => number
  readonly demo: boolean
}

export type { Range, WatchOut }
