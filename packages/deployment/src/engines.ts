import { defaultTimes, type EngineState, type EvidenceOut, type LogTime, type Policy } from '@interlock/contracts'
import type { ApprovalCheck } from './approvals.ts'

/** A readiness check of the rollback target is worth something for so long. */
export const readinessLifeMs = 60_000
/** An agent that said nothing for so long is away. */
export const agentSilentAfterMs = 30_000

/** What an agent found about a target: digest, warm replicas, capacity. */
export interface ReadinessRecord {
  readonly ok: boolean
  readonly at: LogTime
  /** The failed check and its detail; empty when it is ready. */
  readonly detail: string
}

/** Log time after the end of the last closed pane at which the evidence is stale: a pane, its lateness, a stalled shard. */
export function evidenceStaleAfterMs(policy: Policy): number {
  const { paneMs, latenessMs, stallTimeoutMs } = policy.times
  return paneMs + latenessMs + stallTimeoutMs + 2 * defaultTimes.tickMs
}

/** Log time after the last row's pane at which a deployment is not watched: the policy's patience beyond the usual lag. */
export function noDataLimitMs(policy: Policy): number {
  return policy.noDataAfterMs + policy.times.paneMs + policy.times.latenessMs + 2 * defaultTimes.tickMs
}

/** Whether panes keep closing, whole: what a grant is renewed for. */
export function evidenceIsFresh(policy: Policy, evidence: EvidenceOut | null, time: LogTime): boolean {
  if (evidence === null || evidence.coverage < 1) return false
  return time - (evidence.pane + evidence.paneMs) <= evidenceStaleAfterMs(policy)
}

export function technicalEngine(
  agentSeenAt: LogTime | null,
  target: ReadinessRecord | null,
  candidate: ReadinessRecord | null,
  time: LogTime,
): EngineState {
  const state = (name: EngineState['state'], detail: string): EngineState => ({
    engine: 'technical',
    state: name,
    detail,
  })
  if (agentSeenAt === null) return state('missing', 'no agent has reported yet')
  if (time - agentSeenAt > agentSilentAfterMs) return state('stale', 'the agent is silent')
  if (target === null) return state('missing', 'nobody has checked that a way back exists')
  if (!target.ok) return state('failed', `the version to go back to is not ready: ${target.detail}`)
  if (time - target.at > readinessLifeMs) return state('stale', 'the check of the way back is too old')
  if (candidate !== null && !candidate.ok) return state('failed', `the new version is not ready: ${candidate.detail}`)
  return state('ok', 'the way back is ready')
}

export function approvalsEngine(policy: ApprovalCheck | null, deployment: ApprovalCheck): EngineState {
  const state = (name: EngineState['state'], detail: string): EngineState => ({
    engine: 'approvals',
    state: name,
    detail,
  })
  if (policy === null || !policy.ok) return state('missing', `the policy has ${counted(policy)}`)
  if (!deployment.ok) return state('missing', `the deployment has ${counted(deployment)}`)
  return state('ok', 'policy and deployment are approved')
}

function counted(check: ApprovalCheck | null): string {
  return check === null ? 'no approval' : `${check.have} of ${check.needed} approvals`
}

/**
 * @param dataTo  end of the last whole pane that held rows, null before the first
 */
export function observabilityEngine(
  policy: Policy | null,
  evidence: EvidenceOut | null,
  dataTo: number | null,
  time: LogTime,
): EngineState {
  const state = (name: EngineState['state'], detail: string): EngineState => ({
    engine: 'observability',
    state: name,
    detail,
  })
  if (policy === null) return state('missing', 'no policy is in force')
  if (evidence === null || dataTo === null) return state('missing', 'no evidence has come yet')
  if (evidence.coverage < 1) return state('failed', 'a part of the data did not arrive in time')
  if (!evidenceIsFresh(policy, evidence, time)) return state('stale', 'no new evidence comes')
  if (time - dataTo > noDataLimitMs(policy)) return state('stale', 'no data comes')
  return state('ok', 'evidence is fresh and whole')
}
