import {
  type BaselineDocument,
  type CountSpec,
  type DeploymentDocument,
  type EngineState,
  type ManifestDocument,
  type Order,
  type Policy,
  riskClassOrder,
  severities,
  type VersionId,
} from '@interlock/contracts'
import { type BlindSpot, blindSpot } from './blind-spot.ts'
import type { TrafficPlan } from './expected-course.ts'
import { severityOf, standsInTheWay } from './severity.ts'

/** A check that failed and what to do about it, as clauses without a full stop. */
export interface FailedCheck {
  readonly check: string
  readonly fix: string
}

/** What a rollout is about to be, as far as its documents were found. */
export interface RolloutQuestion {
  readonly candidate: VersionId
  readonly stable: VersionId
  readonly order: Order
  readonly isRunning: boolean
  readonly rolledBack: readonly VersionId[]
  readonly manifest: ManifestDocument | null
  readonly baseline: BaselineDocument | null
  readonly stableBaseline: BaselineDocument | null
  readonly policy: Policy | null
  readonly riskClass: Policy['riskClass']
  readonly engines: readonly EngineState[]
  /** What the deployment was seen to serve; null where too little was seen to say what a rule would see. */
  readonly traffic: TrafficPlan | null
}

const standing: Readonly<Record<number, string>> = {
  [severities.halt]: 'halt',
  [severities.rampDown]: 'ramp-down',
  [severities.fallBack]: 'fallback',
}

/**
 * The first check that a rollout fails, or null: then every objective check before the first user has passed.
 * Observability is not asked for here: it is a condition of every share, and a new generation begins to be counted
 * only by the rollout.
 */
export function failedRolloutCheck(question: RolloutQuestion): FailedCheck | null {
  const { candidate, stable, order, policy, manifest, baseline, stableBaseline } = question
  if (question.isRunning) return fail('another rollout is running', 'let it end or roll it back first')
  if (standsInTheWay(order)) {
    return fail(`a ${standing[severityOf(order)]} stands`, 'two people must sign a restore first')
  }
  if (candidate === stable) return fail(`${candidate} serves already`, 'name another version')
  if (question.rolledBack.includes(candidate)) {
    return fail(`${candidate} was rolled back`, 'fix it and give it a new version, or let two people restore it')
  }
  if (manifest === null) return fail('the manifest is not known', 'send the manifest document first')
  if (manifest.version !== candidate) {
    return fail(`the manifest describes ${manifest.version}`, `name the manifest of ${candidate}`)
  }
  const hole = emptyField(manifest)
  if (hole !== null) return fail(`the manifest has no ${hole}`, `add "${hole}" and send it again`)
  if (baseline === null) return fail('the baseline is not known', 'send the baseline document that the manifest names')
  if (baseline.version !== candidate) {
    return fail(`the baseline describes ${baseline.version}`, `build a baseline of ${candidate}`)
  }
  if (stableBaseline === null) return fail(`${stable} has no baseline`, `send the baseline of ${stable} first`)
  if (baseline.specHash !== stableBaseline.specHash) {
    return fail(
      'the two baselines count in different bins',
      `build the baseline of ${candidate} in the bins of ${stable}`,
    )
  }
  if (policy === null) return fail('the policy is not known', 'send the policy document first')
  const unknown = unknownNames(policy, baseline.spec)
  if (unknown.length > 0) {
    return fail(
      `the policy names ${unknown[0]}, which the baseline does not count`,
      'correct the policy or the baseline',
    )
  }
  if (riskClassOrder.indexOf(policy.riskClass) < riskClassOrder.indexOf(question.riskClass)) {
    return fail(
      `the policy is for ${policy.riskClass} risk, the deployment is ${question.riskClass}`,
      'use a stricter policy',
    )
  }
  for (const engine of question.engines) {
    if (engine.engine !== 'observability' && engine.state !== 'ok') return fail(engine.detail, remedyOf[engine.engine])
  }
  // Last, for it costs the most: only what could start is asked whether its rules could stop it.
  const blind =
    question.traffic === null
      ? null
      : blindSpot(policy, { stable: stableBaseline, candidate: baseline }, question.traffic)
  return blind === null || question.traffic === null ? null : blindCheck(blind, question.traffic)
}

function blindCheck({ guardrail, stage, stageMs, seesAfterMs }: BlindSpot, { rowsPerHour }: TrafficPlan): FailedCheck {
  const best = seesAfterMs === null ? 'and would not in ten times that' : `and at best after ${minutes(seesAfterMs)}`
  const give = seesAfterMs === null ? 'Give the stage a larger share or fewer rules' : 'Give the stage more time'
  return fail(
    `at ${Math.round(rowsPerHour)} answers an hour the rule "${guardrail}" sees nothing in stage "${stage}" within ${minutes(stageMs)}, ${best}`,
    `${give}, or accept the rule by name under "blind" with the reason`,
  )
}

function minutes(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`
}

/** People that a deployment must name (R13); a missing one refuses the registration. */
export function failedRegistrationCheck(document: DeploymentDocument): FailedCheck | null {
  for (const role of ['owner', 'onCall', 'approver'] as const) {
    if (document[role].trim() === '') return fail(`it names no ${role}`, `name one person as "${role}"`)
  }
  if (document.platform.agent.trim() === '') return fail('it names no agent', 'name the agent of its platform')
  return null
}

const remedyOf = {
  technical: 'see that the agent runs and that the stable version is ready',
  approvals: 'ask a second person to approve it',
  observability: 'see that data comes',
} as const

function fail(check: string, fix: string): FailedCheck {
  return { check, fix }
}

function emptyField(manifest: ManifestDocument): string | null {
  const fields = ['digest', 'trainedOn', 'codeCommit', 'owner', 'baseline'] as const
  return fields.find((field) => manifest[field].trim() === '') ?? null
}

/** Features, quantities and slices that a policy names and a spec does not count. */
export function unknownNames(policy: Policy, spec: CountSpec): readonly string[] {
  const features = new Set(spec.features.map(({ name }) => name))
  const dimensions = new Set(['producer', ...spec.segments.map(({ name }) => `segment:${name}`)])
  const unknown: string[] = []
  for (const { signal, slices } of policy.guardrails) {
    const inside = /^(missing|unseen|invalid|distribution)\((.*)\)$/.exec(signal)
    const name = inside?.[2]
    if (name !== undefined && name !== 'latency' && !features.has(name)) unknown.push(signal)
    for (const slice of slices) if (!dimensions.has(slice)) unknown.push(slice)
  }
  return unknown
}
