import { type BaselineDocument, type Guardrail, isAmount, type Policy, type VersionId } from '@interlock/contracts'
import { type Judged, judge } from '@interlock/deployment'
import { drawsOf } from '../draw.ts'
import { ForecastTrack, type Subject, subjectOf } from './forecast-track.ts'
import type { Sample } from './sample.ts'

/** When a fault is expected to be a breach, and by which rule. */
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
  readonly seed: number
}

/** A pane closes so long after its end, besides the lateness: the watermark stays a second behind, and a tick comes. */
const closingMs = 1_500
/** Panes that a rollout may take to come to the onset. */
const mostPanes = 20_000
/** Courses of which the middle one is told. */
const courses = 9
const stable = 'stable' as VersionId
const candidate = 'candidate' as VersionId

/**
 * What a policy will do about a fault, foretold without a row: the real detectors and the governor's judgement on counts
 * that are drawn around the expected ones (Poisson), pane by pane and stage by stage, promotions included. Tells the middle one
 * of several courses, so half of all cases are found sooner and half later.
 *
 * It does not know provisional holds, slices that take turns, or that a whole is the sum of its slices.
 *
 * @returns null where most courses are no breach within the time
 */
export function forecast(question: ForecastQuestion): Forecast | null {
  const { policy, baseline, candidateBaseline, sample, seed } = question
  const subjects = policy.guardrails.flatMap((guardrail): Subject[] => {
    const own = subjectOf(policy, guardrail, { version: candidate, isStable: false }, candidateBaseline, sample)
    if (guardrail.reference === 'stable' || isAmount(guardrail)) return [own]
    return [own, subjectOf(policy, guardrail, { version: stable, isStable: true }, baseline, sample)]
  })
  const found = Array.from({ length: courses }, (_, course) => courseOf(question, subjects, drawsOf(seed, course)))
  const breaches = found.filter((each) => each !== null).sort((a, b) => a.afterMs - b.afterMs)
  // Courses without a breach stand behind all others.
  return breaches[(courses - 1) / 2] ?? null
}

function courseOf(
  { policy, rowsPerHour, onset, rampMs, lengthMs }: ForecastQuestion,
  subjects: readonly Subject[],
  next: () => number,
): Forecast | null {
  const { paneMs, latenessMs } = policy.times
  const perPane = (rowsPerHour / 3_600_000) * paneMs
  const wanted = policy.stages.findIndex((each) => (onset.stage === null ? !each.shadow : each.name === onset.stage))
  const tracks = subjects.map((subject) => new ForecastTrack(subject, next))
  let stage = 0
  let enteredMs = 0
  let inStageMs = 0
  // What a pane shows is known only so many panes later, and until then the stage is the one before.
  const lagMs = latenessMs + closingMs
  const lagPanes = Math.round(lagMs / paneMs)
  let goesOnAt: number | null = null
  let rows = 0
  let sinceMs: number | null = null
  let answers = 0
  for (let pane = 0; pane < mostPanes; pane++) {
    const { share, shadow, name, minimumMs, minimumSample } = policy.stages[stage]!
    if (sinceMs === null && stage >= wanted && enteredMs >= onset.afterMs) sinceMs = 0
    const grown = sinceMs === null ? 0 : rampMs === 0 ? 1 : Math.min(1, (sinceMs + paneMs / 2) / rampMs)
    const own = (shadow ? 1 : share) * perPane
    const others = shadow ? perPane : perPane - own
    for (const track of tracks) track.move({ start: pane * paneMs, grown, own, others, answered: shadow ? 0 : own })
    if (sinceMs !== null) {
      sinceMs += paneMs
      if (!shadow) answers += own
    }
    const guardrails = tracks.map((track) => track.read())
    const { judged, breaches } = judge(policy, { guardrails }, { stable: share >= 1 ? null : stable, candidate })
    const breach = breaches.find(({ action }) => action !== 'watch')
    if (breach !== undefined && sinceMs !== null) {
      const meanwhile = shadow ? 0 : (own * lagMs) / paneMs
      const { id: guardrail } = breach.leading.guardrail
      return { guardrail, stage: name, afterMs: sinceMs + lagMs, answers: Math.round(answers + meanwhile) }
    }
    if (sinceMs !== null && sinceMs >= lengthMs) return null
    enteredMs += paneMs
    // The clock of a stage runs over panes that lie wholly behind its command.
    if (enteredMs > paneMs) {
      inStageMs += paneMs
      rows += own
    }
    const mayGoOn = inStageMs >= minimumMs && rows >= minimumSample && stage < policy.stages.length - 1
    if (goesOnAt === null && mayGoOn && policy.guardrails.every((guardrail) => opens(guardrail, judged)))
      goesOnAt = pane + lagPanes
    if (goesOnAt !== null && pane >= goesOnAt) {
      stage++
      goesOnAt = null
      enteredMs = 0
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
