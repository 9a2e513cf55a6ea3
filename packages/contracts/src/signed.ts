import { Malformed } from './avro/bytes.ts'
import { WrongShape, writeAvro } from './avro/write.ts'
import { canonicalJson } from './canonical.ts'
import type { Command } from './command.ts'
import type { KeyEntry, KeyRole } from './document.ts'
import { type Refused, refuse, type Signer, signEnvelope, verifyEnvelope } from './dsse.ts'
import type { Heartbeat } from './heartbeat.ts'
import { parseStrict } from './parse-strict.ts'
import type { FactRecord, RequestRecord } from './request.ts'
import { ownRegistry } from './schema-registry.ts'

/** DSSE payload types. One record type has one, so that no signature of one can stand under another. */
export const payloadTypes = {
  command: 'application/vnd.interlock.command+json',
  request: 'application/vnd.interlock.request+json',
  fact: 'application/vnd.interlock.fact+json',
  heartbeat: 'application/vnd.interlock.heartbeat+json',
} as const

/** A request may carry a document with a baseline, so its bound is that of a record in the log. */
export const maxRequestBytes = 1 << 20
/** A heartbeat names every shard of its process. */
export const maxHeartbeatBytes = 1 << 18

export type Verified<Content> = { readonly ok: true; readonly value: Content; readonly key: KeyEntry } | Refused

/** Envelope bytes of a command. @throws WrongShape when it has not the shape of schemas/command.avsc. */
export function signCommand(command: Command, signer: Signer): Uint8Array {
  return signRecord('command', command, signer)
}

/** Envelope bytes of a request. @throws WrongShape when it has not the shape of schemas/request.avsc. */
export function signRequest(request: RequestRecord, signer: Signer): Uint8Array {
  return signRecord('request', request, signer)
}

/** Envelope bytes of a fact. @throws WrongShape when it has not the shape of schemas/fact.avsc. */
export function signFact(fact: FactRecord, signer: Signer): Uint8Array {
  return signRecord('fact', fact, signer)
}

/** A command that the governor signed. Environment, audience and order are the agent's to check. */
export function verifyCommand(bytes: Uint8Array, keys: readonly KeyEntry[]): Verified<Command> {
  return verifyRecord<Command>('command', bytes, keys, ['governor'])
}

/** A request, signed by the key of the very person that it names. What the person may do is the governor's to check. */
export function verifyRequest(bytes: Uint8Array, keys: readonly KeyEntry[]): Verified<RequestRecord> {
  const verified = verifyRecord<RequestRecord>('request', bytes, keys, ['person'], maxRequestBytes)
  return verified.ok ? heldBy(verified, verified.value.by) : verified
}

/** A fact, signed by the key of the very agent that it names; `delivered` by the notifier's. */
export function verifyFact(bytes: Uint8Array, keys: readonly KeyEntry[]): Verified<FactRecord> {
  const verified = verifyRecord<FactRecord>('fact', bytes, keys, ['agent', 'notifier'])
  if (!verified.ok) return verified
  const role = verified.value.fact.kind === 'delivered' ? 'notifier' : 'agent'
  if (!verified.key.roles.includes(role)) {
    return refuse('wrong-role', `a fact "${verified.value.fact.kind}" needs a key of role ${role}`)
  }
  return heldBy(verified, verified.value.by)
}

/** Envelope bytes of a heartbeat. @throws WrongShape when it has not the shape of schemas/heartbeat.avsc. */
export function signHeartbeat(heartbeat: Heartbeat, signer: Signer): Uint8Array {
  return signRecord('heartbeat', heartbeat, signer)
}

/**
 * A heartbeat, signed by the key of the very component that it names. An agent's and the notifier's key speak for their own
 * process only: they cannot vouch for shards or for the probe.
 */
export function verifyHeartbeat(bytes: Uint8Array, keys: readonly KeyEntry[]): Verified<Heartbeat> {
  const roles = ['service', 'governor', 'fleet', 'agent', 'notifier'] as const
  const verified = verifyRecord<Heartbeat>('heartbeat', bytes, keys, roles, maxHeartbeatBytes)
  if (!verified.ok) return verified
  const { shards, probe, paged } = verified.value
  const vouches = shards.length > 0 || probe !== null || paged !== null
  if (vouches && !verified.key.roles.some((role) => role === 'service' || role === 'governor' || role === 'fleet')) {
    return refuse('wrong-role', `${verified.key.holder}'s key may speak for its own process only`)
  }
  return heldBy(verified, verified.value.by)
}

function signRecord(subject: keyof typeof payloadTypes, record: unknown, signer: Signer): Uint8Array {
  checkShape(subject, record)
  return signEnvelope(signer, payloadTypes[subject], Buffer.from(canonicalJson(record), 'utf8'))
}

function verifyRecord<Content>(
  subject: keyof typeof payloadTypes,
  bytes: Uint8Array,
  keys: readonly KeyEntry[],
  roles: readonly KeyRole[],
  maxBytes?: number,
): Verified<Content> {
  const payloadType = payloadTypes[subject]
  const verified = verifyEnvelope(bytes, { payloadType, roles, keys, ...(maxBytes === undefined ? {} : { maxBytes }) })
  if (!verified.ok) return verified
  try {
    const value = parseStrict(verified.payload)
    checkShape(subject, value)
    if (canonicalJson(value) !== Buffer.from(verified.payload).toString('utf8')) {
      return refuse('malformed', 'the payload is not canonical JSON')
    }
    return { ok: true, value: value as Content, key: verified.key }
  } catch (error) {
    if (error instanceof Malformed) return refuse('malformed', error.message)
    if (error instanceof WrongShape) return refuse('wrong-shape', error.message)
    throw error
  }
}

/** The Avro schema is the shape: what its writer takes has every field, of the right type, and no other. */
function checkShape(subject: keyof typeof payloadTypes, value: unknown): void {
  writeAvro(ownRegistry.newest(subject).node, value)
}

function heldBy<Content>(verified: Verified<Content> & { ok: true }, by: string): Verified<Content> {
  if (verified.key.holder === by) return verified
  return refuse('wrong-holder', `"${by}" is named, and the key that signed is ${verified.key.holder}'s`)
}
