import {
  addPacked,
  type BaselineDocument,
  type Detector,
  type DetectorSetup,
  type Guardrail,
  isAmount,
  layoutOf,
  type Policy,
  type Stage,
  sampleIds,
} from '@interlock/contracts'
import {
  clopperPearson,
  detectorFor,
  exp,
  expm1,
  ln,
  plainSignal,
  resolveSignal,
  type SignalShape,
} from '@interlock/statistics'
import { isBeyondTolerance } from './judgement.ts'
import { limitOf } from './limit.ts'

/** The traffic for which a policy promises. */
export interface TrafficPlan {
  /** Answers of all versions together. */
  readonly rowsPerHour: number
  /** Part of the healthy answers that fails. Baselines do not know it. */
  readonly errorRate: number
}

/** A rate that is not seen at so many times the healthy one is not seen at all. */
const greatestRatio = 1_000
export const greatestTilt = 12
/** Busy panes before a silence or another amount: what is usual is learned from them. */
const busyPanes = { gap: 30, 'poisson-shiryaev-roberts': 360 } as const

/** All rows of a baseline: every one is in one slice by producer. */
export function countsOf({ spec, slices }: BaselineDocument): Float64Array {
  const counts = new Float64Array(layoutOf(spec).width)
  for (const slice of slices) {
    if (slice.dimension === 'producer') addPacked(Buffer.from(slice.counts, 'base64'), counts)
  }
  return counts
}

/** How the signal looks while all is well: one number, or the shares of the bins in the order of their values. */
export type Healthy =
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

/** @param counts `countsOf` of the baseline */
export function healthyOf(
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

/** One guardrail in one stage: expected rows a step, and the evidence that is a breach. */
export interface Course {
  readonly guardrail: Guardrail
  readonly healthy: Healthy
  readonly own: number
  readonly others: number
  readonly stepMs: number
  readonly steps: number
  readonly limit: number
}

/** @param mostSteps steps of a stage at most; longer ones go by larger steps */
export function courseOf(
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
  const own = (stage.shadow || isAmount(guardrail) ? 1 : stage.share) * perStep
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
export function isResting({ guardrail, others }: Course): boolean {
  return guardrail.reference === 'stable' && others === 0
}

/** Strength of a change: ln of a rate's ratio, how far a shape is tilted, or the part of the rows that stays away. */
export function greatest({ healthy }: Course): number {
  if (healthy.kind === 'volume') return 1
  return healthy.kind === 'rate' ? ln(Math.min(greatestRatio, 0.99 / healthy.rate)) : greatestTilt
}

/** q_b ∝ p_b·e^{θ·x_b} with x from 0 to 1 over the bins: everything moves towards the last one. */
export function tilted(shares: readonly number[], theta: number): readonly number[] {
  const weights = shares.map((share, bin) => share * (1 + expm1((theta * bin) / Math.max(1, shares.length - 1))))
  const total = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => weight / total)
}

/** Steps until the guardrail's evidence, on expected counts, is a breach; null where the stage ends before. */
export function stepsUntilBreach(course: Course, strength: number): number | null {
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
    signal: plainSignal(shapeOf(healthy)),
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

function shapeOf(healthy: Healthy): SignalShape {
  if (healthy.kind !== 'histogram') return { kind: healthy.kind }
  const bins = healthy.shares.map((_, bin) => String(bin))
  const { edges } = healthy
  return edges === null ? { kind: 'histogram', bins } : { kind: 'mean', bins, edges }
}
