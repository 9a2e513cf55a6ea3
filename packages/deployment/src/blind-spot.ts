import type { BaselineDocument, Policy } from '@interlock/contracts'
import {
  countsOf,
  courseOf,
  greatest,
  healthyOf,
  isResting,
  stepsUntilBreach,
  type TrafficPlan,
} from './expected-course.ts'

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
