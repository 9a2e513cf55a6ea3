import type {
  DeploymentId,
  DetectorReading,
  EventTime,
  Hash,
  Json,
  LogTime,
  Variant,
  WatchOut,
} from '@interlock/contracts'
import type { WithoutOne } from '@interlock/statistics'
import type { SummedPane } from './closed-pane.ts'
import type { OpenPane, Span } from './panes.ts'
import type { Plan } from './plan.ts'
import type { Served, VersionRows } from './served.ts'

/** State of one shard of the evaluator. Never mutated: each step builds what it changes anew and shares the rest. */
export interface Evaluated {
  readonly shard: number
  /** Time of the step before. */
  readonly time: LogTime
  /** One a profiler shard, by number. */
  readonly profilers: readonly ProfilerShard[]
  readonly deployments: ReadonlyMap<DeploymentId, Watched>
  /** Whose pane was closed last when a step's budget ran out: the next step begins behind it. */
  readonly cursor: DeploymentId | null
}

export interface ProfilerShard {
  /** `W`: all rows up to here were taken; −1 before the first word. */
  readonly watermark: LogTime
  /** How long this evaluator has listened without a word from the shard, ms of its own running time. */
  readonly silentMs: number
}

/** What the evaluator knows of one deployment. Counts may come before the watch that says what they are for. */
export interface Watched {
  readonly deployment: DeploymentId
  readonly watch: WatchOut | null
  /** Follows from `watch` alone; rebuilt on load. */
  readonly plan: Plan | null
  /** Watches that come into force at a later pane, in order. */
  readonly pending: readonly Pending[]
  /** First pane that was watched at all, and the first pane that is not closed yet. */
  readonly first: EventTime
  readonly next: EventTime
  readonly panes: ReadonlyMap<EventTime, OpenPane>
  /** History of each guardrail about each version, by `Subject.key`. */
  readonly tracks: ReadonlyMap<string, Track>
  /** ln of the harm evidence of each guardrail about each version after the newest closed pane, by `Subject.key`. */
  readonly harm: ReadonlyMap<string, number>
  /** The newest whole panes, which slices that move seldom have yet to move over; oldest first. */
  readonly unmoved: readonly SummedPane[]
  /** Histories of the policy on trial; absent while none is. */
  readonly shadow?: ShadowHistory
  readonly totals: readonly VersionRows[]
  /** Rows that came for a closed pane, or for none that may be open, since the generation began. Never added. */
  readonly late: number
  /** Rows of panes before the first watched one. */
  readonly before: number
  /** Cover of the input of all closed panes since the generation began. */
  readonly spans: ReadonlyMap<string, Span>
  readonly served: Served
  /** Newest echo of each profiler shard, by shard. */
  readonly echoes: ReadonlyMap<number, { readonly generation: number; readonly spec: Hash }>
  /** Generation and spec of the newest `ready-to-count`. */
  readonly ready: { readonly generation: number; readonly spec: Hash } | null
}

export interface Pending {
  readonly from: EventTime
  readonly watch: WatchOut
}

/** Detector states of one guardrail about one version. */
export interface Track {
  /** First pane of its window. */
  readonly since: EventTime
  /** Where the version's rows came from so far: a candidate answers nobody (`shadow`) until it gets a share. */
  readonly variant: Variant
  readonly whole: Json
  /** By `sliceKey`; a slice that never had a row has no state. */
  readonly slices: ReadonlyMap<string, SliceTrack>
  /** Volume held against the hours of the week: the version's part of the deployment's answers, faded. */
  readonly part?: number
  /** Evidence without any one source; null where the guardrail does not act on its own comparison (`sources.ts`). */
  readonly withoutOne: WithoutOne | null
}

/** What the rules of a policy on trial have seen in a generation, apart from what acts. */
export interface ShadowHistory {
  readonly policy: Hash
  readonly generation: number
  /** By `Subject.key`; rules that the policy in force has too are not here, they read its history. */
  readonly tracks: ReadonlyMap<string, Track>
  /** As `Watched.unmoved`, for these rules' slices. */
  readonly unmoved: readonly SummedPane[]
}

export interface SliceTrack {
  readonly state: Json
  /** What the detector reads from the state, kept because most slices stand still in most panes. */
  readonly reading: DetectorReading
}

export function emptyWatched(deployment: DeploymentId): Watched {
  return {
    deployment,
    watch: null,
    plan: null,
    pending: [],
    first: 0,
    next: 0,
    panes: new Map(),
    tracks: new Map(),
    harm: new Map(),
    unmoved: [],
    totals: [],
    late: 0,
    before: 0,
    spans: new Map(),
    served: { at: 0, panes: new Map() },
    echoes: new Map(),
    ready: null,
  }
}
