import type { AgentId, Command, DeploymentId, Desired, KeysetDocument } from '@interlock/contracts'
import { severities, verifyCommand } from '@interlock/contracts'
import type { VerifiedCommand } from './reconciler.ts'

/** A command that was not accepted, with the reason; counted and logged, never acted on. */
export type Verified = VerifiedCommand | { readonly refused: string }

/** The keyset in force, as far as a command's check needs it. */
export type KeysInForce = Pick<KeysetDocument, 'keys' | 'expires'>

const digest = /^[0-9a-f]{64}$/

/**
 * The checks of docs/agent-protocol.md "Verification", in one function: the same for a command that came by the topic and
 * for one that came by the second path.
 *
 * An expired keyset still lets hold, halt and rollback through: what makes a platform safer must not wait for a key
 * ceremony. It lets nothing through that would expose more.
 *
 * @param keyset asked for each command, so that a reloaded keyset counts from the next command on
 * @param now milliseconds since 1970, for the keyset's expiry
 */
export function commandCheck(
  mine: { readonly environment: string; readonly agent: AgentId; readonly deployments: ReadonlySet<DeploymentId> },
  keyset: () => KeysInForce,
  now: () => number,
): (bytes: Uint8Array) => Verified {
  return (bytes) => {
    const { keys, expires } = keyset()
    const verified = verifyCommand(bytes, keys)
    if (!verified.ok) return { refused: `${verified.reason}: ${verified.detail}` }
    const command = verified.value
    if (command.environment !== mine.environment) return { refused: `it is for environment "${command.environment}"` }
    if (command.audience !== mine.agent) return { refused: `it is for agent "${command.audience}"` }
    if (!mine.deployments.has(command.deployment)) return { refused: `it is for deployment "${command.deployment}"` }
    const unlawful = unlawfulPart(command)
    if (unlawful !== undefined) return { refused: `its ${unlawful}` }
    if (expires !== undefined && now() >= expires && command.order[2] < severities.halt)
      return { refused: 'the keyset has expired: only halt, ramp down, roll back and fall back are carried out' }
    return { command, signed: bytes }
  }
}

/** What the schema's types leave open: a signature does not make a share of 7 or a digest of three letters lawful. */
function unlawfulPart({ order, desired, grant, because, policy, issuedAt }: Command): string | undefined {
  if (!order.every((part) => Number.isSafeInteger(part) && part >= 0))
    return `order ${JSON.stringify(order)} is not four whole numbers`
  const wishes: Desired[] = [desired, ...(grant?.onLapse ?? []).map((step) => step.desired)]
  for (const { target, candidate, shareMax } of wishes) {
    if (!digest.test(target) || !(candidate === null || digest.test(candidate)))
      return 'target or candidate is no SHA-256 in lower-case hex'
    if (!(shareMax >= 0 && shareMax <= 1)) return `share ${shareMax} is not from 0 to 1`
  }
  if (!digest.test(because) || !digest.test(policy)) return '"because" or "policy" is no SHA-256 in lower-case hex'
  if (!(issuedAt >= 0)) return `time ${issuedAt} is before 1970`
  if (grant !== null && !(grant.ms >= 0 && grant.onLapse.every((step) => step.afterMs >= 0)))
    return 'grant has a negative time'
  return undefined
}
