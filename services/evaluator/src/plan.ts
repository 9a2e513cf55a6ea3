import {
  type CountSpec,
  contentHash,
  type Detector,
  type DetectorId,
  type DetectorSetup,
  type Guardrail,
  type Hash,
  isAmount,
  type Layout,
  layoutOf,
  type NumericFeature,
  type Policy,
  type SignalView,
  type VersionId,
  type WatchOut,
  type WeeklyVolume,
} from '@interlock/contracts'
import { limitOf } from '@interlock/deployment'
import { type LatencyLimits, UnknownSignalError } from '@interlock/statistics'
import { type ReadBaseline, readBaseline, valuesOf } from './baselines.ts'
import { otherValue, sliceKey } from './panes.ts'
import { type Source, sourcesOf } from './source.ts'

/** Where signals and detectors come from: `@interlock/statistics`, or a test's own. */
export interface Methods {
  detectorFor(id: DetectorId): Detector
  /** @throws UnknownSignalError */
  resolveSignal(signal: string, spec: CountSpec, limits: LatencyLimits): SignalView
  /** Why the detector cannot judge such a signal against such a reference; null when it can. */
  whyNot(detector: DetectorId, kind: SignalView['kind'], reference: Guardrail['reference']): string | null
}

/** What a watch means for the evaluator. Follows from the watch alone. */
export interface Plan {
  readonly environment: string
  readonly layout: Layout
  readonly specHash: Hash
  readonly paneMs: number
  /** Known values of each dimension that a guardrail looks into, of the policy on trial too. */
  readonly dimensions: ReadonlyMap<string, ReadonlySet<string>>
  readonly subjects: readonly Subject[]
  /** Rules of the policy on trial; null where none is. */
  readonly shadow: Pick<Plan, 'subjects' | 'unmovedPanes'> | null
  /** Whole panes that are kept for slices that have not had their turn. */
  readonly unmovedPanes: number
  readonly latencyEdgesMs: readonly number[]
  readonly zero: Float64Array
}

/** One guardrail about one version. */
export interface Subject {
  /** Two plans that share a key share the history behind it. */
  readonly key: string
  readonly guardrail: Guardrail
  readonly version: VersionId
  readonly role: 'stable' | 'candidate'
  /** The version it is held against in the same pane; null where the reference is a baseline or its own past. */
  readonly against: VersionId | null
  /** Null while the guardrail cannot see: no baseline of this version under this spec, or no detector for its reference. */
  readonly sight: Sight | null
  readonly limit: number
}

export interface Sight {
  readonly detector: Detector
  readonly setup: DetectorSetup
  /** Setups of the slices by `sliceKey`. Slices without a baseline of their own are absent where one is needed. */
  readonly slices: ReadonlyMap<string, DetectorSetup>
  /** All slices that share the slices' half of the weight, in the order in which they take turns. */
  readonly sliceOrder: readonly string[]
  /** A slice moves once in so many panes, with all rows of them. */
  readonly turns: number
  /** What may be left out as one source (`source.ts`); empty where the guardrail does not guard against one. */
  readonly sources: readonly Source[]
  /** Edges of a numeric feature's histogram, for medians. */
  readonly edges: readonly number[] | null
  /** Hours of the week, for volume held against history. */
  readonly volume: WeeklyVolume | null
}

/** Rows before a slice may speak: the guardrail's own minimum guards the whole, which waits for it in any case. */
const sliceMinimumSample = 50

/**
 * Slices of one guardrail and version that move in one pane, by the cost of a move (a histogram is some twenty rates). More
 * slices than these take turns, which only the clock decides: it bounds the work of a pane, and costs a slice some panes' delay.
 */
const slicesAPane = { rate: 256, histogram: 32, mean: 32, volume: 256 } as const

/** A guardrail that cannot see (no such signal, no baseline) stays in the plan: it says that it has no data. */
export function planOf(watch: WatchOut, methods: Methods): Plan {
  const { shadow: onTrial, ...watched } = watch
  const { spec, specHash, policy } = watched
  const shadow = onTrial === undefined ? null : planOf({ ...watched, policy: onTrial.policy }, methods)
  const layout = layoutOf(spec)
  const baselines = new Map(
    watch.baselines.map((baseline) => [baseline.version, readBaseline(baseline, spec, specHash)]),
  )
  const dimensions = dimensionsOf(spec, policy)
  const limits = limitsOf(watch)
  const subjects = policy.guardrails.flatMap((guardrail) =>
    pairsOf(watch, guardrail).map(({ version, role, against }): Subject => {
      const read = baselines.get(version)
      const baseline = read?.shows(guardrail.signal) ? read : null
      const sight = sightOf({
        guardrail,
        spec,
        paneMs: policy.times.paneMs,
        baseline,
        limits,
        dimensions,
        methods,
      })
      // Against the stable version a product belongs to its generation; against a baseline it outlives it.
      const scope = against === null ? null : [watch.generation, against]
      const cut = readsLimits(guardrail.signal) ? limits : null
      // The amount is that of all versions together: what is usual outlives each of them, and their baselines. But what is
      // usual an expected row is not what is usual a pane.
      const whose = isAmount(guardrail) ? null : version
      const known = isAmount(guardrail) ? baseline?.document.volume !== undefined : (baseline?.hash ?? null)
      const identity = [guardrail, whose, specHash, policy.times.paneMs, cut, known, scope]
      return { key: contentHash(identity), guardrail, version, role, against, sight, limit: limitOf(policy, guardrail) }
    }),
  )
  return {
    environment: watch.document.environment,
    layout,
    specHash,
    paneMs: policy.times.paneMs,
    dimensions: shadow === null ? dimensions : new Map([...dimensions, ...shadow.dimensions]),
    subjects,
    shadow,
    unmovedPanes: Math.max(1, ...subjects.map(({ sight }) => sight?.turns ?? 1)) - 1,
    latencyEdgesMs: spec.latencyEdgesMs,
    zero: new Float64Array(layout.width),
  }
}

/** Which versions a guardrail is about. A shift that hits both arms shows only against the baseline of each. */
function pairsOf(
  watch: WatchOut,
  guardrail: Guardrail,
): readonly { version: VersionId; role: Subject['role']; against: VersionId | null }[] {
  const candidate = watch.candidate
  if (guardrail.reference === 'stable') {
    return candidate === null ? [] : [{ version: candidate, role: 'candidate', against: watch.stable }]
  }
  const stable = { version: watch.stable, role: 'stable', against: null } as const
  return candidate === null || isAmount(guardrail)
    ? [stable]
    : [{ version: candidate, role: 'candidate', against: null }, stable]
}

function readsLimits(signal: string): boolean {
  return signal.startsWith('latency-over(') || signal === 'mean(latency)'
}

/** The stable version's latency limits hold for both arms; each must be an edge of the histogram, or nothing can be counted. */
function limitsOf({ baselines, stable, candidate, spec }: WatchOut): LatencyLimits | null {
  for (const version of [stable, candidate]) {
    const limits = baselines.find((baseline) => baseline.version === version)?.latencyLimitsMs
    if (limits === undefined) continue
    const { p50, p90, p99 } = limits
    if ([p50, p90, p99].every((limit) => spec.latencyEdgesMs.includes(limit))) return limits
  }
  return null
}

function dimensionsOf(spec: CountSpec, policy: Policy): ReadonlyMap<string, ReadonlySet<string>> {
  const dimensions = new Map<string, ReadonlySet<string>>()
  // Producers always: what acts on the whole must stand without any one of them.
  for (const dimension of new Set(['producer', ...policy.guardrails.flatMap((guardrail) => guardrail.slices)])) {
    dimensions.set(dimension, new Set([...valuesOf(spec, dimension), otherValue]))
  }
  return dimensions
}

interface SightInput {
  readonly guardrail: Guardrail
  readonly spec: CountSpec
  readonly paneMs: number
  readonly baseline: ReadBaseline | null
  readonly limits: LatencyLimits | null
  readonly dimensions: Plan['dimensions']
  readonly methods: Methods
}

function sightOf({ guardrail, spec, paneMs, baseline, limits, dimensions, methods }: SightInput): Sight | null {
  const signal = signalOf(guardrail, spec, limits, methods)
  if (signal === null || methods.whyNot(guardrail.detector, signal.kind, guardrail.reference) !== null) return null
  const isVolume = guardrail.signal === 'volume'
  const needsBaseline = !isVolume && guardrail.reference !== 'stable'
  if (needsBaseline && baseline === null) return null
  // Dispersion between days is common to both arms: it cancels where they are compared in the same pane. The gap test learns
  // that of panes by itself: hours differ more than a silence within one.
  const phiOf = (slice?: string): number =>
    guardrail.reference === 'stable' || guardrail.detector === 'gap'
      ? 1
      : (baseline?.phiOf(guardrail.signal, slice) ?? 1)
  const phi = phiOf()
  const setup = { guardrail, signal, baseline: needsBaseline ? baseline!.whole : null, phi, paneMs }
  const ofSlice = { ...guardrail, minimumSample: Math.min(guardrail.minimumSample, sliceMinimumSample) }
  const slices = new Map<string, DetectorSetup>()
  const sliceOrder: string[] = []
  for (const dimension of isVolume ? [] : guardrail.slices) {
    for (const value of dimensions.get(dimension) ?? []) {
      const key = sliceKey(dimension, value)
      sliceOrder.push(key)
      const own = baseline?.slices.get(key) ?? null
      if (needsBaseline && own === null) continue
      slices.set(key, { ...setup, guardrail: ofSlice, baseline: needsBaseline ? own : null, phi: phiOf(key) })
    }
  }
  const detector = methods.detectorFor(guardrail.detector)
  const turns = Math.max(1, Math.ceil(sliceOrder.length / slicesAPane[signal.kind]))
  const isHourly = signal.kind === 'volume' && guardrail.reference === 'history'
  const volume = isHourly ? (baseline?.document.volume ?? null) : null
  const sources = sourcesOf(guardrail, signal, spec)
  return { detector, setup, slices, sliceOrder, turns, sources, edges: edgesOf(guardrail.signal, spec), volume }
}

/** Null for a signal that these counts do not have: its guardrail sees nothing, and the others go on. */
function signalOf(
  { signal }: Guardrail,
  spec: CountSpec,
  limits: LatencyLimits | null,
  methods: Methods,
): SignalView | null {
  if (readsLimits(signal) && limits === null) return null
  try {
    return methods.resolveSignal(signal, spec, limits ?? noLimits)
  } catch (error) {
    if (error instanceof UnknownSignalError) return null
    throw error
  }
}

/** For signals that read no limits. */
const noLimits: LatencyLimits = { p50: 0, p90: 0, p99: 0 }

function edgesOf(signal: string, spec: CountSpec): Sight['edges'] {
  const name = /^distribution\((.*)\)$/.exec(signal)?.[1]
  const feature = spec.features.find((each): each is NumericFeature => each.kind === 'numeric' && each.name === name)
  return feature?.edges ?? null
}
