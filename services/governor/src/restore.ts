import { type PersonId, severities } from '@interlock/contracts'
import { restored, severityOf } from '@interlock/deployment'
import { issue } from './command.ts'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import { authorsOf } from './documents.ts'
import { type AgreedRestore, type DeploymentRecord, withoutCandidate } from './record.ts'
import { has, refuse, refuseRole } from './refuse.ts'
import { beginGeneration } from './rollout.ts'
import { watch } from './watch.ts'

/** A first signature under a restore waits so long for the second. */
export const restoreWithinMs = 30 * 60_000

/**
 * Lowers severity: two people, neither the deployer nor an author of the policy. The second signature is a decision; the command
 * follows once the ledger holds it (docs/reliability.md §2).
 */
export function restore(record: DeploymentRecord, by: PersonId, desk: Desk): DeploymentRecord {
  const roles = ['on-call', 'release-approver']
  const no = (check: string, fix: string): DeploymentRecord => refuse(record, desk, by, 'restore', check, fix)
  if (!has(desk, by, roles)) return refuseRole(record, desk, by, 'restore', roles)
  if (severityOf(record.order) === severities.normal)
    return no('nothing stands that could be restored', 'release a hold instead')
  if (record.agreedRestore !== null) return no('two people have signed already', 'wait until the ledger has it')
  const { policy } = record
  const authors = policy === null ? [] : authorsOf(desk.shard.documents, policy.hash)
  if (by === record.deployer || authors.includes(by)) {
    return no(`${by} started the rollout or wrote its policy`, 'ask two other people')
  }
  const wish = record.restoreWish
  const isOpen = wish !== null && desk.time - wish.at <= restoreWithinMs && wish.by !== by
  if (!isOpen || wish === null) {
    const first = { kind: 'approved', what: 'the restore; a second person must sign as well', by } as const
    return decide(record, desk, { outcome: 'approved', rule: 'restore', by, fact: first }, (same) => ({
      ...same,
      restoreWish: { by, at: desk.time },
    }))
  }
  const both = { kind: 'approved', what: 'the restore; it is carried out once the ledger has it', by } as const
  return decide(record, desk, { outcome: 'approved', rule: 'restore', by, fact: both }, (same, decision) => ({
    ...same,
    restoreWish: null,
    agreedRestore: { decision, by: wish.by, second: by, order: same.order },
  }))
}

/** Both signatures are in the ledger: the command that lowers severity, in the name of that decision. */
export function carryOutRestore(record: DeploymentRecord, agreed: AgreedRestore, desk: Desk): DeploymentRecord {
  const { policy, suspended } = record
  const { by, second, decision: signed } = agreed
  const candidate = record.candidate ?? suspended?.candidate ?? null
  const version = (candidate ?? record.stable).version
  const fact = { kind: 'restored', version, by, second } as const
  return decide(record, desk, { outcome: 'restored', rule: 'restore', by: second, fact }, (same) => {
    const order = restored(same.order)
    const rolledBack = same.rolledBack.filter((each) => each !== version)
    const lowered: DeploymentRecord = { ...same, order, rolledBack, suspended: null, faultFrom: null }
    if (candidate === null || policy === null) {
      const steady: DeploymentRecord = { ...lowered, phase: 'steady', candidate: null, rollout: null }
      const watched = watch(steady, desk, same.stable, null)
      return issue(watched, desk, {
        order,
        what: 'restore',
        desired: withoutCandidate(same.stable),
        decision: signed,
      })
    }
    // A new generation: the old evidence spoke its verdict, the restored exposure is judged on its own.
    const resumeAt = same.rollout?.clock.index ?? suspended?.stageIndex ?? 0
    const begun = beginGeneration(lowered, desk, {
      candidate,
      by: second,
      decision: signed,
      resumeAt,
      shadow: lowered.shadow ?? null,
    })
    const desired = same.command?.desired.fallback === false ? same.command.desired : withoutCandidate(same.stable)
    return issue(begun, desk, { order, what: 'restore', desired, decision: signed })
  })
}
