import {
  type Command,
  contentTypes,
  type FactRecord,
  type Order,
  type PersonId,
  type RequestRecord,
  sha256,
  signCommand,
  signFact,
  signRequest,
} from '@interlock/contracts'
import { agentName, digestOf, environment, healthy, row, signerNamed, versionOf } from './cast.ts'
import { expectHeader } from './check-counts.ts'
import type { Chance } from './streams.ts'

/** Header that the world puts on what it forges: the oracle knows it, production code does not look at it. */
export const hostileHeader = 'x-hostile'

export interface Forged {
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/** A record of the events' topic that is no lawful message, and what must become of it. */
export function hostileEvent(chance: Chance, deployment: string, now: number): Forged {
  const json = (text: string, expect: string): Forged => ({
    value: Buffer.from(text, 'utf8'),
    headers: { 'content-type': contentTypes.json, [expectHeader]: expect },
  })
  const of = {
    id: 'h',
    deployment,
    generation: 0,
    version: versionOf(deployment, 1),
    variant: 'stable',
    eventTimeMs: now,
  } as const
  const good = row(chance, healthy, of)
  switch (chance.below(7)) {
    case 0:
      return json('{"records":[{"id":', 'malformed=1')
    case 1:
      return {
        value: Buffer.from([0, 255, 255, 255, 255, 1]),
        headers: { 'content-type': contentTypes.avro, [expectHeader]: 'unknown-schema=1' },
      }
    case 2:
      return json(`${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'malformed=1')
    case 3:
      return json(JSON.stringify({ records: [{ ...good, latencyMs: 'soon', variant: 7 }] }), 'wrong-type=1')
    case 4:
      return json(JSON.stringify({ ...good, deployment: '__proto__' }), 'unregistered=1')
    case 5:
      return { value: Buffer.from('hello'), headers: { 'content-type': 'text/plain', [expectHeader]: 'malformed=1' } }
    default:
      return json('{"__proto__":{"records":[]},"constructor":1}', 'malformed=1')
  }
}

/** A request that nobody may get anything by. */
export function hostileRequest(chance: Chance, deployment: string, id: string): Forged {
  const request = { kind: 'rollback', deployment: deployment as never, reason: 'forged' } as const
  const record: RequestRecord = { v: 1, id, environment, by: 'ada' as PersonId, request }
  const headers = { [hostileHeader]: '1' }
  switch (chance.below(6)) {
    case 0:
      // A key that is in no keyset.
      return { value: signRequest(record, signerNamed('mallory')), headers }
    case 1:
      // Another person's key.
      return { value: signRequest(record, signerNamed('vic')), headers }
    case 2:
      return { value: signRequest({ ...record, environment: 'elsewhere' }, signerNamed('ada')), headers }
    case 3:
      return { value: flipped(chance, signRequest(record, signerNamed('ada'))), headers }
    case 4:
      // The agent's key is no person's.
      return { value: signRequest({ ...record, by: agentName as string as PersonId }, signerNamed(agentName)), headers }
    default:
      return { value: Buffer.from('not an envelope'), headers }
  }
}

/** A fact that must change nothing: of another agent, altered, by a person's key. */
export function hostileFact(chance: Chance, deployment: string, order: Order): Forged {
  const fact: FactRecord = {
    v: 1,
    environment,
    deployment: deployment as never,
    by: agentName,
    fact: {
      kind: 'lapsed',
      order,
      desired: {
        target: digestOf(versionOf(deployment, 1)),
        candidate: null,
        shareMax: 0,
        shadow: false,
        pace: 'at-once',
        fallback: true,
      },
    },
  }
  const headers = { [hostileHeader]: '1' }
  switch (chance.below(5)) {
    case 0:
      return {
        value: signFact({ ...fact, by: 'other-agent' as typeof agentName }, signerNamed('other-agent')),
        headers,
      }
    case 1:
      return { value: signFact(fact, signerNamed('mallory')), headers }
    case 2:
      return { value: signFact(fact, signerNamed('notifier')), headers }
    case 3:
      return { value: flipped(chance, signFact(fact, signerNamed(agentName))), headers }
    default:
      return { value: signFact({ ...fact, environment: 'elsewhere' }, signerNamed(agentName)), headers }
  }
}

/** A command that no agent may act upon, made to look like the highest. */
export function hostileCommand(chance: Chance, real: Command): Forged {
  const [generation, epoch, severity, revision] = real.order
  const order: Order = [generation, epoch, Math.max(severity, 3), revision + 1 + chance.below(5)]
  const target = digestOf(versionOf(real.deployment, 9))
  const evil: Command = {
    ...real,
    order,
    because: sha256('forged'),
    grant: null,
    desired: { target, candidate: null, shareMax: 0, shadow: false, pace: 'at-once', fallback: false },
  }
  const headers = {
    [hostileHeader]: '1',
    kind: 'command',
    order: order.join('.'),
    source: `log.governor/0/${2 ** 40}/0`,
  }
  switch (chance.below(6)) {
    case 0:
      return { value: signCommand(evil, signerNamed('mallory')), headers }
    case 1:
      // Rightly signed for another environment.
      return { value: signCommand({ ...evil, environment: 'elsewhere' }, signerNamed('governor')), headers }
    case 2:
      return {
        value: signCommand({ ...evil, audience: 'other-agent' as typeof agentName }, signerNamed('governor')),
        headers,
      }
    case 3:
      // A role that may sign other things.
      return { value: signCommand(evil, signerNamed(chance.of([agentName, 'ada', 'notifier', 'fleet']))), headers }
    case 4:
      return { value: flipped(chance, signCommand(evil, signerNamed('governor'))), headers }
    default:
      return { value: Buffer.from('{}'), headers }
  }
}

function flipped(chance: Chance, bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = chance.below(copy.length)
  copy[at] = copy[at]! ^ (1 << chance.below(8))
  return copy
}
