/**
 * What `say` can put into words: a union by `kind`. Every fact is flat (text, numbers, truth values, null), so that a
 * decision can carry it as its `facts` and anybody can say it again later. Times are milliseconds since 1970, shares
 * run from 0 to 1, versions are ids (`flight-delay@v2` is said as "v2").
 */
export type Fact =
  | MeasuredFact
  | JudgedFact
  | RolloutFact
  | ActionFact
  | ShadowFact
  | WatchFact
  | CommandFact
  | HelpFact

/** Fields that every measurement shares. */
type Measured = {
  /** Version that is watched, and the one it is held against (null: the training data, or its own past). */
  readonly version: string
  readonly than: string | null
  /** Time when it began, as a span; null where unknown. Equal ends are one moment. */
  readonly since: number | null
  readonly sinceTo: number | null
  /** Slice with most of it: "airport" and "ORD", "producer" and "northeast"; null where none stands out. */
  readonly where: string | null
  readonly whereValue: string | null
  /** Whether `now` and `before` count that slice alone, or everything. */
  readonly whereOnly: boolean
  /** The slice's part of what is too much, and of the rows, 0 … 1; absent or null where not counted. */
  readonly whereShare?: number | null
  readonly whereTraffic?: number | null
  /** How sure: `rollouts`: fewer than 1 in `odds` healthy rollouts look like this; `days`, `years`: chance alone. */
  readonly odds: number | null
  readonly oddsOf: 'rollouts' | 'days' | 'years' | null
}

/** Something was measured and differs. Made by `factOfEvidence`. */
export type MeasuredFact =
  | (Measured & {
      readonly kind: 'distribution-differs'
      /** Name for people, with its unit; an id without a name stands in quotes already. */
      readonly feature: string
      readonly unit: string | null
      /** What the rows are, in the plural: "flights". */
      readonly rows: string
      /** The bin with most of the distance, as the signal names it ("1,600 and more", "missing"); a category in quotes. */
      readonly bin: string | null
      readonly now: number
      readonly before: number
      /** Median over the reference's median; null where it is not known. */
      readonly factor: number | null
    })
  | (Measured & {
      readonly kind: 'feature-missing' | 'feature-unseen' | 'feature-invalid'
      readonly feature: string
      readonly rows: string
      readonly now: number
      readonly before: number
    })
  | (Measured & {
      readonly kind: 'error-rate'
      readonly rows: string
      readonly now: number
      readonly before: number
    })
  | (Measured & {
      /** Shares of the rows that repeat the id of one before. */
      readonly kind: 'duplicate-rate'
      readonly rows: string
      readonly now: number
      readonly before: number
    })
  | (Measured & {
      readonly kind: 'slow-answers'
      /** Time that an answer may take, ms; `now` and `before` are shares of answers that take longer. */
      readonly limitMs: number | null
      readonly quantile: 'p50' | 'p90' | 'p99'
      readonly now: number
      readonly before: number
    })
  | (Measured & {
      readonly kind: 'predictions-differ'
      readonly rows: string
      /** Bin of the score, or the class, with most of the distance. */
      readonly bin: string | null
      readonly now: number
      readonly before: number
    })
  | (Measured & {
      readonly kind: 'mean-moved'
      /** Name for people, with its unit. */
      readonly feature: string
      readonly unit: string | null
      /** How far it rose (fell, below 0), in `unit`. */
      readonly by: number
    })
  | (Measured & {
      readonly kind: 'amount-differs'
      readonly rows: string
      /** Rows since then, and how many would be usual. */
      readonly now: number
      readonly before: number
    })
  | {
      readonly kind: 'silence'
      readonly version: string
      /** When the last row came; null where none ever came. */
      readonly last: number | null
      readonly at: number
      readonly rows: string
    }

/** What a rule says where nothing is (yet) out of line. `rule` is its name for people: "errors", "flight distance". */
export type JudgedFact =
  | { readonly kind: 'within-limit'; readonly rule: string; readonly version: string }
  | {
      readonly kind: 'towards-limit'
      readonly rule: string
      readonly version: string
      /** ln e over the limit, 0 … 1. */
      readonly progress: number
    }
  | {
      /** If its evidence goes on as it does: when the limit is reached, and nine times in ten between `lowMs` and `highMs` from now. */
      readonly kind: 'early-warning'
      readonly rule: string
      readonly version: string
      readonly inMs: number
      readonly lowMs: number
      readonly highMs: number
    }
  | {
      readonly kind: 'not-enough-data'
      readonly rule: string
      readonly version: string
      readonly n: number
      /** About how many are needed; null where that cannot be told. */
      readonly needed: number | null
      readonly readyInMs: number | null
    }
  | {
      readonly kind: 'gate-not-yet'
      readonly rule: string
      readonly version: string
      readonly n: number
      readonly needed: number | null
      /** Evidence that it is safe over what is asked for, 0 … 1. */
      readonly progress: number
    }
  | { readonly kind: 'gate-safe'; readonly rule: string; readonly version: string }
  | {
      readonly kind: 'rule-not-watched'
      readonly rule: string
      readonly version: string
      readonly since: number | null
      readonly reason: 'no-data' | 'incomplete' | 'late'
    }
  | {
      readonly kind: 'cause'
      /** `candidate`: only the new version; `both`: both versions. */
      readonly scope: 'candidate' | 'both'
      readonly candidate: string
      readonly stable: string
      readonly since: number | null
      readonly source: string | null
    }

/** The course of a rollout. */
export type RolloutFact =
  | { readonly kind: 'registered'; readonly deployment: string; readonly version: string }
  | { readonly kind: 'approved'; readonly what: string; readonly by: string }
  | {
      readonly kind: 'refused'
      readonly what: 'rollout' | 'approval' | 'registration' | 'rollback' | 'hold' | 'release' | 'halt' | 'restore'
      /** The check that failed, and what to do, as short clauses without a full stop. */
      readonly check: string
      readonly fix: string
    }
  | {
      readonly kind: 'rollout-started'
      readonly deployment: string
      readonly candidate: string
      readonly stable: string
      readonly stages: number
      /**
       * How many rows the most patient rule needs, where the traffic is not known yet and so not what the rules see;
       * absent where it is. `rows`: what they are called.
       */
      readonly asleepUntil?: number
      readonly rows?: string
    }
  | { readonly kind: 'promoted'; readonly candidate: string; readonly from: number; readonly to: number }
  | { readonly kind: 'shadow-started'; readonly candidate: string; readonly stable: string }
  | { readonly kind: 'completed'; readonly candidate: string; readonly stable: string }
  | { readonly kind: 'aborted'; readonly candidate: string; readonly reason: string }
  | {
      readonly kind: 'stage'
      readonly candidate: string
      readonly share: number
      readonly shadow: boolean
      readonly stage: number
      readonly stages: number
    }
  | { readonly kind: 'steady'; readonly version: string; readonly checked: boolean }

/** What was done. `because` is the cause in at most two sentences (`Said.brief`), or null. */
export type ActionFact =
  | {
      readonly kind: 'held'
      readonly candidate: string | null
      readonly share: number
      readonly by: string | null
      readonly because: string | null
    }
  | {
      /** A hold that rests on what is counted so far, until all of it is. */
      readonly kind: 'held-early'
      readonly candidate: string | null
      readonly share: number
      readonly because: string | null
    }
  | { readonly kind: 'released'; readonly by: string | null; readonly because: string | null; readonly left: number }
  | {
      readonly kind: 'halted'
      readonly candidate: string | null
      readonly share: number
      readonly by: string | null
      readonly because: string | null
    }
  | {
      readonly kind: 'ramped-down'
      readonly candidate: string
      readonly stable: string
      readonly by: string | null
      readonly because: string | null
    }
  | {
      readonly kind: 'rolled-back'
      readonly from: string
      readonly to: string
      readonly by: string | null
      readonly because: string | null
    }
  | {
      readonly kind: 'fell-back'
      readonly version: string
      readonly by: string | null
      readonly because: string | null
    }
  | { readonly kind: 'restored'; readonly version: string; readonly by: string; readonly second: string }
  | {
      readonly kind: 'verified'
      readonly what: 'roll-back' | 'promote' | 'halt' | 'ramp-down' | 'fall-back' | 'restore'
      readonly version: string
      readonly at: number
      /** From the decision to the proof, ms. */
      readonly afterMs: number
      /** Answers of the version that is gone, since the fault began; null where not counted. */
      readonly affected: number | null
      /** Without traffic only the weights of the router prove it. */
      readonly by: 'traffic' | 'weights'
    }
  | {
      readonly kind: 'data-incident'
      readonly source: string | null
      readonly candidate: string | null
      readonly stable: string
      readonly because: string | null
    }
  | {
      /** One small source alone is out of line: held, and nobody rolled back. */
      readonly kind: 'source-incident'
      readonly source: string
      /** Its part of the traffic, 0 … 1. */
      readonly traffic: number
      readonly candidate: string | null
      readonly because: string | null
    }
  | { readonly kind: 'expired'; readonly candidate: string; readonly stage: number; readonly maximumMs: number }

/** Where the policy on trial and the policy in force part. */
export type ShadowFact = {
  readonly kind: 'disagreement'
  /** Whose answer it is. */
  readonly by: 'shadow' | 'in-force'
  readonly act: ShadowAct
  readonly version: string
  readonly at: number
  /** How long after the other one's same answer; null where the other gave none. */
  readonly afterMs: number | null
  /** The strongest that the other asked for where it asked for less. */
  readonly instead: ShadowAct | null
  readonly because: string | null
}
export type ShadowAct = 'hold' | 'halt' | 'ramp-down' | 'roll-back' | 'fall-back'

/** Whether it is watched. */
export type WatchFact =
  | {
      readonly kind: 'not-watched'
      readonly since: number | null
      readonly reason: 'no-data' | 'incomplete' | 'late' | 'stopped'
      readonly stable: string | null
    }
  | { readonly kind: 'watched-again'; readonly gapMs: number }
  | {
      readonly kind: 'engine'
      readonly engine: 'technical' | 'approvals' | 'observability'
      readonly state: 'ok' | 'missing' | 'stale' | 'failed'
      readonly detail: string
    }
  | { readonly kind: 'brake'; readonly deployments: number; readonly source: string | null }
  /** Decisions have waited for their place in the ledger since then. */
  | { readonly kind: 'ledger-behind'; readonly since: number }
  | { readonly kind: 'ledger-caught-up' }
  /** The keyset in force has run out. */
  | { readonly kind: 'keyset-expired' }

/** Why nothing moves now, or how far a command came. */
export type CommandFact =
  | {
      readonly kind: 'command'
      readonly what: 'promote' | 'hold' | 'halt' | 'ramp-down' | 'roll-back' | 'fall-back' | 'restore'
      readonly state: 'issued' | 'received' | 'applied' | 'verified' | 'escalated' | 'superseded' | 'rejected'
      /** Times that it was sent. */
      readonly sent: number
    }
  | {
      readonly kind: 'escalated'
      readonly what: 'promote' | 'hold' | 'halt' | 'ramp-down' | 'roll-back' | 'fall-back' | 'restore'
      readonly reason: 'not-received' | 'not-applied' | 'disagrees' | 'not-observed'
      /** Share that the wrong version still answers; null where not known. */
      readonly share: number | null
      readonly version: string
      readonly sent: number
    }
  | { readonly kind: 'waits-for-rows'; readonly n: number; readonly needed: number; readonly rows: string }
  | { readonly kind: 'waits-for-time'; readonly leftMs: number }
  | { readonly kind: 'waits-for-counting' }
  | { readonly kind: 'waits-for-hold'; readonly owner: string; readonly reason: string }
  | { readonly kind: 'waits-for-approval'; readonly what: string }
  | { readonly kind: 'waits-for-readiness'; readonly version: string; readonly check: string | null }
  | { readonly kind: 'waits-for-command'; readonly state: 'issued' | 'received' | 'applied' | 'escalated' }
  | { readonly kind: 'waits-for-guard'; readonly rule: string }

/** What is asked of the reader. */
export type HelpFact =
  | { readonly kind: 'asked-nothing' }
  | { readonly kind: 'asked-review'; readonly version: string }
  | { readonly kind: 'asked-data'; readonly source: string | null }
  | { readonly kind: 'asked-router'; readonly version: string }
  | { readonly kind: 'asked-data-flow' }
  | { readonly kind: 'asked-ledger' }
  | { readonly kind: 'asked-keys' }
  | { readonly kind: 'asked-decision'; readonly candidate: string }
