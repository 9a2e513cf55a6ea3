import { contentHash, type LogTime, type StateOut } from '@interlock/contracts'
import { attentionOf, evidenceIsFresh, severityOf } from '@interlock/deployment'
import { standingExceptions } from '@interlock/policy'
import type { Desk } from './desk.ts'
import { type DeploymentRecord, type ShadowPolicy, viewOf } from './record.ts'
import { blockersOf } from './rollout.ts'
import { enginesOf, judgedOf } from './standing.ts'
import { blockedSentences, headline, verdictsOf } from './words.ts'

/** Lays out the deployment's state where a person would see something new. Not a decision. */
export function show(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const state = stateOf(record, desk)
  const shown = contentHash({ ...state, at: 0 })
  if (shown === record.shown) return record
  desk.outs.push(state)
  return { ...record, shown }
}

function stateOf(record: DeploymentRecord, desk: Desk): StateOut {
  const { policy, evidence, command, rollout, incident, lostAt, shadow } = record
  const judged = judgedOf(record)
  const exceptions = policy === null ? [] : standingExceptions(policy.policy, desk.time)
  const isBraked = record.holds.some(({ owner }) => owner === 'brake')
  const attention = attentionOf({
    order: record.order,
    command: command?.state ?? null,
    waitsForPerson: incident !== null || isBraked,
    watched: policy !== null && lostAt === null && evidenceIsFresh(policy.policy, evidence, desk.time),
    holds: record.holds.length,
    verdicts: judged.map(({ verdict }) => verdict),
  })
  return {
    kind: 'state',
    deployment: record.deployment,
    at: desk.time,
    view: viewOf(record),
    attention,
    sentence: headline(record, attention === 'healthy'),
    engines: enginesOf(record, desk),
    blocked: severityOf(record.order) > 0 ? [] : blockedSentences(blockersOf(record, judged, desk), record, desk),
    verdicts: verdictsOf(judged, record, desk),
    stageSince: rollout?.clock.from ?? null,
    command:
      command === null
        ? null
        : {
            order: command.first,
            state: command.state,
            desired: command.desired,
            decision: command.decision,
            times: lifecycleTimes(command.times),
          },
    dataTo: record.dataTo,
    ...(exceptions.length === 0 ? {} : { exceptions }),
    ...(shadow === undefined ? {} : { shadow: shownShadow(shadow) }),
  }
}

function shownShadow({ hash, policy, since, silent }: ShadowPolicy): NonNullable<StateOut['shadow']> {
  return { policy: hash, name: policy.name, since, silent }
}

/** Renewals of a grant are no news. */
function lifecycleTimes(times: Readonly<Record<string, LogTime>>): Readonly<Record<string, LogTime>> {
  const { renewed: _, progress: __, ...told } = times
  return told
}
