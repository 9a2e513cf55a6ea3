import { type ProvisionalOut, severities } from '@interlock/contracts'
import { isHeldBy, judge, policyAt, severityOf } from '@interlock/deployment'
import type { Desk } from './desk.ts'
import { hold, release } from './holding.ts'
import { type DeploymentRecord, generationOf, provisionalOwner, shareOf } from './record.ts'
import { watchedOf } from './standing.ts'
import { becauseOf } from './words.ts'

/**
 * Takes provisional evidence, of open panes: it may hold and nothing else. What would be a breach that acts stops promotion
 * until its panes are closed; it moves no traffic, calls nobody and opens no incident.
 *
 * It depends on what the evaluator had when it looked. So two runs over the same rows may differ in the holds of this
 * owner, in their releases, and in how long a promotion waited for them; in no other decision.
 */
export function foresee(record: DeploymentRecord, out: ProvisionalOut, desk: Desk): DeploymentRecord {
  const { policy, holds, dataTo } = record
  if (policy === null || out.generation !== generationOf(record)) return record
  // Above a hold there is nothing to hold; beside a hold on closed evidence there is nothing to add.
  if (severityOf(record.order) !== severities.normal || isHeldBy(holds, 'data')) return record
  const { breaches } = judge(policyAt(policy.policy, out.pane), out, watchedOf(record))
  const breach = breaches.find(({ action }) => action !== 'watch')
  if (breach === undefined) return record
  const { guardrail, evidence } = breach.leading
  const to = evidence.evidence.dataTo
  if ((dataTo ?? 0) >= to || isHeldBy(holds, `guardrail:${guardrail.id}`)) return record
  if (isHeldBy(holds, provisionalOwner)) return { ...record, provisionalTo: Math.max(to, record.provisionalTo ?? to) }
  const because = becauseOf(breach.leading, record, desk)
  const candidate = record.candidate?.version ?? null
  return hold({ ...record, provisionalTo: to }, desk, provisionalOwner, because ?? guardrail.id, {
    rule: `${provisionalOwner}:${guardrail.id}`,
    fact: { kind: 'held-early', candidate, share: shareOf(record), because },
    guardrail: evidence,
    provisional: true,
  })
}

/** Ends the provisional hold once whole panes are closed up to where it looked: what it saw has acted by now, or was nothing. */
export function settleForesight(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  if (!isHeldBy(record.holds, provisionalOwner)) return record
  if ((record.dataTo ?? 0) < (record.provisionalTo ?? 0)) return record
  const isCalm = record.holds.length === 1 && severityOf(record.order) === severities.normal
  const because = isCalm ? 'All is counted now, and no limit is passed.' : 'All is counted now.'
  return { ...release(record, desk, [provisionalOwner], provisionalOwner, because), provisionalTo: null }
}
