import { canonicalJson, compareOrders } from '@interlock/contracts'
import { agentName, environment } from './cast.ts'
import type { DecisionChecks } from './check-decisions.ts'
import type { Disk } from './disk.ts'
import type { Change, ServingPlatform } from './platform.ts'
import type { Accuse } from './violation.ts'

/**
 * S2, S3 and S9 at the platforms, at each change: it comes from a command that the governor's valid run laid out, for this audience
 * and environment; never from a lower order than one before; it is what was ordered or less; more exposure comes from a command
 * that the agent would find again after a restart; and what becomes active is what the platform, asked in that very turn, said is
 * whole.
 */
export class PlatformChecks {
  private readonly decisions: DecisionChecks
  private readonly diskOf: (process: string) => Disk
  private readonly accuse: Accuse
  changes = 0

  constructor(decisions: DecisionChecks, diskOf: (process: string) => Disk, accuse: Accuse) {
    this.decisions = decisions
    this.diskOf = diskOf
    this.accuse = accuse
  }

  take(platform: ServingPlatform, { command, before, after, by, whole }: Change): void {
    this.changes += 1
    const { deployment } = platform
    const name = command.order.join('.')
    const say = (invariant: string, text: string): void =>
      this.accuse(invariant, deployment, `${by} changed the platform by command ${name}: ${text}`)
    const issued = this.decisions.about(command.deployment).issued.get(name)
    if (command.deployment !== deployment) say('S2', `it is for ${command.deployment}`)
    if (issued === undefined) say('S2', 'nobody issued it')
    else if (canonicalJson(issued.command) !== canonicalJson(command)) say('S2', 'it is not what was issued')
    if (command.environment !== environment) say('S2', `it is for environment ${command.environment}`)
    if (command.audience !== agentName) say('S2', `it is for ${command.audience}`)
    const higher = platform.changes.slice(0, -1).find((each) => compareOrders(each.command.order, command.order) > 0)
    // What raises severity waits for no disk: an agent that restarts on a full one may know less than it did.
    const isForgotten = higher?.by !== by && this.diskOf(by).hasLost(deployment)
    if (higher !== undefined && !isForgotten) say('S3', `${higher.command.order.join('.')} was applied before`)

    const { desired, grant } = command
    const lawful = [desired, ...(grant?.onLapse ?? []).map((step) => step.desired)]
    const fits = lawful.some(
      (one) =>
        after.stable === one.target &&
        after.fallback === one.fallback &&
        (after.candidate === one.candidate || after.candidate === null) &&
        after.share <= one.shareMax &&
        (!after.shadow || one.shadow),
    )
    if (!fits) say('S3', `it does something else: ${JSON.stringify(after)}`)
    const gained = after.candidate !== null && (after.share > before.share || after.candidate !== before.candidate)
    const active = [
      ...(gained && after.share + Number(after.shadow) > 0 ? [after.candidate] : []),
      ...(after.stable !== before.stable && !after.fallback ? [after.stable] : []),
    ]
    for (const target of active) {
      if (!whole.has(target))
        say('S9', `${target.slice(0, 8)} was activated, and the platform did not say that it is whole`)
    }
    if (gained && after.share > 0) {
      const known = this.diskOf(by).orderOf(deployment)
      if (known === undefined || compareOrders(known, command.order) < 0)
        say('S3', `it lends exposure, and a restart would find ${known?.join('.') ?? 'nothing'}`)
    }
  }
}
