import type {
  AlertOut,
  AnyOut,
  DecisionOut,
  DisagreementOut,
  EvidenceOut,
  Hash,
  LogTime,
  Policy,
  Range,
  Request,
  ServedOut,
  StateOut,
  WatchOut,
} from '@interlock/contracts'
import type { FastifyInstance } from 'fastify'
import type { DeadLetterPorts } from './dead-letters.ts'
import type { Gap, GapCause } from './guarded.ts'
import type { ListReceipt, ReceiptPlan } from './receipt.ts'

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
  readonly evaluatedTo: string | null
  /** The rule that is expected to reach its limit first; null while none is on its way. */
  readonly warning: EarlyWarning | null
  /** Rules that are looser for a time, a sentence each. */
  readonly exceptions: readonly string[]
}

/** When a rule may reach its limit if its evidence goes on as it does: from the end of the last pane, and nine times in ten within the interval. */
export interface EarlyWarning {
  readonly guardrail: string
  readonly version: string
  readonly inMs: number
  readonly lowMs: number
  readonly highMs: number
  readonly sentence: string
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
  readonly policy: {
    readonly hash: Hash
    readonly policy: Policy
    readonly rules: Readonly<Record<string, string>>
    /** Guardrail id → what it looks at, in few words: "flight distance". */
    readonly names: Readonly<Record<string, string>>
  } | null
  readonly evidence: EvidenceOut | null
  readonly served: ServedOut | null
  readonly classes: readonly string[]
  /** Newest first, at most 20; `/decisions` has more. */
  readonly decisions: readonly DecisionOut[]
  readonly decisionsTotal: number
  /** Newest first, at most 20. */
  readonly alerts: readonly AlertOut[]
  readonly comparison: Comparison | null
  /** Rows of the candidate since its stage began, closed panes only; null where the beginning is not known any more. */
  readonly stageRows: number | null
  /** Decision behind the newest command, wherever it stands in the timeline. */
  readonly because: DecisionOut | null
}

/** Both watched versions over the same closed panes, newest 60 at most. */
export interface Comparison {
  readonly from: number
  readonly to: number
  readonly panes: number
  readonly versions: readonly ComparedVersion[]
}

export interface ComparedVersion {
  readonly version: string
  readonly variant: string
  readonly rows: number
  readonly errors: number
  /** Median over the panes of the pane's quantile, ms; null without rows. Quantiles of panes do not add. */
  readonly latencyMs: { readonly p50: number; readonly p90: number; readonly p99: number } | null
  /** Rows by predicted class in the order of `classes`, then unseen, missing, invalid. */
  readonly predictions: readonly number[]
  /** When it last answered: end of the last pane with rows of it; null where not within the panes that are kept. */
  readonly lastRows: number | null
}

/** `GET /api/v1/deployments/:id/decisions`: newest first. */
export interface Decisions {
  readonly shown: number
  readonly total: number
  readonly decisions: readonly DecisionOut[]
}

/** `GET /api/v1/deployments/:id/shadow`. */
export interface Shadow {
  /** Null while no policy is on trial. */
  readonly onTrial: NonNullable<StateOut['shadow']> | null
  readonly inForce: { readonly policy: Hash; readonly name: string } | null
  /** Newest first, at most 100, of earlier generations too. */
  readonly disagreements: readonly DisagreementOut[]
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
  readonly ranges: readonly {
    readonly topic: string
    readonly partition: number
    readonly from: string
    readonly to: string
  }[]
  /** Positions in the logs where decision and evidence lie. */
  readonly sources: { readonly decision: LogPlace; readonly evidence: LogPlace | null }
}
export interface LogPlace {
  readonly topic: string
  readonly shard: number
  readonly offset: string
}

/** `GET /api/v1/deployments/:id/guarded?since`: the share of serving time that each version was really watched. */
export interface GuardedMinutes {
  readonly from: number
  readonly to: number
  readonly versions: readonly {
    readonly version: string
    readonly servingMs: number
    readonly watchedMs: number
    readonly causes: Readonly<Partial<Record<GapCause, number>>>
    readonly gapsTotal: number
    /** Newest first, at most 100. */
    readonly gaps: readonly Gap[]
  }[]
}

/** `GET /api/v1/deployments/:id/rollback-plan`. */
export interface RollbackPlan {
  readonly deployment: string
  readonly from: string | null
  readonly to: string | null
  readonly share: number
  readonly help: { readonly word: 'should' | 'probably-not' | 'unknown'; readonly sentence: string }
  readonly ready: readonly {
    readonly name: string
    readonly state: 'ok' | 'failed' | 'unknown'
    readonly detail: string
  }[]
  readonly undo: string
  /** What it touches, and what it does not undo. */
  readonly touches: string
  /** How long it takes, from the rollbacks that were verified before. */
  readonly time: string
  /** Prefilled reason: the leading breach in words; empty where nothing is past its limit. */
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
  /** Wall clock, for `asOf`, ages and sessions. */
  readonly now: () => number
  readonly demo: boolean
  /** Folder of the built page; absent: `dist` of this package. */
  readonly web?: string
  /** Mounts what takes raw bodies (≤ 1 MiB, any content type, a `Buffer`): ingest and signed requests. Bearer only. */
  readonly routes?: (app: FastifyInstance) => void
  /** Lists what a version answered, from the logs. Absent: this console has no log, and gives no receipts. */
  readonly receipt?: ListReceipt
  /** Reads and submits dead letters again. Absent: this console has no log. */
  readonly deadLetters?: DeadLetterPorts
  /** Whether the projection has caught up with the logs, for `/readyz`. Absent: always. */
  readonly isReady?: () => boolean
  /** Told of errors that are our own bugs, with the request's id. Absent: stderr. */
  readonly report?: (error: unknown, requestId: string) => void
}

/** What `createConsole` makes. */
export interface Console {
  /**
   * Takes one out of a valid entry. Each once, in the order of its log; the logs among each other in any order. Where
   * all logs are read anew, feed `log.governor` first: then no evidence behind a decision is forgotten meanwhile.
   */
  feed(processor: string, shard: number, offset: bigint, at: LogTime, out: AnyOut): void
  /** What a receipt of a deployment's last withdrawal, or of a decision, would list; null where no such is known. */
  receiptPlan(of: string): ReceiptPlan | null
  /** Listens on 127.0.0.1; port 0 takes a free one. @returns the port */
  listen(port: number): Promise<number>
  /** Ends streams and requests that run. */
  close(): Promise<void>
}

export type { Range, WatchOut }
