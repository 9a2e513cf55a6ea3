import type { AgentId, Command, Desired, Hash, LogTime, Order } from '@interlock/contracts'
import { type CommandRecord, type CommandWord, grantFor, revised } from '@interlock/deployment'
import { noPolicy } from './decide.ts'
import type { Desk } from './desk.ts'
import type { DeploymentRecord } from './record.ts'

/** Issues a command: the whole desired state under an order that is higher than all before it. */
export function issue(
  record: DeploymentRecord,
  desk: Desk,
  { order, what, desired, decision }: { order: Order; what: CommandWord; desired: Desired; decision: Hash },
): DeploymentRecord {
  const command: CommandRecord = {
    first: order,
    order,
    what,
    desired,
    grant: record.policy === null ? null : grantFor(record.policy.policy, desired),
    decision,
    policy: record.policy?.hash ?? noPolicy,
    state: 'issued',
    sent: 1,
    escalation: null,
    verifiedBy: null,
    times: { issued: desk.time, sent: desk.time },
  }
  send(record, command, desk, isOpen(record.command) ? record.command.first : undefined)
  return { ...record, order, command }
}

/** Not ended yet: whatever replaces it says so, for each command ends verified, superseded or rejected. */
function isOpen(command: CommandRecord | null): command is CommandRecord {
  return command !== null && !['verified', 'superseded', 'rejected'].includes(command.state)
}

/** Renews the grant: the same desired state as a newer revision. No decision, and what was verified stays verified. */
export function renew(record: DeploymentRecord, command: CommandRecord, desk: Desk): DeploymentRecord {
  const order = revised(record.order)
  const renewed = { ...command, order, times: { ...command.times, renewed: desk.time } }
  send(record, renewed, desk)
  return { ...record, order, command: renewed }
}

/** Lays the command out for the publisher. Sent again, it is the same bytes. A stuck one goes by the second path too. */
export function send(record: DeploymentRecord, command: CommandRecord, desk: Desk, supersedes?: Order): void {
  desk.outs.push({
    kind: 'command',
    command: commandOf(record, command, desk.config.environment),
    ...(command.state === 'escalated' ? { escalated: true } : {}),
    ...(supersedes === undefined ? {} : { supersedes }),
  })
}

function commandOf(record: DeploymentRecord, command: CommandRecord, environment: string): Command {
  return {
    v: 1,
    environment,
    audience: record.document.platform.agent as AgentId,
    deployment: record.deployment,
    issuedAt: issuedAt(command),
    order: command.order,
    desired: command.desired,
    grant: command.grant,
    because: command.decision,
    policy: command.policy,
  }
}

/** When the newest revision of the command was made. */
export function issuedAt(command: CommandRecord): LogTime {
  return command.times.renewed ?? command.times.issued ?? 0
}
