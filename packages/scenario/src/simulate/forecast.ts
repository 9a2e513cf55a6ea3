import {
  addPacked,
  type BaselineDocument,
  type Detector,
  type DetectorReading,
  type DetectorSetup,
  type Guardrail,
  type GuardrailEvidence,
  layoutOf,
  type Policy,
  sha256,
  type VersionId,
} from '@interlock/contracts'
import { type Judged, judge, limitOf } from '@interlock/deployment'
import { detectorFor, resolveSignal, wholeAndSlices } from '@interlock/statistics'
import { type Sample, type SampleCounts, sliceKey } from './sample.ts'

/** When the expected counts are a breach, and by which rule. */
export interface Forecast {
  readonly guardrail: string
  readonly stage: string
  readonly afterMs: number
  /** Answers that the new version gives people from the onset until then. */
  readonly answers: number
}

export interface ForecastQuestion {
  readonly policy: Policy
  readonly baseline: BaselineDocument
  readonly candidateBaseline: BaselineDocument
  readonly sample: Sample
  readonly rowsPerHour: number
  readonly onset: { readonly stage: string | null; readonly afterMs: number }
  /** Growth of the fault from nothing. */
  readonly rampMs: number
  /** So long a fault may last. */
  readonly lengthMs: number
}

/** A pane closes so long after its end, besides the lateness: the watermark stays a second behind, a tick comes on average half a tick later. */
const closingMs = 1_500
/** Panes that a rollout may take to come to the onset. */
const mostPanes = 20_000
const stable = 'stable' as VersionId
const candidate = 'candidate' as VersionId
/** Fewest rows of a slice, as the evaluator has it. */
const sliceMinimumSample = 50

/**
 * What a policy will do about a fault, foretold before it is played: the real detectors and the governor's judgement on the
 * counts that are expected in each pane, stage by stage, promotions included. Half of all cases are found sooner and half later.
 *
 * It does not know chance, provisional holds, slices that take turns, or rests of panes; silence is told by its own rule.
 *
 * @returns null where the expected counts are no breach within the time
 */
export function forecast(question: ForecastQuestion): Forecast | null {
  const { policy, sample, rowsPerHour, onset, rampMs, lengthMs } = question
  const { paneMs, latenessMs } = policy.times
  const perPane = (rowsPerHour / 3_600_000) * paneMs
  const wanted = policy.stages.findIndex((each) => (onset.stage === null ? !each.shadow : each.name === onset.stage))
  const tracks = tracksOf(question)
  let stage = 0
  let inStageMs = 0
  let rows = 0
  let sinceMs: number | null = null
  let answers = 0
  for (let pane = 0; pane < mostPanes; pane++) {
    const { share, shadow, name, minimumMs, minimumSample } = policy.stages[stage]!
    if (sinceMs === null && stage >= wanted && inStageMs >= onset.afterMs) sinceMs = 0
    const grown = sinceMs === null ? 0 : rampMs === 0 ? 1 : Math.min(1, (sinceMs + paneMs / 2) / rampMs)
    const own = (shadow ? 1 : share) * perPane
    const others = shadow ? perPane : perPane - own
    const now = expected(sample, sample.harmedCandidate, grown, own)
    const beside = expected(sample, sample.harmedStable, grown, others)
    for (const track of tracks) track.move(pane * paneMs, now, beside)
    if (sinceMs !== null) {
      sinceMs += paneMs
      if (!shadow) answers += own
    }
    const guardrails = tracks.map((track) => track.read())
    const tookAll = share >= 1
    const { judged, breaches } = judge(policy, { guardrails }, { stable: tookAll ? null : stable, candidate })
    const breach = breaches.find(({ action }) => action !== 'watch')
    if (breach !== undefined && sinceMs !== null) {
      const lagMs = latenessMs + closingMs
      const meanwhile = shadow ? 0 : (own * lagMs) / paneMs
      return {
        guardrail: breach.leading.guardrail.id,
        ...{ stage: name, afterMs: sinceMs + lagMs, answers: Math.round(answers + meanwhile) },
      }
    }
    if (sinceMs !== null && sinceMs >= lengthMs) return null
    inStageMs += paneMs
    rows += own
    const mayGoOn = inStageMs >= minimumMs && rows >= minimumSample && stage < policy.stages.length - 1
    if (mayGoOn && policy.guardrails.every((guardrail) => opens(guardrail, judged))) {
      stage++
      inStageMs = 0
      rows = 0
    }
  }
  return null
}

/** Whether a rule lets a version move on, as `blockers` has it. */
function opens(guardrail: Guardrail, judged: readonly Judged[]): boolean {
  if (guardrail.detector === 'gap') return true
  return judged.every(
    (one) =>
      one.guardrail.id !== guardrail.id ||
      one.verdict === 'pass' ||
      (one.verdict === 'watch' && guardrail.role === 'guard'),
  )
}

function expected({ requests, healthy }: Sample, harmed: SampleCounts, grown: number, rows: number): SampleCounts {
  const scale = requests === 0 ? 0 : rows / requests
  const mix = (sound: Float64Array | undefined, broken: Float64Array | undefined): Float64Array =>
    Float64Array.from(
      (broken ?? sound) as Float64Array,
      (count, index) => scale * (grown * (broken === undefined ? 0 : count) + (1 - grown) * (sound?.[index] ?? 0)),
    )
  const keys = new Set([...healthy.slices.keys(), ...harmed.slices.keys()])
  return {
    whole: mix(healthy.whole, harmed.whole),
    slices: new Map([...keys].map((key) => [key, mix(healthy.slices.get(key), harmed.slices.get(key))])),
  }
}

/** One rule about one version, whole and slices. */
class ForecastTrack {
  readonly #guardrail: Guardrail
  readonly #version: VersionId
  readonly #limit: number
  readonly #detector: Detector
  readonly #whole: DetectorSetup
  readonly #slices: ReadonlyMap<string, DetectorSetup>
  readonly #sliceCount: number
  #state: ReturnType<Detector['start']>
  readonly #sliceStates = new Map<string, ReturnType<Detector['start']>>()

  constructor(policy: Policy, guardrail: Guardrail, version: VersionId, baseline: BaselineDocument) {
    const { spec, latencyLimitsMs, phi } = baseline
    const isBaseline = guardrail.reference === 'baseline'
    const counts = isBaseline ? countsOf(baseline) : null
    const setup = {
      guardrail,
      signal: resolveSignal(guardrail.signal, spec, latencyLimitsMs),
      baseline: counts?.whole ?? null,
      phi: isBaseline ? (phi[guardrail.signal] ?? 1) : 1,
      paneMs: policy.times.paneMs,
    }
    const ofSlice = { ...guardrail, minimumSample: Math.min(guardrail.minimumSample, sliceMinimumSample) }
    const values = guardrail.slices.flatMap((dimension) =>
      dimension === 'producer'
        ? spec.producers.map((value) => sliceKey(dimension, value))
        : (spec.segments.find(({ name }) => dimension === `segment:${name}`)?.values ?? []).map((value) =>
            sliceKey(dimension, value),
          ),
    )
    this.#guardrail = guardrail
    this.#version = version
    this.#limit = limitOf(policy, guardrail)
    this.#detector = detectorFor(guardrail.detector)
    this.#whole = setup
    this.#state = this.#detector.start(setup)
    const seen = guardrail.detector === 'gap' ? [] : values
    // Every dimension has one slice more, for what is in none of the known ones.
    this.#sliceCount = seen.length === 0 ? 0 : seen.length + guardrail.slices.length
    this.#slices = new Map(
      seen.flatMap((key) => {
        const own = counts?.slices.get(key) ?? null
        return isBaseline && own === null ? [] : [[key, { ...setup, guardrail: ofSlice, baseline: own }] as const]
      }),
    )
  }

  move(start: number, now: SampleCounts, stableCounts: SampleCounts): void {
    const { paneMs } = this.#whole
    const counts = this.#version === stable ? stableCounts : now
    const beside = this.#guardrail.reference === 'stable' ? stableCounts : null
    const pane = { start, ms: paneMs, coverage: 1 }
    this.#state = this.#detector.update(this.#whole, this.#state, {
      ...{ ...pane, now: counts.whole, reference: beside?.whole ?? null },
    })
    for (const [key, setup] of this.#slices) {
      const own = counts.slices.get(key)
      if (own === undefined) continue
      const reference = beside === null ? null : (beside.slices.get(key) ?? new Float64Array(own.length))
      const state = this.#sliceStates.get(key) ?? this.#detector.start(setup)
      this.#sliceStates.set(key, this.#detector.update(setup, state, { ...pane, now: own, reference }))
    }
  }

  read(): GuardrailEvidence {
    const whole = this.#detector.read(this.#whole, this.#state)
    const readings = [...this.#sliceStates].map(
      ([key, state]): DetectorReading => this.#detector.read(this.#slices.get(key)!, state),
    )
    const speaking = readings.filter(({ status }) => status === 'ok')
    const { logE, shares } = wholeAndSlices(
      whole.logE.harm,
      speaking.map((reading) => reading.logE.harm),
      this.#sliceCount,
    )
    const lead = speaking.find((_, index) => (shares[index + 1] ?? 0) > 1 / 2) ?? whole
    return {
      guardrail: this.#guardrail.id,
      version: this.#version,
      variant: this.#version === stable ? 'stable' : 'candidate',
      limit: this.#limit,
      evidence: {
        ...whole,
        effect: lead.effect,
        logE: { harm: logE, safe: whole.logE.safe },
        ...{ dataTo: 0, window: sha256('forecast') },
      },
    }
  }
}

function tracksOf({ policy, baseline, candidateBaseline }: ForecastQuestion): readonly ForecastTrack[] {
  return policy.guardrails.flatMap((guardrail) => {
    const own = new ForecastTrack(policy, guardrail, candidate, candidateBaseline)
    return guardrail.reference === 'stable' ? [own] : [own, new ForecastTrack(policy, guardrail, stable, baseline)]
  })
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
