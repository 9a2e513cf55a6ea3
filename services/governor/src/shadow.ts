import type { EvidenceOut } from '@interlock/contracts'
import {
  type Answer,
  compareAnswers,
  type Given,
  type HashedPolicy,
  inForceAlone,
  noAnswers,
  type Parting,
} from '@interlock/deployment'
import { type Fact, say } from '@interlock/policy'
import { noPolicy } from './decide.ts'
import type { Desk } from './desk.ts'
import { type DeploymentRecord, generationOf, type ShadowPolicy } from './record.ts'
import { answerOf } from './standing.ts'
import { becauseOf } from './words.ts'

/**
 * The policy on trial: evaluated on the same counts beside the one in force. It changes `shadow` of the record and lays out
 * disagreements; no decision is made for it, so that it takes no place in the sequence, the ledger or the alerts.
 */

/** Puts a policy on trial for the generation that begins; null puts none. What the one before leaves open is told first. */
export function beginShadow(record: DeploymentRecord, desk: Desk, policy: HashedPolicy | null): DeploymentRecord {
  const { shadow: _, ...others } = endShadow(record, desk)
  if (policy === null) return others
  const shadow: ShadowPolicy = {
    hash: policy.hash,
    policy: policy.policy,
    inForce: record.policy?.hash ?? noPolicy,
    generation: generationOf(record),
    since: desk.time,
    answers: noAnswers,
    silent: policy.policy.guardrails.map(({ id }) => id),
  }
  return { ...others, shadow }
}

/**
 * Compares what both policies ask for after one whole pane.
 *
 * @param record  after the policy in force was answered
 * @param before  as both policies found it
 */
export function compareWithShadow(
  record: DeploymentRecord,
  before: DeploymentRecord,
  { answer, shadow: told }: { readonly answer: Answer | null; readonly shadow: EvidenceOut['shadow'] },
  desk: Desk,
): DeploymentRecord {
  const { shadow, policy } = record
  if (shadow === undefined || policy === null) return record
  const seen = told?.policy === shadow.hash ? told.guardrails : []
  const supposed = answerOf(shadow.policy, { guardrails: seen }, before, desk).answer
  const { after, partings } = compareAnswers(shadow.answers, {
    shadow: givenOf(supposed, { ...before, policy: shadow }, desk),
    'in-force': givenOf(answer, before, desk),
  })
  for (const parting of partings) tell(record, shadow, parting, desk)
  const spoke = new Set(seen.filter(({ evidence }) => evidence.status === 'ok').map(({ guardrail }) => guardrail))
  const silent = shadow.silent.filter((id) => !spoke.has(id))
  return { ...record, shadow: { ...shadow, answers: after, silent } }
}

/** The watched version leaves, or the generation ends: the policy on trial can say no more about it. */
export function endShadow(record: DeploymentRecord, desk: Pick<Desk, 'outs'>): DeploymentRecord {
  const { shadow } = record
  if (shadow === undefined) return record
  const { after, partings } = inForceAlone(shadow.answers)
  for (const parting of partings) tell(record, shadow, parting, desk)
  return { ...record, shadow: { ...shadow, answers: after } }
}

function givenOf(answer: Answer | null, record: DeploymentRecord, desk: Desk): Given | null {
  if (answer === null || record.evidence === null) return null
  const { pane, paneMs, hash } = record.evidence
  const { leading } = answer.about
  return {
    act: answer.act,
    version: (record.candidate ?? record.stable).version,
    at: desk.time,
    dataTo: pane + paneMs,
    rule: leading.guardrail.id,
    because: becauseOf(leading, record, desk),
    evidence: hash,
  }
}

function tell(
  record: DeploymentRecord,
  shadow: ShadowPolicy,
  { by, given, afterMs, instead }: Parting,
  desk: Pick<Desk, 'outs'>,
): void {
  const { act, version, at, rule, because, evidence } = given
  const fact: Fact = { kind: 'disagreement', by, act, version, at, afterMs, instead, because }
  desk.outs.push({
    kind: 'disagreement',
    deployment: record.deployment,
    generation: shadow.generation,
    at,
    by,
    action: act,
    afterMs,
    rule,
    facts: fact,
    text: say(fact).text,
    evidence,
    inForce: shadow.inForce,
    shadow: shadow.hash,
  })
}
