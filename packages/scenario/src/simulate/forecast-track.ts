import {
  addPacked,
  type BaselineDocument,
  type Detector,
  type DetectorSetup,
  type Guardrail,
  type GuardrailEvidence,
  isAmount,
  layoutOf,
  type Policy,
  type SignalView,
  sha256,
  type VersionId,
} from '@interlock/contracts'
import { limitOf } from '@interlock/deployment'
import { detectorFor, plainCounts, plainSignal, resolveSignal, wholeAndSlices } from '@interlock/statistics'
import { poisson } from './poisson.ts'
import { type Sample, type SampleCounts, sliceKey } from './sample.ts'

/** How much of a fault is there, and how many rows each version has in a pane. */
export interface Moment {
  readonly start: number
  /** 0 … 1. */
  readonly grown: number
  readonly own: number
  readonly others: number
  /** Rows of the candidate that were asked for: none of a shadow's copies. */
  readonly answered: number
}

/** Fewest rows of a slice, as the evaluator has it. */
const sliceMinimumSample = 50
const wholeKey = ''

/** Counts of one slice a request, as the signal reads them: sound and broken, of the version and of what it is held against. */
interface Rates {
  readonly setup: DetectorSetup
  readonly now: Mix
  readonly beside: Mix | null
}
interface Mix {
  readonly sound: Float64Array
  readonly broken: Float64Array
}

/** One rule about one version, whole and slices, as it is before any pane. */
export interface Subject {
  readonly guardrail: Guardrail
  readonly version: VersionId
  readonly isStable: boolean
  readonly limit: number
  readonly detector: Detector
  readonly paneMs: number
  readonly rates: ReadonlyMap<string, Rates>
  readonly sliceCount: number
}

export function subjectOf(
  policy: Policy,
  guardrail: Guardrail,
  { version, isStable }: Pick<Subject, 'version' | 'isStable'>,
  baseline: BaselineDocument,
  sample: Sample,
): Subject {
  const { spec, latencyLimitsMs, phi } = baseline
  const signal = resolveSignal(guardrail.signal, spec, latencyLimitsMs)
  const isTraining = guardrail.reference === 'baseline'
  const healthyRows = isTraining ? countsOf(baseline) : null
  const harmed = isStable ? sample.harmedStable : sample.harmedCandidate
  const mixOf = (counts: SampleCounts, key: string): Mix => ({
    sound: aRequest(signal, at(sample.healthy, key), sample.requests),
    broken: aRequest(signal, at(counts, key), sample.requests),
  })
  const ratesOf = (key: string, own: Guardrail): Rates => ({
    setup: {
      ...{ guardrail: own, signal: plainSignal(signal), paneMs: policy.times.paneMs },
      baseline:
        healthyRows === null
          ? null
          : plainCounts(signal, at(healthyRows, key) ?? new Float64Array(layoutOf(spec).width)),
      phi: isTraining ? (phi[guardrail.signal] ?? 1) : 1,
    },
    now: mixOf(harmed, key),
    beside: guardrail.reference === 'stable' || isAmount(guardrail) ? mixOf(sample.harmedStable, key) : null,
  })
  const values = guardrail.detector === 'gap' ? [] : slicesOf(guardrail, baseline)
  const ofSlice = { ...guardrail, minimumSample: Math.min(guardrail.minimumSample, sliceMinimumSample) }
  const seen = values.filter(
    (key) => sample.healthy.slices.has(key) && (healthyRows === null || healthyRows.slices.has(key)),
  )
  return {
    ...{ guardrail, version, isStable, limit: limitOf(policy, guardrail), detector: detectorFor(guardrail.detector) },
    paneMs: policy.times.paneMs,
    rates: new Map([
      [wholeKey, ratesOf(wholeKey, guardrail)],
      ...seen.map((key) => [key, ratesOf(key, ofSlice)] as const),
    ]),
    // Every dimension has one slice more, for what is in none of the known ones.
    sliceCount: values.length === 0 ? 0 : values.length + guardrail.slices.length,
  }
}

/** A subject on its way through the panes of one course. */
export class ForecastTrack {
  readonly #subject: Subject
  readonly #next: () => number
  readonly #states = new Map<string, ReturnType<Detector['start']>>()

  constructor(subject: Subject, next: () => number) {
    this.#subject = subject
    this.#next = next
  }

  /** One more pane, with counts that chance draws around those that are expected. */
  move({ start, grown, own, others, answered }: Moment): void {
    const { detector, guardrail, isStable, paneMs, rates } = this.#subject
    for (const [key, { setup, now, beside }] of rates) {
      const state = this.#states.get(key) ?? detector.start(setup)
      const isOfAll = isAmount(guardrail)
      const mine = this.#drawn(setup.signal, now, grown, isStable ? others : isOfAll ? answered : own)
      const theirs = beside === null ? null : this.#drawn(setup.signal, beside, grown, others)
      const counts = isOfAll && theirs !== null ? mine.map((count, cell) => count + (theirs[cell] as number)) : mine
      const reference = isOfAll ? null : theirs
      this.#states.set(key, detector.update(setup, state, { start, ms: paneMs, now: counts, reference, coverage: 1 }))
    }
  }

  read(): GuardrailEvidence {
    const { guardrail, version, isStable, limit, detector, rates, sliceCount } = this.#subject
    const readings = [...rates].map(([key, { setup }]) =>
      detector.read(setup, this.#states.get(key) ?? detector.start(setup)),
    )
    const [whole, ...slices] = readings as [ReturnType<Detector['read']>, ...ReturnType<Detector['read']>[]]
    const speaking = slices.filter(({ status }) => status === 'ok')
    const evidences = speaking.map(({ logE }) => logE.harm)
    const { logE, shares } = wholeAndSlices(whole.logE.harm, evidences, sliceCount)
    const lead = speaking.find((_, index) => (shares[index + 1] ?? 0) > 1 / 2) ?? whole
    return {
      ...{ guardrail: guardrail.id, version, variant: isStable ? 'stable' : 'candidate', limit },
      evidence: {
        ...{ ...whole, effect: lead.effect, logE: { harm: logE, safe: whole.logE.safe } },
        ...{ dataTo: 0, window: sha256('forecast') },
      },
    }
  }

  #drawn(signal: SignalView, { sound, broken }: Mix, grown: number, rows: number): Float64Array {
    const mean = (cell: number): number =>
      rows * (grown * (broken[cell] as number) + (1 - grown) * (sound[cell] as number))
    if (signal.kind !== 'rate') return Float64Array.from(sound, (_, cell) => poisson(mean(cell), this.#next()))
    const events = poisson(mean(0), this.#next())
    return Float64Array.of(events, events + poisson(mean(1) - mean(0), this.#next()))
  }
}

function aRequest(signal: SignalView, counts: Float64Array | undefined, requests: number): Float64Array {
  if (counts !== undefined) return plainCounts(signal, counts).map((count) => count / Math.max(1, requests))
  return new Float64Array('bins' in signal ? signal.bins.length : signal.kind === 'rate' ? 2 : 1)
}

function at({ whole, slices }: SampleCounts, key: string): Float64Array | undefined {
  return key === wholeKey ? whole : slices.get(key)
}

function slicesOf({ slices }: Guardrail, { spec }: BaselineDocument): readonly string[] {
  const valuesOf = (dimension: string): readonly string[] =>
    dimension === 'producer'
      ? spec.producers
      : (spec.segments.find(({ name }) => dimension === `segment:${name}`)?.values ?? [])
  return slices.flatMap((dimension) => valuesOf(dimension).map((value) => sliceKey(dimension, value)))
}

function countsOf({ spec, slices }: BaselineDocument): SampleCounts {
  const { width } = layoutOf(spec)
  const whole = new Float64Array(width)
  const bySlice = new Map<string, Float64Array>()
  for (const { dimension, value, counts } of slices) {
    const vector = new Float64Array(width)
    addPacked(Buffer.from(counts, 'base64'), vector)
    bySlice.set(sliceKey(dimension, value), vector)
    if (dimension === 'producer') addPacked(Buffer.from(counts, 'base64'), whole)
  }
  return { whole, slices: bySlice }
}
