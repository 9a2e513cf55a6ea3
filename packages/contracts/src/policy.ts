import type { Hash } from './ids.ts'
import type { EventTime } from './time.ts'

export type Action = 'watch' | 'hold' | 'halt' | 'ramp-down' | 'roll-back' | 'fall-back'
export type Reference = 'stable' | 'baseline' | 'history'

/**
 * A rule of a policy, compiled: every default is filled in and every name checked.
 *
 * `signal` is one of
 *  - `errors`, `missing(<feature>)`, `unseen(<feature>)`, `invalid(<feature>)`, `latency-over(p50|p90|p99)`: rates
 *  - `distribution(<feature>)`, `distribution(latency)`: histograms
 *  - `predictions`: histogram of the version's answers and scores
 *  - `mean(<numeric feature>)`, `mean(score)`, `mean(latency)`: bounded means
 *  - `volume`: events in time (silence, or too many and too few)
 */
export interface Guardrail {
  readonly id: string
  readonly signal: string
  readonly reference: Reference
  readonly detector: DetectorId
  /**
   * Rates: `harm` and `safe` are ratios above the reference (0.2 = 20 % more), `absolute` a rate that is safe whatever
   * the reference. Histograms: `harm` is the divergence (KL, nats) that is accepted; `safe` is not used. Means: `harm` is the
   * part of the range by which the mean may move. Amounts: `harm` is the part of the usual rows that may be there too many
   * or too few.
   */
  readonly tolerance: { readonly harm: number; readonly safe: number; readonly absolute?: number }
  readonly budget: { readonly falsePerYear: number } | { readonly alpha: number }
  readonly role: 'gate' | 'guard'
  readonly action: Action
  /** What it protects, in the reader's words: users, money, a duty. */
  readonly protects: string
  /** Slices that the rule looks into besides the whole: `segment:<name>` dimensions, or `producer`. */
  readonly slices: readonly string[]
  /** Fewest rows of the candidate before the rule may speak. */
  readonly minimumSample: number
}

export type DetectorId =
  | 'conditional-beta-binomial'
  | 'binomial-shiryaev-roberts'
  | 'dirichlet-two-sample'
  | 'dirichlet-baseline'
  | 'gap'
  | 'poisson-shiryaev-roberts'
  | 'binned-betting'

/** Judges the rows of the whole deployment: a ramp moves them from one version to the other, and that is no change of the amount. */
export function isAmount({ detector }: Pick<Guardrail, 'detector'>): boolean {
  return detector === 'poisson-shiryaev-roberts'
}

export interface Stage {
  readonly name: string
  /** Share of traffic that the candidate answers; 0 with `shadow`. */
  readonly share: number
  readonly shadow: boolean
  readonly minimumSample: number
  readonly minimumMs: number
  readonly maximumMs: number
}

/** A policy in force: content-addressed by the hash of its canonical JSON. */
export interface Policy {
  readonly v: 1
  readonly name: string
  readonly riskClass: 'low' | 'medium' | 'high' | 'critical'
  readonly stages: readonly Stage[]
  readonly guardrails: readonly Guardrail[]
  /** After so long without data the deployment is not watched: promotion freezes. */
  readonly noDataAfterMs: number
  /** What an agent does alone when its grant lapses, by milliseconds since the lapse began. */
  readonly onGuardrailLoss: readonly { readonly afterMs: number; readonly action: 'hold' | 'roll-back' | 'halt' }[]
  readonly grantMs: number
  readonly times: { readonly paneMs: number; readonly latenessMs: number; readonly stallTimeoutMs: number }
  readonly brakes: { readonly rollbacksPerHour: number; readonly fleetShare: number; readonly fleetWindowMs: number }
  /** How people call what the policy is about; absent where the policy says nothing: ids stand in quotes then. */
  readonly words?: PolicyWords
  /** Layers that it extends, the widest first, each with the guardrails that came from it. Absent: it stands alone. */
  readonly layers?: readonly PolicyLayer[]
  /** Rules that are looser for a time; `guardrails` holds the strict ones, which hold again from `until` on. */
  readonly exceptions?: readonly PolicyException[]
  /** Guardrails that may start a rollout although they see nothing in one of its stages. */
  readonly blind?: readonly { readonly guardrail: string; readonly reason: string }[]
}

export interface PolicyLayer {
  readonly name: string
  readonly guardrails: readonly string[]
}

/** For panes that begin before `until`, `looser` takes the place of the guardrail of its id. */
export interface PolicyException {
  readonly until: EventTime
  readonly reason: string
  readonly looser: Guardrail
}

/** Names and units for sentences (docs/policy-reference.md "words"). */
export interface PolicyWords {
  /** What the model answers about, in the plural: "flights". Absent: "requests". */
  readonly rows?: string
  readonly features: Readonly<Record<string, { readonly name: string; readonly unit?: string }>>
}

/** What a policy document's hash stands for. */
export interface PolicyRef {
  readonly name: string
  readonly hash: Hash
}
