import {
  deploymentId,
  type Hash,
  type PersonId,
  type Request,
  type RequestRecord,
  severities,
  unreachable,
} from '@interlock/contracts'
import {
  failedRegistrationCheck,
  isHeldBy,
  releasableByPerson,
  severityOf,
  unknownNames,
  withApproval,
} from '@interlock/deployment'
import { halt, rollBack, rollbackChoices } from './act.ts'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import { authorsOf, baselineOf, manifestOf, onlyManifest, policyOf } from './documents.ts'
import { hold, release } from './holding.ts'
import { type DeploymentRecord, newRecord } from './record.ts'
import { has, refuse, refuseRole } from './refuse.ts'
import { restore } from './restore.ts'
import { startRollout } from './rollout.ts'
import { approvalOf } from './standing.ts'
import { watch } from './watch.ts'

type Of<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>

/** Roles that may raise severity: one person, at once. */
const raisers = ['deployer', 'on-call', 'release-approver']

/** Decides a person's request about a registered deployment. Each ends in a decision, or changes nothing again. */
export function decideRequest(record: DeploymentRecord, { by, request }: RequestRecord, desk: Desk): DeploymentRecord {
  switch (request.kind) {
    case 'document':
    case 'register':
      return record
    case 'approve':
      return approve(record, by, request, desk)
    case 'rollout':
      return rollout(record, by, request, desk)
    case 'rollback':
      return rollback(record, by, request, desk)
    case 'hold':
      if (!has(desk, by, raisers)) return refuseRole(record, desk, by, 'hold', raisers)
      if (isHeldBy(record.holds, `person:${by}`))
        return refuse(record, desk, by, 'hold', `${by} holds it already`, 'release it when it may go on')
      return hold(record, desk, `person:${by}`, request.reason, { rule: 'request', by })
    case 'release-hold':
      return releaseHold(record, by, request, desk)
    case 'halt':
      if (!has(desk, by, raisers)) return refuseRole(record, desk, by, 'halt', raisers)
      if (severityOf(record.order) >= severities.halt) {
        return refuse(
          record,
          desk,
          by,
          'halt',
          'a stronger order stands already',
          'two people can end it with a restore',
        )
      }
      return halt(record, desk, { rule: 'request', because: request.reason, by })
    case 'restore':
      return restore(record, by, desk)
    default:
      return unreachable(request)
  }
}

/**
 * Registers a deployment, or takes a changed document of one that is registered.
 *
 * @returns a sentence where the request names nothing that could be registered
 */
export function register(
  record: DeploymentRecord | undefined,
  by: PersonId,
  request: Of<'register'>,
  desk: Desk,
): DeploymentRecord | { readonly refused: string } {
  const { documents } = desk.shard
  const document = documents[request.document]?.document
  if (document?.kind !== 'deployment') return { refused: 'the deployment document that it names was not sent' }
  if (deploymentId(document.deployment) === undefined) {
    return { refused: 'its id is not made of 1 to 63 lower-case letters, digits and dashes' }
  }
  if (document.deployment !== request.deployment) return { refused: `its document describes ${document.deployment}` }
  if (document.environment !== desk.config.environment) {
    return { refused: `its document is for environment "${document.environment}"` }
  }
  if (!has(desk, by, ['deployer'])) return { refused: `${by} may not register: the role deployer is missing` }
  const object = request.document
  if (record?.documentHash === object) return record
  const failed = failedRegistrationCheck(document)
  const fact = { kind: 'registered', deployment: document.deployment, version: document.stable } as const
  if (record !== undefined) {
    if (failed !== null) return refuse(record, desk, by, 'registration', failed.check, failed.fix)
    if (record.rollout !== null) {
      return refuse(record, desk, by, 'registration', 'a rollout is running', 'let it end first')
    }
    const version = record.stable.version
    const ruling = { outcome: 'registered', rule: 'request', by, fact: { ...fact, version }, object } as const
    return decide(record, desk, ruling, (same) => {
      const changed = { ...same, document, documentHash: request.document, documentApproved: false }
      return changed.watching === null
        ? changed
        : watch(changed, desk, changed.watching.stable, changed.watching.candidate)
    })
  }
  if (failed !== null) return { refused: `${failed.check}; ${failed.fix}` }
  const stable = onlyManifest(documents, document.stable)
  if ('refused' in stable) return stable
  if (baselineOf(documents, stable.baseline) === null) return { refused: `no baseline of ${document.stable} was sent` }
  const fresh = newRecord(document, request.document, stable, desk.time)
  return decide(fresh, desk, { outcome: 'registered', rule: 'request', by, fact, object })
}

function approve(
  record: DeploymentRecord,
  by: PersonId,
  { object, comment }: Of<'approve'>,
  desk: Desk,
): DeploymentRecord {
  const { documents } = desk.shard
  const document = documents[object]?.document
  if (document === undefined)
    return refuse(record, desk, by, 'approval', 'its document is not known', 'send the document first')
  const role = document.kind === 'policy' ? 'policy-approver' : 'release-approver'
  if (!has(desk, by, [role])) return refuseRole(record, desk, by, 'approval', [role])
  if (authorsOf(documents, object).includes(by)) {
    return refuse(record, desk, by, 'approval', `${by} had a hand in it`, 'ask another person')
  }
  if (document.kind === 'policy') {
    const baseline = baselineOf(documents, record.stable.baseline)
    const unknown = baseline === null ? [] : unknownNames(document.policy, baseline.spec)
    if (unknown.length > 0) {
      return refuse(
        record,
        desk,
        by,
        'approval',
        `the policy names ${unknown[0]}, which nobody counts`,
        'correct the policy',
      )
    }
  }
  const isRepeated = record.approvals.some((each) => each.object === object && each.by === by)
  const approvals = withApproval(record.approvals, { object, by, at: desk.time, comment })
  const signed = { ...record, approvals }
  if (isRepeated && (record.policy !== null || document.kind !== 'policy')) return inForce(signed, object, desk)
  const what =
    document.kind === 'policy' ? `the policy "${document.policy.name}"` : `the ${document.kind} ${object.slice(0, 8)}`
  const fact = { kind: 'approved', what, by } as const
  const ruling = { outcome: 'approved', rule: 'request', by, fact, object } as const
  return decide(signed, desk, ruling, (same) => inForce(same, object, desk))
}

/** Puts a document in force that has its approvals. A policy of a watched deployment waits for the next rollout. */
function inForce(record: DeploymentRecord, object: Hash, desk: Desk): DeploymentRecord {
  if (object === record.documentHash) {
    return approvalOf(record, desk, object, 'release-approver').ok ? { ...record, documentApproved: true } : record
  }
  const document = policyOf(desk.shard.documents, object)
  if (document === null || record.policy !== null) return record
  if (!approvalOf(record, desk, object, 'policy-approver').ok) return record
  const policy = { hash: object, policy: document.policy }
  return watch({ ...record, phase: 'steady', policy, watchedSince: desk.time }, desk, record.stable, null)
}

function rollout(record: DeploymentRecord, by: PersonId, request: Of<'rollout'>, desk: Desk): DeploymentRecord {
  if (!has(desk, by, ['deployer'])) return refuseRole(record, desk, by, 'rollout', ['deployer'])
  const { documents } = desk.shard
  const manifest = manifestOf(documents, request.manifest)
  const policy = policyOf(documents, request.policy)
  const shadow = request.shadow === undefined ? undefined : policyOf(documents, request.shadow)
  return startRollout(record, desk, {
    candidate: request.candidate,
    manifest: manifest === null ? null : { hash: request.manifest, document: manifest },
    policy: policy === null ? null : { hash: request.policy, policy: policy.policy },
    policyApproved:
      record.policy?.hash === request.policy || approvalOf(record, desk, request.policy, 'policy-approver').ok,
    shadow: shadow == null ? shadow : { hash: request.shadow as Hash, policy: shadow.policy },
    by,
  })
}

function rollback(record: DeploymentRecord, by: PersonId, request: Of<'rollback'>, desk: Desk): DeploymentRecord {
  if (!has(desk, by, raisers)) return refuseRole(record, desk, by, 'rollback', raisers)
  const no = (check: string, fix: string): DeploymentRecord => refuse(record, desk, by, 'rollback', check, fix)
  if (severityOf(record.order) > severities.rollBack)
    return no('a fallback stands', 'two people can end it with a restore')
  const { target } = request
  // A second press of the button must not go back one version further.
  const isAlready =
    severityOf(record.order) === severities.rollBack && (target ?? record.stable.version) === record.stable.version
  if (isAlready) return no(`it is rolled back to ${record.stable.version} already`, 'watch it become verified')
  const choices = rollbackChoices(record, target).filter(({ version }) => !record.rolledBack.includes(version))
  if (choices.length === 0) return no('there is no earlier version', 'halt it, or roll out a good version')
  if (target !== undefined && choices[0]?.version !== target) {
    return no(
      `${target} is no earlier version that may serve`,
      `name one of: ${choices.map(({ version }) => version).join(', ')}`,
    )
  }
  return rollBack(record, desk, { rule: 'request', because: request.reason, by }, target)
}

function releaseHold(
  record: DeploymentRecord,
  by: PersonId,
  request: Of<'release-hold'>,
  desk: Desk,
): DeploymentRecord {
  const roles = ['deployer', 'on-call']
  if (!has(desk, by, roles)) return refuseRole(record, desk, by, 'release', roles)
  const owners = releasableByPerson(record.holds)
  if (owners.length === 0) {
    return refuse(record, desk, by, 'release', 'no hold of a person is open', 'a hold of the machine ends by evidence')
  }
  const wasExpired = isHeldBy(record.holds, 'expired')
  const free = release(record, desk, owners, 'request', request.reason, by)
  if (!wasExpired || free.rollout === null) return free
  // The person gives the stage its time once more, from the next closed pane.
  const end = free.evidence === null ? null : free.evidence.pane + free.evidence.paneMs
  return { ...free, rollout: { ...free.rollout, clock: { ...free.rollout.clock, from: end, rows: 0 } } }
}
