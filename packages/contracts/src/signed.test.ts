import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from './canonical.ts'
import type { Command } from './command.ts'
import type { KeyEntry, KeyRole } from './document.ts'
import { keyIdOf, preAuthenticationEncoding, type Signer, signEnvelope, signerOf } from './dsse.ts'
import type { AgentId, DeploymentId, Hash, PersonId } from './ids.ts'
import type { FactRecord, RequestRecord } from './request.ts'
import {
  maxRequestBytes,
  payloadTypes,
  signCommand,
  signFact,
  signRequest,
  verifyCommand,
  verifyFact,
  verifyRequest,
} from './signed.ts'

/** A key made of a name, so that every run has the same ones. */
function keyOf(holder: string, ...roles: KeyRole[]): { signer: Signer; entry: KeyEntry } {
  const seed = createHash('sha256').update(holder).digest()
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return entryOf(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }), holder, roles)
}

function entryOf(privateKey: KeyObject, holder: string, roles: readonly KeyRole[]) {
  const signer = signerOf(privateKey)
  const publicKey = createPublicKeyOf(privateKey)
  return { signer, entry: { keyId: signer.keyId, publicKey: publicKey.toString('base64'), roles, holder, may: [] } }
}

function createPublicKeyOf(privateKey: KeyObject): Buffer {
  const { x } = privateKey.export({ format: 'jwk' })
  return Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(x!, 'base64url')])
}

const governor = keyOf('governor', 'governor')
const agent = keyOf('router-agent', 'agent')
const notifier = keyOf('notifier', 'notifier')
const ada = keyOf('ada', 'person')
const keys = [governor.entry, agent.entry, notifier.entry, ada.entry]

const hash = (text: string): Hash => createHash('sha256').update(text).digest('hex') as Hash
const stable = {
  target: hash('v1'),
  candidate: null,
  shareMax: 0,
  shadow: false,
  pace: 'at-once',
  fallback: false,
} as const
const command: Command = {
  v: 1,
  environment: 'production',
  audience: 'router-agent' as AgentId,
  deployment: 'flight-delay' as DeploymentId,
  issuedAt: 1_700_000_000_000,
  order: [3, 0, 3, 17],
  desired: stable,
  grant: { ms: 30_000, onLapse: [{ afterMs: 0, desired: stable }] },
  because: hash('decision'),
  policy: hash('policy'),
}
const request: RequestRecord = {
  v: 1,
  id: 'r-1',
  environment: 'production',
  by: 'ada' as PersonId,
  request: { kind: 'rollback', deployment: 'flight-delay' as DeploymentId, reason: 'delays doubled' },
}
const fact: FactRecord = {
  v: 1,
  environment: 'production',
  deployment: 'flight-delay' as DeploymentId,
  by: 'router-agent' as AgentId,
  fact: { kind: 'received', order: [3, 0, 3, 17] },
}
const delivered: FactRecord = {
  ...fact,
  by: 'notifier' as AgentId,
  fact: { kind: 'delivered', alert: 'a-1', sink: 'log', ok: true, detail: '' },
}

test('what was signed is what is read, with the key that signed', () => {
  expect(verifyCommand(signCommand(command, governor.signer), keys)).toEqual({
    ok: true,
    value: command,
    key: governor.entry,
  })
  expect(verifyRequest(signRequest(request, ada.signer), keys)).toEqual({ ok: true, value: request, key: ada.entry })
  expect(verifyFact(signFact(fact, agent.signer), keys)).toEqual({ ok: true, value: fact, key: agent.entry })
  expect(verifyFact(signFact(delivered, notifier.signer), keys)).toMatchObject({ ok: true, value: delivered })
})

test('the pre-authentication encoding and the signature are those of the DSSE specification', () => {
  // protocol.md, "Test Vectors": payload type and payload.
  const encoding = preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world'))
  expect(Buffer.from(encoding).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  const envelope = JSON.parse(
    Buffer.from(signEnvelope(governor.signer, 'http://example.com/HelloWorld', Buffer.from('hello world'))).toString(),
  )
  expect(envelope.payload).toBe('aGVsbG8gd29ybGQ=')
  expect(envelope.signatures[0].sig).toBe(
    sign(null, Buffer.from(encoding), governor.signer.privateKey).toString('base64'),
  )
})

test('of 2,000 mutants of a signed command none is accepted', () => {
  const signed = Buffer.from(signCommand(command, governor.signer))
  const text = signed.toString()
  const mutants: fc.Arbitrary<Buffer> = fc.oneof(
    // Any byte changed, taken out, doubled; any cut; two parts exchanged; white space; another letter of the alphabet.
    fc.tuple(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
      const mutant = Buffer.from(signed)
      mutant[at] = mutant[at]! ^ by
      return mutant
    }),
    fc.nat(signed.length - 1).map((at) => Buffer.concat([signed.subarray(0, at), signed.subarray(at + 1)])),
    fc.nat(signed.length - 1).map((at) => Buffer.concat([signed.subarray(0, at), signed.subarray(at - 1)])),
    fc.nat(signed.length - 1).map((at) => signed.subarray(0, at)),
    fc.nat(signed.length).map((at) => Buffer.from(`${text.slice(0, at)} ${text.slice(at)}`)),
    fc
      .tuple(fc.nat(text.length - 1), fc.constantFrom(...'AZaz09+/=_-"{}[],:\\'))
      .map(([at, letter]) => Buffer.from(text.slice(0, at) + letter + text.slice(at + 1))),
    // A changed command under the old signature.
    fc
      .constantFrom<Partial<Command>>(
        { order: [3, 0, 3, 18] },
        { environment: 'staging' },
        { grant: null },
        { desired: { ...stable, shareMax: 1 } },
      )
      .map((change) => {
        const payload = Buffer.from(canonicalJson({ ...command, ...change })).toString('base64')
        return Buffer.from(canonicalJson({ ...JSON.parse(text), payload }))
      }),
  )
  let accepted = 0
  let tried = 0
  fc.assert(
    fc.property(mutants, (mutant) => {
      if (mutant.equals(signed)) return
      tried++
      if (verifyCommand(mutant, keys).ok) accepted++
      expect(accepted).toBe(0)
    }),
    { numRuns: 2_200, seed: 20_261_124 },
  )
  expect(tried).toBeGreaterThan(2_000)
})

const envelopeOf = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString())
const bytesOf = (envelope: unknown): Uint8Array => Buffer.from(canonicalJson(envelope))
const commandBytes = Buffer.from(canonicalJson(command))

test('a key of another role, or one that is not in force, signs no command', () => {
  expect(verifyCommand(signCommand(command, agent.signer), keys)).toMatchObject({ ok: false, reason: 'wrong-role' })
  expect(verifyCommand(signCommand(command, keyOf('mallory', 'governor').signer), keys)).toMatchObject({
    reason: 'unknown-key',
  })
})

test('a signature that claims another key does not fit it', () => {
  const forged = envelopeOf(signCommand(command, keyOf('mallory').signer))
  forged.signatures[0].keyid = governor.signer.keyId
  expect(verifyCommand(bytesOf(forged), keys)).toMatchObject({ reason: 'bad-signature' })
})

test('nothing that was signed as one type is read as another', () => {
  const asFact = signEnvelope(governor.signer, payloadTypes.fact, commandBytes)
  expect(verifyCommand(asFact, keys)).toMatchObject({ reason: 'wrong-payload-type' })
  expect(verifyCommand(bytesOf({ ...envelopeOf(asFact), payloadType: payloadTypes.command }), keys)).toMatchObject({
    reason: 'bad-signature',
  })
  expect(verifyFact(signRequest(request, ada.signer), keys)).toMatchObject({ reason: 'wrong-payload-type' })
})

test('nobody speaks for another', () => {
  const bob = keyOf('bob', 'person')
  expect(verifyRequest(signRequest(request, bob.signer), [...keys, bob.entry])).toMatchObject({
    reason: 'wrong-holder',
  })
  const other = keyOf('other-agent', 'agent')
  expect(verifyFact(signFact(fact, other.signer), [...keys, other.entry])).toMatchObject({ reason: 'wrong-holder' })
  expect(verifyFact(signFact({ ...delivered, by: fact.by }, agent.signer), keys)).toMatchObject({
    reason: 'wrong-role',
  })
})

test('a key of another algorithm, or under another name, is refused whatever it signed', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const spki = rsa.publicKey.export({ type: 'spki', format: 'der' })
  const entry: KeyEntry = { ...governor.entry, keyId: keyIdOf(spki), publicKey: spki.toString('base64') }
  const payload = preAuthenticationEncoding(payloadTypes.command, commandBytes)
  const forged = envelopeOf(signCommand(command, governor.signer))
  forged.signatures = [
    { keyid: entry.keyId, sig: sign('sha256', Buffer.from(payload), rsa.privateKey).toString('base64') },
  ]
  expect(verifyCommand(bytesOf(forged), [entry])).toMatchObject({ reason: 'bad-key' })
  expect(() => signerOf(rsa.privateKey)).toThrow('Ed25519')

  const renamed: KeyEntry = { ...agent.entry, keyId: governor.entry.keyId, roles: ['governor'] }
  expect(verifyCommand(signCommand(command, governor.signer), [renamed])).toMatchObject({ reason: 'bad-key' })
})

test('a well-signed payload of another shape is refused', () => {
  const shaped = (payload: unknown) =>
    verifyCommand(
      signEnvelope(
        governor.signer,
        payloadTypes.command,
        Buffer.from(typeof payload === 'string' ? payload : canonicalJson(payload)),
      ),
      keys,
    )
  expect(shaped({ ...command, planted: true })).toMatchObject({
    reason: 'wrong-shape',
    detail: expect.stringContaining('planted'),
  })
  expect(shaped({ ...command, desired: { ...stable, planted: 1 } })).toMatchObject({ reason: 'wrong-shape' })
  expect(shaped({ ...command, order: [3, 0, 3] })).toMatchObject({ reason: 'wrong-shape' })
  expect(shaped({ ...command, order: [3, 0, 3, '17'] })).toMatchObject({ reason: 'wrong-shape' })
  expect(shaped({ ...command, v: 2 })).toMatchObject({ reason: 'wrong-shape' })
  expect(shaped({ ...command, desired: { ...stable, pace: 'slowly' } })).toMatchObject({ reason: 'wrong-shape' })
  expect(shaped(canonicalJson(command).replace('{', '{"v":1,'))).toMatchObject({ reason: 'malformed' })
  expect(shaped(` ${canonicalJson(command)}`)).toMatchObject({ reason: 'malformed' })
})

test('an envelope has one form: one signature, canonical JSON, standard base64', () => {
  const signed = signCommand(command, governor.signer)
  const envelope = envelopeOf(signed)
  const [signature] = envelope.signatures
  const refused = { ok: false, reason: 'malformed' }
  expect(verifyCommand(bytesOf({ ...envelope, signatures: [] }), keys)).toMatchObject(refused)
  expect(verifyCommand(bytesOf({ ...envelope, signatures: [signature, signature] }), keys)).toMatchObject(refused)
  expect(verifyCommand(bytesOf({ ...envelope, alg: 'none' }), keys)).toMatchObject(refused)
  expect(
    verifyCommand(
      bytesOf({ ...envelope, signatures: [{ ...signature, sig: signature.sig.replace(/=+$/, '') }] }),
      keys,
    ),
  ).toMatchObject(refused)
  expect(verifyCommand(Buffer.from(JSON.stringify(envelope, null, 1)), keys)).toMatchObject(refused)
})

test('a command above 64 KiB is refused unread, and a request may carry a document', () => {
  const deployment = 'flight-delay' as DeploymentId
  const large: RequestRecord = { ...request, request: { kind: 'hold', deployment, reason: 'x'.repeat(70_000) } }
  expect(verifyRequest(signRequest(large, ada.signer), keys)).toMatchObject({ ok: true })
  expect(verifyCommand(new Uint8Array(65_537), keys)).toMatchObject({ reason: 'oversized' })
  expect(verifyRequest(new Uint8Array(maxRequestBytes + 1), keys)).toMatchObject({ reason: 'oversized' })
})

test('a record of the wrong shape cannot be signed', () => {
  expect(() => signCommand({ ...command, order: [1, 2, 3, 0.5] }, governor.signer)).toThrow(
    'order.revision should be a whole number',
  )
})
