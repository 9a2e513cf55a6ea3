import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  type AgentId,
  type Command,
  canonicalJson,
  type DeploymentId,
  type DsseEnvelope,
  type Hash,
  type KeyEntry,
  type KeyRole,
  keyIdOf,
  type PersonId,
  payloadTypes,
  type Signer,
  sha256,
  signCommand,
  signEnvelope,
  signerOf,
  signFact,
  signRequest,
} from '@interlock/contracts'
import { mutate } from '../../packages/cli/src/conformance/cases/mutants.ts'

/** A key made of a name, so that every run has the same ones. */
function keyOf(holder: string, role: KeyRole): { signer: Signer; entry: KeyEntry } {
  const seed = createHash('sha256').update(holder).digest()
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  return { signer: signerOf(privateKey), entry: entryOf(createPublicKey(privateKey), holder, role) }
}

function entryOf(publicKey: KeyObject, holder: string, role: KeyRole): KeyEntry {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return { keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles: [role], holder, may: [] }
}

export const governor = keyOf('governor', 'governor')
const own = keyOf('agent-1', 'agent')
const person = keyOf('ada', 'person')
const stranger = keyOf('mallory', 'governor')

/** Keys of other algorithms, in the keyset under their right names and as governors: they sign, and count for nothing. */
const foreign = [
  generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  generateKeyPairSync('ed448'),
].map((pair, index) => ({
  privateKey: pair.privateKey,
  entry: entryOf(pair.publicKey, `foreign-${index}`, 'governor'),
}))
/** The agent's and a stranger's key, each under the name of the governor's. */
const renamed: KeyEntry = { ...stranger.entry, keyId: `${governor.entry.keyId.slice(0, 31)}x`, roles: ['governor'] }

export const mine = {
  environment: 'test',
  agent: 'agent-1' as AgentId,
  deployments: new Set(['flight-delay' as DeploymentId]),
}
export const keys: readonly KeyEntry[] = [
  governor.entry,
  own.entry,
  person.entry,
  renamed,
  ...foreign.map(({ entry }) => entry),
]

const v1 = sha256('v1')
const v2 = sha256('v2')
const rolledBack = {
  target: v1,
  candidate: null,
  shareMax: 0,
  shadow: false,
  pace: 'at-once',
  fallback: false,
} as const

function commandOf(revision: number, severity: number, share: number): Command {
  const desired = { ...rolledBack, candidate: share > 0 ? v2 : null, shareMax: share }
  return {
    v: 1,
    environment: mine.environment,
    audience: mine.agent,
    deployment: 'flight-delay' as DeploymentId,
    issuedAt: 1_700_000_000_000 + revision,
    order: [3, 0, severity, revision],
    desired,
    grant: share > 0 ? { ms: 30_000, onLapse: [{ afterMs: 0, desired: rolledBack }] } : null,
    because: sha256(`decision ${revision}`),
    policy: sha256('policy'),
  }
}

export const commands: readonly Command[] = [commandOf(1, 0, 0.05), commandOf(2, 0, 1), commandOf(3, 3, 0)]
/** What the governor really signed. */
export const originals: readonly Uint8Array[] = commands.map((command) => signCommand(command, governor.signer))

/** Envelopes that are sound, and no commands for this agent. */
const fact = { kind: 'received', order: [3, 0, 0, 1] } as const
const others: readonly Uint8Array[] = [
  signFact({ v: 1, environment: 'test', deployment: 'flight-delay' as DeploymentId, by: mine.agent, fact }, own.signer),
  signRequest(
    {
      v: 1,
      id: 'r-1',
      environment: 'test',
      by: 'ada' as PersonId,
      request: { kind: 'rollback', deployment: 'flight-delay' as DeploymentId, reason: 'x' },
    },
    person.signer,
  ),
  signEnvelope(governor.signer, payloadTypes.fact, Buffer.from(canonicalJson(commands[0]))),
]
const envelopes: readonly DsseEnvelope[] = [...originals, ...others].map(
  (bytes) => JSON.parse(Buffer.from(bytes).toString()) as DsseEnvelope,
)

type Random = () => number
/** One family of mutants: made of a random original, never equal to one. */
type Family = (random: Random) => Uint8Array | string

const pickFrom = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)] as T
const text = (value: unknown): string => canonicalJson(value)
const bytes64 = (base64: string): Buffer => Buffer.from(base64, 'base64')

export const families: Readonly<Record<string, Family>> = {
  'flipped, cut, doubled, exchanged and inserted bytes': (random) => mutate(pickFrom(originals, random), random),
  'bits flipped within payload or signature, encoded again': (random) => {
    const envelope = pickFrom(envelopes.slice(0, originals.length), random)
    const flipped = (base64: string): string => {
      const bytes = bytes64(base64)
      const at = Math.floor(random() * bytes.length)
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8))
      return bytes.toString('base64')
    }
    const [signature] = envelope.signatures
    return random() < 0.5
      ? text({ ...envelope, payload: flipped(envelope.payload) })
      : text({ ...envelope, signatures: [{ keyid: signature?.keyid, sig: flipped(signature?.sig ?? '') }] })
  },
  'fields exchanged between envelopes': (random) => {
    const parts = [0, 1, 2, 3].map(() => pickFrom(envelopes, random)) as [
      DsseEnvelope,
      DsseEnvelope,
      DsseEnvelope,
      DsseEnvelope,
    ]
    return text({
      payload: parts[0].payload,
      payloadType: parts[1].payloadType,
      signatures: [{ keyid: parts[2].signatures[0]?.keyid, sig: parts[3].signatures[0]?.sig }],
    })
  },
  'fields of the command changed under the old signature': (random) => {
    const index = Math.floor(random() * commands.length)
    const command = commands[index] as Command
    const changed: Partial<Command> = pickFrom<(random: Random) => Partial<Command>>(
      [
        (r) => ({ order: command.order.map((part) => part + Math.floor(r() * 3)) as unknown as Command['order'] }),
        (r) => ({ desired: { ...command.desired, shareMax: r() } }),
        () => ({ desired: { ...command.desired, target: command.desired.candidate ?? v2 } }),
        (r) => ({ issuedAt: Math.floor(r() * 2e12) }),
        (r) => ({ grant: r() < 0.5 ? null : { ms: Math.floor(r() * 1e9), onLapse: [] } }),
        (r) => ({ because: sha256(String(r())) as Hash }),
      ],
      random,
    )(random)
    const envelope = envelopes[index] as DsseEnvelope
    return text({ ...envelope, payload: Buffer.from(text({ ...command, ...changed })).toString('base64') })
  },
  'the same content in another form': (random) => {
    const envelope = pickFrom(envelopes.slice(0, originals.length), random)
    return reformed(text(envelope), random)
  },
  'the payload in another form, signed by the governor itself': (random) => {
    const payload = reformed(text(pickFrom(commands, random)), random)
    return signEnvelope(governor.signer, payloadTypes.command, Buffer.from(payload, 'utf8'))
  },
  'the payload of another shape, or for others, signed by the governor itself': (random) => {
    const command = pickFrom(commands, random)
    const wish = command.desired
    const change = pickFrom<Record<string, unknown>>(
      [
        { environment: `test${Math.floor(random() * 1e6)}` },
        { audience: pickFrom(['agent-2', 'AGENT-1', 'agent-1 ', 'аgent-1', 'agent\u20101', ''], random) },
        { deployment: pickFrom(['flight-delays', 'Flight-delay', 'flight\u2011delay', '../flight-delay', ''], random) },
        { v: pickFrom([0, 2, '1', true, null], random) },
        {
          order: pickFrom<unknown>(
            [[3, 0, 9], [3, 0, 0, 1, 1], ['3', 0, 0, 9], [3.5, 0, 0, 9], [-1, 0, 0, 9], null, {}],
            random,
          ),
        },
        { desired: { ...wish, shareMax: pickFrom<unknown>([-0.1, 1.0001, '0.1', null, true, 1e308], random) } },
        {
          desired: {
            ...wish,
            target: pickFrom<unknown>(['latest', v1.toUpperCase(), `${v1} `, v1.slice(1), null], random),
          },
        },
        { desired: { ...wish, pace: pickFrom<unknown>(['now', '', null, 0], random) } },
        {
          grant: pickFrom<unknown>(
            [{}, { ms: -1, onLapse: [] }, { ms: 1 }, [], { ms: 1, onLapse: [{ afterMs: 0 }] }],
            random,
          ),
        },
        { [`planted${Math.floor(random() * 1e6)}`]: true },
        { issuedAt: pickFrom<unknown>(['0', null, 0.5], random) },
      ],
      random,
    )
    return signEnvelope(governor.signer, payloadTypes.command, Buffer.from(text({ ...command, ...change })))
  },
  'signatures by other keys, under their own and under borrowed names': (random) => {
    const command = pickFrom(commands, random)
    const signer = pickFrom([own.signer, person.signer, stranger.signer], random)
    const envelope = JSON.parse(
      Buffer.from(signCommand({ ...command, issuedAt: Math.floor(random() * 1e12) }, signer)).toString(),
    ) as DsseEnvelope
    const id = governor.entry.keyId
    const keyid = pickFrom(
      [signer.keyId, id, id.toUpperCase(), id.slice(0, 31), `${id}0`, renamed.keyId, own.entry.keyId, '', '__proto__'],
      random,
    )
    return text({ ...envelope, signatures: [{ keyid, sig: envelope.signatures[0]?.sig }] })
  },
  'signatures of other algorithms': (random) => {
    const { privateKey, entry } = pickFrom(foreign, random)
    const payload = Buffer.from(text({ ...pickFrom(commands, random), issuedAt: Math.floor(random() * 1e12) }))
    const signed = Buffer.concat([
      Buffer.from(`DSSEv1 ${payloadTypes.command.length} ${payloadTypes.command} ${payload.length} `),
      payload,
    ])
    const algorithm = privateKey.asymmetricKeyType === 'ed448' ? null : 'sha256'
    // RSA signing is slow: most of these reuse the little that must be right, the name of the key.
    const sig = privateKey.asymmetricKeyType === 'rsa' ? Buffer.alloc(256, 1) : sign(algorithm, signed, privateKey)
    const keyid = pickFrom([entry.keyId, governor.entry.keyId], random)
    return text({
      payload: payload.toString('base64'),
      payloadType: payloadTypes.command,
      signatures: [{ keyid, sig: sig.toString('base64') }],
    })
  },
  'signatures that are other points or numbers of the same curve': (random) => {
    const envelope = pickFrom(envelopes.slice(0, originals.length), random)
    const sig = bytes64(envelope.signatures[0]?.sig ?? '')
    return text({
      ...envelope,
      signatures: [{ keyid: governor.entry.keyId, sig: otherSignature(sig, random).toString('base64') }],
    })
  },
}

/** Order of the group (RFC 8032 §5.1), and encodings of points of small order, canonical and not. */
const curveOrder = 2n ** 252n + 27742317777372353535851937790883648493n
const smallPoints = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => Buffer.from(hex, 'hex'))

function otherSignature(sig: Buffer, random: Random): Buffer {
  const r = sig.subarray(0, 32)
  const s = BigInt(`0x${Buffer.from(sig.subarray(32)).reverse().toString('hex')}`)
  const little = (value: bigint): Buffer =>
    Buffer.from((value % 2n ** 256n).toString(16).padStart(64, '0'), 'hex').reverse()
  const point = pickFrom(smallPoints, random)
  return pickFrom<() => Buffer>(
    [
      () => Buffer.concat([r, little(s + curveOrder * BigInt(1 + Math.floor(random() * 15)))]),
      () => Buffer.concat([r, little(curveOrder - s)]),
      () => Buffer.concat([point, little(s)]),
      () => Buffer.concat([point, little(0n)]),
      () => Buffer.concat([point, little(BigInt(Math.floor(random() * 1e9)))]),
      () => Buffer.concat([Buffer.from(r.map((byte, index) => (index === 31 ? byte ^ 0x80 : byte))), little(s)]),
      () => Buffer.concat([little(s), r]),
      () => Buffer.concat([sig, Buffer.from([Math.floor(random() * 256)])]),
      () => sig.subarray(0, Math.floor(random() * 64)),
      () => Buffer.from(sig).reverse(),
    ],
    random,
  )()
}

/** The same JSON value written otherwise: space, order, escapes, numbers, doubled keys, marks, wide letters. */
function reformed(json: string, random: Random): string {
  const places = [...json.matchAll(/[{}[\],:]/g)].map(({ index }) => index)
  const strings = [...json.matchAll(/"([^"\\]+)"/g)]
  const numbers = [...json.matchAll(/(?<=[:[,])\d+(?=[,\]}])/g)]
  const at = pickFrom(places, random)
  const string = pickFrom(strings, random)
  const inside = string.index + 1 + Math.floor(random() * (string[1] as string).length)
  const letter = json[inside] as string
  const replaced = (from: number, length: number, by: string): string =>
    json.slice(0, from) + by + json.slice(from + length)
  return pickFrom<() => string>(
    [
      () => replaced(at, 0, pickFrom([' ', '\n', '\t', '\r\n', '\u00a0', '\ufeff', '\u2028', '/**/', ','], random)),
      () => replaced(inside, 1, `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
      () => replaced(inside, 1, String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)),
      () =>
        replaced(inside, 0, pickFrom(['\u200b', '\u200d', '\u202e', '\u0301', '\ud83d', '\u0000', '\\u0000'], random)),
      () => json.replace('{', `{"${string[1]}":"${string[1]}",`),
      () => json.replace('{', pickFrom(['{"__proto__":{},', '{"constructor":1,', '{"":1,', '[{'], random)),
      () =>
        pickFrom([`\ufeff${json}`, `${json}\n`, `${json}${json}`, `[${json}]`, `${json}\u0000`, ` ${json}`], random),
      () => {
        if (numbers.length === 0) return `${json} `
        const number = pickFrom(numbers, random)
        const [digits] = number
        return replaced(
          number.index,
          digits.length,
          pickFrom(
            [`${digits}.0`, `${digits}e0`, `0${digits}`, `-${digits}`, `+${digits}`, `"${digits}"`, `${digits}E+0`],
            random,
          ),
        )
      },
      () => JSON.stringify(JSON.parse(json), null, 1 + Math.floor(random() * 8)),
      () => text(Object.entries(JSON.parse(json) as object)),
      () => {
        const entries = Object.entries(JSON.parse(json) as object)
        return JSON.stringify(Object.fromEntries(entries.reverse()))
      },
    ],
    random,
  )()
}
