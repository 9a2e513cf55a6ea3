import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { Malformed } from './avro/bytes.ts'
import { canonicalJson } from './canonical.ts'
import type { KeyEntry, KeyRole } from './document.ts'
import { sha256 } from './hash.ts'
import type { KeyId } from './ids.ts'
import { parseStrict } from './parse-strict.ts'

/**
 * DSSE envelopes (github.com/secure-systems-lab/dsse, protocol.md and envelope.md, v1.0) with one Ed25519 signature.
 *
 * Narrower than the specification where it leaves room: exactly one signature, canonical JSON, standard base64 with
 * padding. So an envelope has one form, and any other bytes are refused, also those that would decode alike.
 */
export interface DsseEnvelope {
  readonly payloadType: string
  readonly payload: string
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
}

/** Commands, facts and most requests are far smaller; a document with a baseline is not (`maxRequestBytes`). */
export const maxEnvelopeBytes = 64 * 1024

/** A private key with its public name. */
export interface Signer {
  readonly keyId: KeyId
  readonly privateKey: KeyObject
}

export type Refusal =
  | 'oversized'
  | 'malformed'
  | 'wrong-payload-type'
  | 'unknown-key'
  | 'wrong-role'
  | 'bad-key'
  | 'bad-signature'
  | 'wrong-shape'
  | 'wrong-holder'

export type Refused = { readonly ok: false; readonly reason: Refusal; readonly detail: string }
export type VerifiedEnvelope = { readonly ok: true; readonly payload: Uint8Array; readonly key: KeyEntry } | Refused

/** Name of a public key: the first 32 hex digits of SHA-256 over its SPKI bytes (DER). */
export function keyIdOf(spki: Uint8Array): KeyId {
  return sha256(spki).slice(0, 32) as string as KeyId
}

/** @throws TypeError for any key but an Ed25519 private key. */
export function signerOf(privateKey: KeyObject): Signer {
  if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519') {
    throw new TypeError(
      `a signer needs an Ed25519 private key, and this is ${privateKey.asymmetricKeyType} ${privateKey.type}`,
    )
  }
  return { keyId: keyIdOf(createPublicKey(privateKey).export({ type: 'spki', format: 'der' })), privateKey }
}

/** Bytes of the envelope: canonical JSON. */
export function signEnvelope(signer: Signer, payloadType: string, payload: Uint8Array): Uint8Array {
  const sig = sign(null, preAuthenticationEncoding(payloadType, payload), signer.privateKey)
  const envelope: DsseEnvelope = {
    payloadType,
    payload: base64(payload),
    signatures: [{ keyid: signer.keyId, sig: base64(sig) }],
  }
  return Buffer.from(canonicalJson(envelope), 'utf8')
}

/**
 * Payload of an envelope that a key of one of the roles signed as that type, and that key; or why not.
 *
 * The algorithm is never taken from the envelope: it is Ed25519, and a key of another kind is refused.
 */
export function verifyEnvelope(
  bytes: Uint8Array,
  wanted: {
    readonly payloadType: string
    readonly roles: readonly KeyRole[]
    readonly keys: readonly KeyEntry[]
    readonly maxBytes?: number
  },
): VerifiedEnvelope {
  const limit = wanted.maxBytes ?? maxEnvelopeBytes
  if (bytes.length > limit)
    return refuse('oversized', `the envelope has ${bytes.length} bytes, and ${limit} are allowed`)
  const envelope = parseEnvelope(bytes, limit)
  if ('ok' in envelope) return envelope
  if (envelope.payloadType !== wanted.payloadType) {
    return refuse('wrong-payload-type', `"${envelope.payloadType}" came where "${wanted.payloadType}" is expected`)
  }
  const [signature] = envelope.signatures
  const key = wanted.keys.find((entry) => entry.keyId === signature!.keyid)
  if (!key) return refuse('unknown-key', `no key in force is called ${signature!.keyid}`)
  if (!key.roles.some((role) => wanted.roles.includes(role))) {
    return refuse(
      'wrong-role',
      `${key.holder}'s key is for ${key.roles.join(', ')}, not for ${wanted.roles.join(', ')}`,
    )
  }
  const publicKey = publicKeyOf(key)
  if (!publicKey) return refuse('bad-key', `${key.holder}'s key ${key.keyId} is no Ed25519 key of that name`)
  const payload = Buffer.from(envelope.payload, 'base64')
  const signed = preAuthenticationEncoding(envelope.payloadType, payload)
  if (!verify(null, signed, publicKey, Buffer.from(signature!.sig, 'base64'))) {
    return refuse('bad-signature', `the signature does not fit ${key.holder}'s key`)
  }
  return { ok: true, payload: new Uint8Array(payload), key }
}

export function refuse(reason: Refusal, detail: string): Refused {
  return { ok: false, reason, detail }
}

/** What is signed: type and payload with their lengths, so that neither can be moved into the other. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `
  return Buffer.concat([Buffer.from(head, 'utf8'), payload])
}

function parseEnvelope(bytes: Uint8Array, maxBytes: number): DsseEnvelope | Refused {
  try {
    const json = parseStrict(bytes, { maxBytes })
    if (!isEnvelope(json)) return refuse('malformed', 'these bytes are JSON, but no DSSE envelope with one signature')
    if (canonicalJson(json) !== Buffer.from(bytes).toString('utf8')) {
      return refuse('malformed', 'the envelope is not canonical JSON')
    }
    return json
  } catch (error) {
    if (error instanceof Malformed) return refuse('malformed', error.message)
    throw error
  }
}

function isEnvelope(value: unknown): value is DsseEnvelope {
  if (!hasExactly(value, ['payload', 'payloadType', 'signatures'])) return false
  const { payload, payloadType, signatures } = value
  if (typeof payloadType !== 'string' || !isBase64(payload)) return false
  if (!Array.isArray(signatures) || signatures.length !== 1) return false
  const signature: unknown = signatures[0]
  return hasExactly(signature, ['keyid', 'sig']) && typeof signature.keyid === 'string' && isBase64(signature.sig)
}

function hasExactly(value: unknown, keys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const own = Object.keys(value)
  return own.length === keys.length && keys.every((key) => own.includes(key))
}

/** Standard base64 in its only form: the decoder is lenient, so the text must be what the encoder makes of it. */
function isBase64(value: unknown): value is string {
  return typeof value === 'string' && base64(Buffer.from(value, 'base64')) === value
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Keys are imported once. A pure cache: an entry always gives the same key. */
const imported = new WeakMap<KeyEntry, KeyObject | null>()

function publicKeyOf(entry: KeyEntry): KeyObject | null {
  let key = imported.get(entry)
  if (key === undefined) {
    key = importKey(entry)
    imported.set(entry, key)
  }
  return key
}

function importKey(entry: KeyEntry): KeyObject | null {
  const spki = Buffer.from(entry.publicKey, 'base64')
  if (keyIdOf(spki) !== entry.keyId) return null
  let key: KeyObject
  try {
    key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch {
    // OpenSSL names its own reasons; for the reader it is a key that is none.
    return null
  }
  return key.asymmetricKeyType === 'ed25519' ? key : null
}
