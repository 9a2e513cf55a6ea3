import { severities } from '@interlock/contracts'
import { raised, rollbackTarget } from '@interlock/deployment'
import type { Fact } from '@interlock/policy'
import { rollbackChoices } from './act.ts'
import { issue } from './command.ts'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import { type DeploymentRecord, recordBounds, withoutCandidate } from './record.ts'
import { escalateNow } from './settle.ts'
import { watch } from './watch.ts'

/**
 * The platform cannot activate what it was ordered to. A rollback whose target is missing, unsigned or broken goes to the next
 * verified version instead, as a newer revision of the same severity; each version is tried once. Where none is left, and for
 * any other command, a person is called (docs/reliability.md F26).
 */
export function notActivated(record: DeploymentRecord, desk: Desk, reason: string): DeploymentRecord {
  const { command, stable } = record
  const order = raised(record.order, severities.rollBack)
  if (command?.what !== 'roll-back' || command.state === 'verified' || order === undefined) {
    return escalateNow(record, desk, 'failed', reason)
  }
  const failedTargets = [...record.failedTargets, stable.version].slice(-recordBounds.rolledBack)
  const failed: DeploymentRecord = { ...record, failedTargets }
  const choices = rollbackChoices(failed).filter(({ version }) => !failedTargets.includes(version))
  const { rolledBack, readiness } = record
  const target = rollbackTarget({ choices, serving: null, rolledBack, readiness }, desk.time)
  if (target === null) return escalateNow(failed, desk, 'failed', reason)
  const gone = record.watching?.candidate ?? stable
  const fact: Fact = {
    kind: 'rolled-back',
    from: gone.version,
    to: target.version,
    by: null,
    because: `The version that was to take over cannot be activated: ${reason}`,
  }
  return decide(failed, desk, { outcome: 'rolled-back', rule: 'retarget', fact }, (same, decision) => {
    const previous = [stable, ...same.previous.filter(({ version }) => version !== target.version)]
    const next = { ...same, order, stable: target, previous: previous.slice(0, recordBounds.previous) }
    const watched = watch(next, desk, target, gone)
    return issue(watched, desk, { order, what: 'roll-back', desired: withoutCandidate(target), decision })
  })
}
