import { defaultTimes, type EngineState, type EvidenceOut, type Policy, riskClasses } from '@interlock/contracts'
import {
  type Answer,
  answerTo,
  approvalsEngine,
  approved,
  type Judged,
  judge,
  observabilityEngine,
  policyAt,
  technicalEngine,
  type Watched,
} from '@interlock/deployment'
import type { Desk } from './desk.ts'
import { authorsOf } from './documents.ts'
import { type DeploymentRecord, generationOf, shareOf } from './record.ts'

const inForce = { ok: true, have: 0, needed: 0 }

/** Where a deployment stands now: its three engines. */
export function enginesOf(record: DeploymentRecord, desk: Desk): readonly EngineState[] {
  const { stable, candidate, readiness, agent, policy } = record
  return [
    technicalEngine(
      agent?.seenAt ?? null,
      readiness[stable.digest] ?? null,
      candidate === null ? null : (readiness[candidate.digest] ?? null),
      desk.time,
    ),
    // What is in force was approved when it came into force; an approval need not be given anew each day.
    approvalsEngine(
      policy === null ? null : inForce,
      record.documentApproved ? inForce : approvalOf(record, desk, record.documentHash, 'release-approver'),
    ),
    observabilityEngine(policy?.policy ?? null, record.evidence, record.dataTo, desk.time),
  ]
}

/** Whether enough people other than its authors approved a document for this deployment. */
export function approvalOf(
  record: DeploymentRecord,
  desk: Desk,
  object: DeploymentRecord['documentHash'],
  role: 'release-approver' | 'policy-approver',
): ReturnType<typeof approved> {
  const { documents, keyset } = desk.shard
  const needed = riskClasses[record.document.riskClass].approvals
  return approved(record.approvals, object, authorsOf(documents, object), role, needed, keyset, desk.time)
}

/** Who has traffic: stable unless the candidate was given all of it, the candidate once it has a share or a shadow. */
export function watchedOf(record: DeploymentRecord): Watched {
  const { stable, candidate, command } = record
  const exposed = command !== null && (command.desired.shareMax > 0 || command.desired.shadow)
  const tookAll = shareOf(record) >= 1 && command?.times.applied !== undefined
  return { stable: tookAll ? null : stable.version, candidate: exposed ? (candidate?.version ?? null) : null }
}

/** The evidence of the running generation, judged; empty before its first pane and while a part of it is missing. */
export function judgedOf(record: DeploymentRecord): readonly Judged[] {
  const { policy, evidence } = record
  if (policy === null || evidence === null || evidence.generation !== generationOf(record)) return []
  return judge(policyAt(policy.policy, evidence.pane), evidence, watchedOf(record)).judged
}

/** What a policy makes of one closed pane, and what it asks for. Old data may only hold: what it shows may long be over (docs/reliability.md F22). */
export function answerOf(
  policy: Policy,
  evidence: Pick<EvidenceOut, 'guardrails'>,
  record: DeploymentRecord,
  desk: Desk,
): { readonly judged: readonly Judged[]; readonly answer: Answer | null } {
  const { judged, breaches } = judge(policy, evidence, watchedOf(record))
  const answer = answerTo(breaches, judged)
  return { judged, answer: answer !== null && isOld(record, desk) ? { ...answer, act: 'hold' } : answer }
}

function isOld({ evidence }: DeploymentRecord, desk: Desk): boolean {
  return evidence !== null && desk.time - (evidence.pane + evidence.paneMs) > defaultTimes.maxDecisionAgeMs
}
