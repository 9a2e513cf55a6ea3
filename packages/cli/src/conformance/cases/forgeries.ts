import { generateKeyPairSync, sign } from 'node:crypto'
import {
  type Command,
  canonicalJson,
  type DsseEnvelope,
  payloadTypes,
  signEnvelope,
  signFact,
} from '@interlock/contracts'
import type { Case } from '../case.ts'
import { canary, type World } from '../world.ts'
import { mutants } from './mutants.ts'

const group = 'forgeries'

/** Each makes bytes from a command that would be the highest: were it taken, the platform would change. */
type Forgery = (world: World, command: Command, envelope: DsseEnvelope) => Uint8Array | readonly Uint8Array[]

const bytesOf = (value: unknown): Uint8Array => Buffer.from(canonicalJson(value), 'utf8')
const base64 = (value: string | Uint8Array): string => Buffer.from(value as Uint8Array).toString('base64')

const forgeries: Readonly<Record<string, Forgery>> = {
  'an altered command under the old signature': (_, command, envelope) =>
    withPayload(envelope, { ...command, desired: canary(1) }),
  'a raised order under the old signature': (_, command, envelope) =>
    withPayload(envelope, { ...command, order: [command.order[0], 0, 4, 99] }),
  'a command signed by a key that is in no keyset': (world, command) => world.sign(command, world.keys.stranger),
  'a command signed by the agent itself': (world, command) => world.sign(command, world.keys.agent),
  'a command signed by a person': (world, command) => world.sign(command, world.keys.person),
  'a signature of a stranger under the name of the governor’s key': (world, command, envelope) => {
    const forged = JSON.parse(Buffer.from(world.sign(command, world.keys.stranger)).toString()) as DsseEnvelope
    return bytesOf({ ...forged, signatures: [{ ...forged.signatures[0], keyid: envelope.signatures[0]?.keyid }] })
  },
  'a command signed as a fact': (world, command) =>
    signEnvelope(world.governor.signer, payloadTypes.fact, bytesOf(command)),
  'a command signed as a fact, with the type of a command put on it': (world, command) => {
    const asFact = signEnvelope(world.governor.signer, payloadTypes.fact, bytesOf(command))
    return bytesOf({ ...(JSON.parse(Buffer.from(asFact).toString()) as object), payloadType: payloadTypes.command })
  },
  'a fact in place of a command': (world, command) =>
    signFact(
      {
        v: 1,
        environment: command.environment,
        deployment: command.deployment,
        by: command.audience,
        fact: { kind: 'received', order: command.order },
      },
      world.keys.agent.signer,
    ),
  'a command for another environment': (world, command) =>
    world.sign({ ...command, environment: `${command.environment}-2` }),
  'a command for another agent': (world, command) =>
    world.sign({ ...command, audience: `${command.audience}-2` as Command['audience'] }),
  'a command for another deployment': (world, command) =>
    world.sign({ ...command, deployment: `${command.deployment}-2` as Command['deployment'] }),
  'a name that differs in case or by a look-alike letter': (world, command) => [
    world.sign({ ...command, audience: command.audience.toUpperCase() as Command['audience'] }),
    world.sign({ ...command, environment: `${command.environment}\u200b` }),
    world.sign({ ...command, deployment: `${command.deployment} ` as Command['deployment'] }),
  ],
  'an envelope with no signature, with two, or with a field more': (_, __, envelope) => {
    const [signature] = envelope.signatures
    return [
      bytesOf({ ...envelope, signatures: [] }),
      bytesOf({ ...envelope, signatures: [signature, signature] }),
      bytesOf({ ...envelope, alg: 'none' }),
      bytesOf({ payload: envelope.payload, payloadType: envelope.payloadType }),
    ]
  },
  'an empty signature, one of zeros, or one that is cut short': (_, __, envelope) =>
    [
      new Uint8Array(0),
      new Uint8Array(64),
      Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64').subarray(0, 63),
    ].map((sig) => withSignature(envelope, base64(sig))),
  'a signature whose second half was raised by the order of the curve': (_, __, envelope) =>
    withSignature(envelope, base64(malleated(Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64')))),
  'a signature of another algorithm under the governor’s name': (_, command, envelope) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return withSignature(envelope, base64(sign('sha256', bytesOf(command), privateKey)))
  },
  'base64 of another alphabet, without padding or with a line break': (_, __, envelope) => [
    bytesOf({ ...envelope, payload: envelope.payload.replace(/=+$/, '') }),
    bytesOf({ ...envelope, payload: `${envelope.payload}\n` }),
    withSignature(envelope, (envelope.signatures[0]?.sig ?? '').replace(/=+$/, '')),
    withSignature(envelope, `${envelope.signatures[0]?.sig}\r\n`),
    withSignature(envelope, base64url(envelope.signatures[0]?.sig ?? '')),
  ],
  'the same envelope in another form: space, another order of fields, escapes, a byte order mark': (
    _,
    __,
    envelope,
  ) => {
    const text = canonicalJson(envelope)
    return [
      ` ${text}`,
      `${text}\n`,
      JSON.stringify(envelope, null, 1),
      JSON.stringify({ signatures: envelope.signatures, payloadType: envelope.payloadType, payload: envelope.payload }),
      text.replace('"payload"', '"\\u0070ayload"'),
      `\ufeff${text}`,
    ].map((one) => Buffer.from(one, 'utf8'))
  },
  'a field that stands twice, in the envelope and in the command': (world, command, envelope) => [
    Buffer.from(canonicalJson(envelope).replace('{', `{"payload":"${envelope.payload}",`), 'utf8'),
    signEnvelope(
      world.governor.signer,
      payloadTypes.command,
      Buffer.from(canonicalJson(command).replace('{', `{"audience":"${command.audience}",`), 'utf8'),
    ),
  ],
  'a well-signed payload that is not canonical, or of another shape': (world, command) =>
    [
      ` ${canonicalJson(command)}`,
      canonicalJson({ ...command, planted: true }),
      canonicalJson({ ...command, v: 2 }),
      canonicalJson({ ...command, order: command.order.slice(0, 3) }),
      canonicalJson({ ...command, order: [...command.order, 0] }),
      canonicalJson({ ...command, order: command.order.map(String) }),
      canonicalJson({ ...command, desired: { ...command.desired, pace: 'slowly' } }),
      canonicalJson({ ...command, desired: null }),
      canonicalJson({ ...command, grant: undefined }),
      canonicalJson([command]),
      '',
      'null',
    ].map((text) => signEnvelope(world.governor.signer, payloadTypes.command, Buffer.from(text, 'utf8'))),
  'a well-signed share above 1 or below 0, or a target that is no digest': (world, command) => [
    world.sign({ ...command, desired: { ...command.desired, shareMax: 1.5 } }),
    world.sign({ ...command, desired: { ...command.desired, shareMax: -0.5 } }),
    world.sign({ ...command, desired: { ...command.desired, target: 'latest' as Command['because'] } }),
  ],
  'bytes that are no envelope at all': () =>
    [
      '',
      '{',
      '[]',
      'null',
      '0',
      '"x"',
      '{"__proto__":{}}',
      '['.repeat(20_000),
      '{"a":'.repeat(5_000),
      '\u0000'.repeat(100),
    ].map((text) => Buffer.from(text, 'utf8')),
  'bytes that are no UTF-8': () => [
    Buffer.from([0xff, 0xfe, 0x7b]),
    Buffer.from([0xc0, 0xaf]),
    Buffer.from([0xed, 0xa0, 0x80]),
  ],
  'an envelope above 64 KiB': (world, command) => [
    Buffer.alloc(65_537, 0x20),
    world.sign({
      ...command,
      grant: {
        ms: 1_000,
        onLapse: Array.from({ length: 300 }, (_, afterMs) => ({ afterMs, desired: command.desired })),
      },
    }),
  ],
  '300 seeded mutants of a signed command': (world, command) => mutants(world.sign(command), 300, world.random),
}

/** What nobody may be able to make an agent do. Each is thrown with an order above the one that is kept. */
export const forgeryCases: readonly Case[] = Object.entries(forgeries).map(([what, forge]) => ({
  group,
  sentence: `it does not take ${what}`,
  async run(world) {
    await world.begin()
    const changes = world.platform.changes.length
    const command = world.command(world.order(0, 7), canary(0.77))
    const envelope = JSON.parse(Buffer.from(world.sign(command)).toString()) as DsseEnvelope
    const forged = forge(world, command, envelope)
    const original = Buffer.from(canonicalJson(envelope), 'utf8')
    for (const bytes of forged instanceof Uint8Array ? [forged] : forged) {
      // Without padding to take away, for example, nothing was forged.
      if (!original.equals(bytes)) await world.throwAt(bytes, what)
    }
    await world.nothingHappens(changes, what)
    // It still works, and what was thrown did not raise the order that it keeps.
    await world.send(world.command(world.order(0, 2), canary(0.03)), 'kept')
    await world.reaches(canary(0.03))
  },
}))

function withPayload(envelope: DsseEnvelope, command: Command): Uint8Array {
  return bytesOf({ ...envelope, payload: base64(bytesOf(command)) })
}

function withSignature(envelope: DsseEnvelope, sig: string): Uint8Array {
  return bytesOf({ ...envelope, signatures: [{ keyid: envelope.signatures[0]?.keyid, sig }] })
}

function base64url(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Order of the group, RFC 8032 §5.1. A verifier that does not demand S < L takes S + L for another signature. */
const curveOrder = 2n ** 252n + 27742317777372353535851937790883648493n

function malleated(signature: Uint8Array): Uint8Array {
  const half = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + curveOrder
  const raised = Buffer.from(half.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([signature.subarray(0, 32), raised])
}
