import { type BaselineDocument, type Guardrail, isAmount, type Policy, type Stage } from '@interlock/contracts'
import { endsOf, exp, ln } from '@interlock/statistics'
import {
  type Course,
  countsOf,
  courseOf,
  greatest,
  greatestTilt,
  type Healthy,
  healthyOf,
  isResting,
  stepsUntilBreach,
  type TrafficPlan,
  tilted,
} from './expected-course.ts'

/** What a guardrail sees in a stage, when the counts are exactly those that are expected. */
export interface Promised {
  readonly guardrail: string
  readonly stage: string
  /**
   * Smallest harm that is a breach before the stage ends: rates, the ratio to the reference's rate; histograms, the
   * divergence in nats; means, the part of the range by which it rose; amounts, the part of the usual rows that is left;
   * silence, null. Null as well where even the greatest harm is not seen: `sees` is false then.
   */
  readonly smallest: number | null
  readonly sees: boolean
  /** It compares with the stable version, and that answers nobody in this stage. */
  readonly isAlone: boolean
  /** What `smallest` and `harm` are sizes of; null where there is none (silence). */
  readonly of: 'rate' | 'distance' | 'move' | 'amount' | null
  /** Rates: the healthy one. */
  readonly healthyRate: number | null
  /** Time until the breach at that harm (silence: until it is noticed), and the answers that the candidate gives meanwhile. */
  readonly afterMs: number | null
  readonly answers: number | null
  /** The same at `examples` times a rate, or the divergence: what grosser harm costs. */
  readonly grosser: readonly {
    readonly harm: number
    readonly afterMs: number | null
    readonly answers: number | null
  }[]
}

/** Panes of a stage that are gone through; longer stages go by larger steps, which costs a promise at most one step. */
const mostSteps = 240
const halvings = 24
/** Grosser harm that is told besides the smallest: times the healthy rate; nats. */
const ratios = [2, 5] as const
const divergences = [0.2, 1] as const
const moves = [0.1, 0.3] as const

/**
 * What a policy promises at a given traffic: for each guardrail and stage the smallest harm that is found before the stage ends.
 * Runs the real detectors on expected counts, so that half of all cases are found sooner and half later; the
 * harm begins with the stage.
 *
 * @param baseline  of the version that serves: shapes of features, rates of missing, unseen, invalid and slow answers
 */
export function promise(policy: Policy, baseline: BaselineDocument, traffic: TrafficPlan): readonly Promised[] {
  const counts = countsOf(baseline)
  return policy.stages.flatMap((stage) =>
    policy.guardrails
      .filter(({ detector }) => detector !== 'gap' || !stage.shadow)
      .map((guardrail) => promised(policy, stage, guardrail, healthyOf(guardrail, baseline, counts, traffic), traffic)),
  )
}

function promised(
  policy: Policy,
  stage: Stage,
  guardrail: Guardrail,
  healthy: Healthy,
  traffic: TrafficPlan,
): Promised {
  const course = courseOf(policy, stage, guardrail, healthy, traffic, mostSteps)
  const { stepMs } = course
  // All that the candidate answers meanwhile, also where the rule looks at a sample of it, or at all versions together.
  const answersPerStep = stage.shadow ? 0 : (stage.share * traffic.rowsPerHour * stepMs) / 3_600_000
  const at = (strength: number) => {
    const found = stepsUntilBreach(course, strength)
    if (found === null) return { afterMs: null, answers: null }
    return { afterMs: found * stepMs, answers: Math.round(found * answersPerStep) }
  }
  const isAlone = isResting(course)
  const healthyRate = healthy.kind === 'rate' ? healthy.rate : null
  const of = healthy.kind === 'rate' ? 'rate' : isAmount(guardrail) ? 'amount' : sizeOf(healthy)
  const named = { guardrail: guardrail.id, stage: stage.name, isAlone, of, healthyRate }
  if (isAlone) return { ...named, smallest: null, sees: false, afterMs: null, answers: null, grosser: [] }
  if (guardrail.detector === 'gap') {
    const found = at(1)
    return {
      ...named,
      smallest: null,
      sees: found.afterMs !== null,
      ...found,
      answers: found.afterMs === null ? null : 0,
      grosser: [],
    }
  }
  const smallest = smallestStrength(course)
  const examples = of === 'rate' ? ratios : of === 'amount' ? [] : of === 'move' ? moves : divergences
  const grosser = examples.map((harm) => ({ harm, ...at(strengthOf(healthy, harm)) }))
  if (smallest === null) return { ...named, smallest, sees: false, afterMs: null, answers: null, grosser }
  return { ...named, smallest: harmOf(healthy, smallest), sees: true, ...at(smallest), grosser }
}

function sizeOf(healthy: Healthy): Promised['of'] {
  if (healthy.kind !== 'histogram') return null
  return healthy.edges === null ? 'distance' : 'move'
}

function smallestStrength(course: Course): number | null {
  let high = greatest(course)
  if (stepsUntilBreach(course, high) === null) return null
  let low = 0
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2
    if (stepsUntilBreach(course, middle) === null) low = middle
    else high = middle
  }
  return high
}

function harmOf(healthy: Healthy, strength: number): number {
  if (healthy.kind === 'volume') return 1 - strength
  if (healthy.kind === 'rate') return exp(strength)
  const { shares, edges } = healthy
  const now = tilted(shares, strength)
  return edges === null ? divergenceOf(shares, now) : meanOf(now, edges) - meanOf(shares, edges)
}

/** Mean of the bins' middles, as a part of the range. */
function meanOf(shares: readonly number[], edges: readonly number[]): number {
  const { lower, upper } = endsOf(edges)
  return shares.reduce((sum, share, bin) => sum + (share * ((lower[bin] as number) + (upper[bin] as number))) / 2, 0)
}

function strengthOf(healthy: Healthy, harm: number): number {
  if (healthy.kind !== 'histogram') return ln(harm)
  let low = 0
  let high = greatestTilt
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2
    if (harmOf(healthy, middle) < harm) low = middle
    else high = middle
  }
  return high
}

/** KL(p‖q), nats: the direction of tolerances. */
function divergenceOf(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, share, bin) => sum + share * ln(share / (q[bin] as number)), 0)
}
