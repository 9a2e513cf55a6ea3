import {
  addPacked,
  type BaselineDocument,
  type Detector,
  type DetectorSetup,
  type Guardrail,
  layoutOf,
  type Policy,
  type SignalView,
  type Stage,
  sampleIds,
} from '@interlock/contracts'
import { clopperPearson, detectorFor, endsOf, exp, expm1, ln, resolveSignal } from '@interlock/statistics'
import { isBeyondTolerance } from './judgement.ts'
import { limitOf } from './limit.ts'

/** The traffic for which a policy promises. */
export interface TrafficPlan {
  /** Answers of all versions together. */
  readonly rowsPerHour: number
  /** Part of the healthy answers that fails. Baselines do not know it. */
  readonly errorRate: number
}

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
/** A rate that is not seen at so many times the healthy one is not seen at all. */
const greatestRatio = 1_000
const greatestTilt = 12
/** Busy panes before a silence or another amount: what is usual is learned from them. */
const busyPanes = { gap: 30, 'poisson-shiryaev-roberts': 360 } as const

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

function countsOf({ spec, slices }: BaselineDocument): Float64Array {
  const counts = new Float64Array(layoutOf(spec).width)
  for (const slice of slices) {
    if (slice.dimension === 'producer') addPacked(Buffer.from(slice.counts, 'base64'), counts)
  }
  return counts
}

/** How the signal looks while all is well: one number, or the shares of the bins in the order of their values. */
type Healthy =
  | { readonly kind: 'rate'; readonly rate: number; readonly rows: number; readonly phi: number }
  | {
      readonly kind: 'histogram'
      readonly shares: readonly number[]
      readonly rows: number
      readonly phi: number
      /** Of a mean: where the bins lie. */
      readonly edges: readonly number[] | null
    }
  | { readonly kind: 'volume' }

function healthyOf(
  guardrail: Guardrail,
  { spec, latencyLimitsMs, phi, rows }: BaselineDocument,
  counts: Float64Array,
  { errorRate }: TrafficPlan,
): Healthy {
  const signal = resolveSignal(guardrail.signal, spec, latencyLimitsMs)
  const dispersion = guardrail.reference === 'stable' ? 1 : (phi[guardrail.signal] ?? 1)
  switch (signal.kind) {
    case 'volume':
      return { kind: 'volume' }
    case 'rate': {
      if (guardrail.signal === 'errors') return { kind: 'rate', rate: errorRate, rows, phi: dispersion }
      const { events, trials } = signal.read(counts)
      if (trials === 0) return { kind: 'rate', rate: slowParts[guardrail.signal] ?? 0.01, rows, phi: dispersion }
      // A rate of nothing in so many rows may be as high as its upper bound.
      const rate = events > 0 ? events / trials : clopperPearson(0, trials, 0.1)[1]
      return { kind: 'rate', rate, rows: trials, phi: dispersion }
    }
    case 'mean':
    case 'histogram': {
      const bins = [...signal.read(counts)]
      const order = (signal.kind === 'histogram' ? signal.ordered : undefined) ?? [...bins.keys()]
      const all = [...order, ...[...bins.keys()].filter((bin) => !order.includes(bin))].map(
        (bin) => bins[bin] as number,
      )
      const total = all.reduce((a, b) => a + b, 0)
      const shares = all.map((count) => (count + 0.5) / (total + all.length / 2))
      const edges = signal.kind === 'mean' ? signal.edges : null
      return { kind: 'histogram', shares, rows: total, phi: dispersion, edges }
    }
  }
}

/** Where the baseline holds no latency: the part of answers beyond each quantile. */
const slowParts: Readonly<Record<string, number>> = {
  'latency-over(p50)': 0.5,
  'latency-over(p90)': 0.1,
  'latency-over(p99)': 0.01,
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
  const isAmount = guardrail.detector === 'poisson-shiryaev-roberts'
  const at = (strength: number) => {
    const found = stepsUntilBreach(course, strength)
    if (found === null) return { afterMs: null, answers: null }
    return { afterMs: found * stepMs, answers: Math.round(found * answersPerStep) }
  }
  const isAlone = isResting(course)
  const healthyRate = healthy.kind === 'rate' ? healthy.rate : null
  const of = healthy.kind === 'rate' ? 'rate' : isAmount ? 'amount' : sizeOf(healthy)
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

/** One guardrail in one stage: expected rows a step, and the evidence that is a breach. */
interface Course {
  readonly guardrail: Guardrail
  readonly healthy: Healthy
  readonly own: number
  readonly others: number
  readonly stepMs: number
  readonly steps: number
  readonly limit: number
}

function courseOf(
  policy: Policy,
  stage: Stage,
  guardrail: Guardrail,
  healthy: Healthy,
  traffic: TrafficPlan,
  mostSteps: number,
): Course {
  const panes = Math.max(1, Math.ceil(stage.maximumMs / policy.times.paneMs / mostSteps))
  const stepMs = panes * policy.times.paneMs
  const perStep = (traffic.rowsPerHour / 3_600_000) * stepMs
  // Of ids a sample is drawn: more rows than it holds show no more.
  const most = guardrail.signal === 'duplicates' ? sampleIds * panes : Number.POSITIVE_INFINITY
  // A shadow sees a copy of all; a candidate with everything has nobody beside it. An amount is that of all versions together.
  const own = (stage.shadow || guardrail.detector === 'poisson-shiryaev-roberts' ? 1 : stage.share) * perStep
  const others = stage.shadow ? perStep : perStep - own
  return {
    guardrail,
    healthy,
    own: Math.min(own, most),
    others: Math.min(others, most),
    stepMs,
    steps: Math.max(1, Math.floor(stage.maximumMs / stepMs)),
    // With slices the whole has half of the weight.
    limit: limitOf(policy, guardrail) + (guardrail.slices.length > 0 ? ln(2) : 0),
  }
}

/** It compares with the stable version, and that answers nobody. */
function isResting({ guardrail, others }: Course): boolean {
  return guardrail.reference === 'stable' && others === 0
}

/** A guardrail that sees nothing in a stage, however great the harm. */
export interface BlindSpot {
  readonly guardrail: string
  readonly stage: string
  readonly stageMs: number
  /** When it would see the greatest harm at best; null where not even in `blindLooksAhead` times the stage. */
  readonly seesAfterMs: number | null
}

/** Steps of a stage where only blindness is asked for: a rollout's start waits for the answer. */
const blindSteps = 60
/** How many stages long the greatest harm is looked for, to say what a stage would need. */
const blindLooksAhead = 10

/**
 * The first guardrail that cannot see in a stage at a given traffic and is not accepted as blind by the policy; null where there
 * is none. Not even the greatest harm, from the stage's beginning, would be a breach before the stage's end. A guardrail
 * that rests, since nobody is beside the candidate, is not blind.
 *
 * What is held against training is held against the candidate's own: that is the one it is about to be watched by.
 *
 * One course of each detector, in coarser steps than `promise` takes; one that sees ends after a few steps.
 */
export function blindSpot(
  policy: Policy,
  baselines: { readonly stable: BaselineDocument; readonly candidate: BaselineDocument },
  traffic: TrafficPlan,
): BlindSpot | null {
  const { stable, candidate } = baselines
  const counts = { stable: countsOf(stable), candidate: countsOf(candidate) }
  const accepted = new Set(policy.blind?.map(({ guardrail }) => guardrail))
  for (const stage of policy.stages) {
    for (const guardrail of policy.guardrails) {
      if (accepted.has(guardrail.id) || (guardrail.detector === 'gap' && stage.shadow)) continue
      const of = guardrail.reference === 'baseline' ? 'candidate' : 'stable'
      const healthy = healthyOf(guardrail, baselines[of], counts[of], traffic)
      const greatestHarmIn = (maximumMs: number): number | null => {
        const course = courseOf(policy, { ...stage, maximumMs }, guardrail, healthy, traffic, blindSteps)
        const found = isResting(course) ? 0 : stepsUntilBreach(course, greatest(course))
        return found === null ? null : found * course.stepMs
      }
      if (greatestHarmIn(stage.maximumMs) !== null) continue
      const seesAfterMs = greatestHarmIn(stage.maximumMs * blindLooksAhead)
      return { guardrail: guardrail.id, stage: stage.name, stageMs: stage.maximumMs, seesAfterMs }
    }
  }
  return null
}

/** Strength of a change: ln of a rate's ratio, how far a shape is tilted, or the part of the rows that stays away. */
function greatest({ healthy }: Course): number {
  if (healthy.kind === 'volume') return 1
  return healthy.kind === 'rate' ? ln(Math.min(greatestRatio, 0.99 / healthy.rate)) : greatestTilt
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

/** q_b ∝ p_b·e^{θ·x_b} with x from 0 to 1 over the bins: everything moves towards the last one. */
function tilted(shares: readonly number[], theta: number): readonly number[] {
  const weights = shares.map((share, bin) => share * (1 + expm1((theta * bin) / Math.max(1, shares.length - 1))))
  const total = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => weight / total)
}

/** KL(p‖q), nats: the direction of tolerances. */
function divergenceOf(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, share, bin) => sum + share * ln(share / (q[bin] as number)), 0)
}

/** Steps until the guardrail's evidence, on expected counts, is a breach; null where the stage ends before. */
function stepsUntilBreach(course: Course, strength: number): number | null {
  const { guardrail, own, stepMs, steps, limit } = course
  const setup = setupOf(course)
  const detector: Detector = detectorFor(guardrail.detector)
  const { now, reference } = expected(course, strength)
  let state = detector.start(setup)
  const before = guardrail.detector in busyPanes ? busyPanes[guardrail.detector as keyof typeof busyPanes] : 0
  for (let pane = 0; pane < before + steps; pane++) {
    const counts = pane < before ? Float64Array.of(own) : now
    state = detector.update(setup, state, { start: pane * stepMs, ms: stepMs, now: counts, reference, coverage: 1 })
    if (pane < before) continue
    const reading = detector.read(setup, state)
    const isBreach = reading.status === 'ok' && reading.logE.harm >= limit && isBeyondTolerance(guardrail, reading)
    if (isBreach) return pane - before + 1
  }
  return null
}

/** Expected counts of one step, as the plain signals of `setupOf` read them. */
function expected(
  { guardrail, healthy, own, others }: Course,
  strength: number,
): { readonly now: Float64Array; readonly reference: Float64Array | null } {
  const isStable = guardrail.reference === 'stable'
  switch (healthy.kind) {
    case 'volume':
      return {
        now: Float64Array.of(guardrail.detector === 'gap' ? 0 : own * (1 - strength)),
        reference: isStable ? Float64Array.of(others) : null,
      }
    case 'rate': {
      const rate = Math.min(0.99, healthy.rate * exp(strength))
      return {
        now: Float64Array.of(own * rate, own),
        reference: isStable ? Float64Array.of(others * healthy.rate, others) : null,
      }
    }
    case 'histogram':
      return {
        now: Float64Array.from(tilted(healthy.shares, strength), (share) => share * own),
        reference: isStable ? Float64Array.from(healthy.shares, (share) => share * others) : null,
      }
  }
}

function setupOf({ guardrail, healthy, stepMs }: Course): DetectorSetup {
  const isBaseline = guardrail.reference === 'baseline'
  return {
    guardrail,
    signal: plainSignal(healthy),
    baseline: !isBaseline
      ? null
      : healthy.kind === 'histogram'
        ? Float64Array.from(healthy.shares, (share) => share * healthy.rows)
        : healthy.kind === 'rate'
          ? Float64Array.of(healthy.rate * healthy.rows, healthy.rows)
          : null,
    phi: healthy.kind === 'volume' ? 1 : healthy.phi,
    paneMs: stepMs,
  }
}

/** A signal whose counts are nothing but its own. */
function plainSignal(healthy: Healthy): SignalView {
  switch (healthy.kind) {
    case 'volume':
      return { kind: 'volume', id: 'volume', read: (counts) => counts[0] as number }
    case 'rate':
      return {
        kind: 'rate',
        id: 'rate',
        read: (counts) => ({ events: counts[0] as number, trials: counts[1] as number }),
      }
    case 'histogram': {
      const bins = healthy.shares.map((_, bin) => String(bin))
      const { edges } = healthy
      if (edges !== null) return { kind: 'mean', id: 'mean', edges, bins, read: (counts) => counts }
      return { kind: 'histogram', id: 'histogram', bins, read: (counts) => counts }
    }
  }
}
