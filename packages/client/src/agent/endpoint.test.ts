import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rename, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgentId, Command, DeploymentId, KeyEntry, KeysetDocument, PersonId } from '@interlock/contracts'
import {
  keyIdOf,
  payloadTypes,
  type Signer,
  sha256,
  signCommand,
  signEnvelope,
  signerOf,
  signFact,
  signRequest,
  topics,
  verifyFact,
} from '@interlock/contracts'
import { systemClock } from '@interlock/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { Agent } from './agent.ts'
import { commandCheck, type KeysInForce } from './check-command.ts'
import { openEndpoint } from './endpoint.ts'
import { openKeysetFile } from './keyset-file.ts'
import { memoryPlatform } from './memory-platform.ts'

/** Asks until it is so; a loaded machine may take its time. */
const eventually = <T>(ask: () => T) => expect.poll(ask, { timeout: 20_000 })

function keyOf(holder: string, role: KeyEntry['roles'][number]): { signer: Signer; entry: KeyEntry } {
  const { privateKey } = generateKeyPairSync('ed25519')
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const entry = { keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles: [role], holder, may: [] }
  return { signer: signerOf(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))), entry }
}
const governor = keyOf('governor', 'governor')
const own = keyOf('agent-1', 'agent')
const keys = [governor.entry, own.entry]
const deployment = 'd' as DeploymentId
const v1 = sha256('v1')
const v2 = sha256('v2')

const command: Command = {
  v: 1,
  environment: 'test',
  audience: 'agent-1' as AgentId,
  deployment,
  issuedAt: 0,
  order: [2, 0, 0, 1],
  desired: { target: v1, candidate: v2, shareMax: 0.1, shadow: false, pace: 'at-once', fallback: false },
  grant: null,
  because: sha256('decision'),
  policy: sha256('policy'),
}
const rollback: Command = {
  ...command,
  order: [2, 0, 3, 2],
  desired: { ...command.desired, candidate: null, shareMax: 0 },
}

function agentWith(keyset: KeysInForce = { keys }, now: () => number = () => 0): Agent {
  const platform = memoryPlatform({
    generation: 1,
    stable: v1,
    candidate: null,
    share: 0,
    shadow: false,
    fallback: false,
  })
  return new Agent({
    topics,
    clock: systemClock,
    agent: command.audience,
    environment: 'test',
    platforms: new Map([[deployment, platform]]),
    verify: commandCheck(
      { environment: 'test', agent: command.audience, deployments: new Set([deployment]) },
      () => keyset,
      now,
    ),
    sign: (record) => signFact(record, own.signer),
    tell: () => {},
  })
}

async function endpointOf(agent: Agent, readToken?: string) {
  const options = { host: '127.0.0.1', port: 0, ...(readToken === undefined ? {} : { readToken }) }
  const endpoint = await openEndpoint(agent, options, systemClock.monotonic)
  onTestFinished(() => endpoint.close())
  const send = async (body: Uint8Array | string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`${endpoint.url}/v1/commands`, { method: 'POST', body: Buffer.from(body) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  return { url: endpoint.url, send }
}

test('a signed command is kept, the same again is ignored, a lower one is ignored, and a stranger is told why it is refused', async () => {
  const { send } = await endpointOf(agentWith())
  expect(await send(signCommand(rollback, governor.signer))).toEqual({
    status: 200,
    body: { order: [2, 0, 3, 2], outcome: 'kept', keeps: [2, 0, 3, 2] },
  })
  expect(await send(signCommand(rollback, governor.signer))).toMatchObject({ body: { outcome: 'ignored' } })
  expect(await send(signCommand(command, governor.signer))).toEqual({
    status: 200,
    body: { order: [2, 0, 0, 1], outcome: 'ignored', keeps: [2, 0, 3, 2] },
  })
  expect(await send(signCommand(rollback, own.signer))).toEqual({
    status: 422,
    body: { reason: expect.stringContaining('wrong-role') },
  })
})

test.each<[string, Partial<Command>, string]>([
  ['another environment', { environment: 'production' }, 'it is for environment "production"'],
  ['another agent', { audience: 'agent-2' as AgentId }, 'it is for agent "agent-2"'],
  ['another deployment', { deployment: 'e' as DeploymentId }, 'it is for deployment "e"'],
  ['a share above 1', { desired: { ...command.desired, shareMax: 1.5 } }, 'its share 1.5 is not from 0 to 1'],
  ['a negative order', { order: [2, 0, -1, 1] }, 'its order [2,0,-1,1] is not four whole numbers'],
  [
    'a target that is no digest',
    { desired: { ...command.desired, target: 'latest' as typeof v1 } },
    'its target or candidate is no SHA-256 in lower-case hex',
  ],
])('a well-signed command for %s is refused', async (_, change, reason) => {
  const { send } = await endpointOf(agentWith())
  expect(await send(signCommand({ ...command, ...change }, governor.signer))).toEqual({ status: 422, body: { reason } })
})

test('an expired keyset lets a rollback through and no exposure', async () => {
  const { send } = await endpointOf(agentWith({ keys, expires: 1_000 }, () => 1_000))
  expect(await send(signCommand(command, governor.signer))).toMatchObject({
    status: 422,
    body: { reason: expect.stringContaining('the keyset has expired') },
  })
  expect(await send(signCommand(rollback, governor.signer))).toMatchObject({ body: { outcome: 'kept' } })
})

test('more than 64 KiB is refused unread, with and without a stated length', async () => {
  const { url, send } = await endpointOf(agentWith())
  expect(await send(Buffer.alloc(65_537, 'x'))).toMatchObject({ status: 413 })
  const status = await new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/commands`, { method: 'POST' }, (response) => resolve(response.statusCode))
    sent.on('error', reject)
    for (let i = 0; i < 20; i++) sent.write(Buffer.alloc(8_192, 'x'))
  })
  expect(status).toBe(413)
  expect(await send(signCommand(rollback, governor.signer))).toMatchObject({ status: 200 })
})

test('hostile bytes are refused with a reason, and other addresses and methods with what there is', async () => {
  const { url, send } = await endpointOf(agentWith())
  for (const body of ['', '{', '[]', 'null', '{"__proto__":{}}', '['.repeat(5_000), '\ufeff{}', '\u0000'])
    expect(await send(body)).toMatchObject({ status: 422 })
  expect((await fetch(`${url}/v1/commands`)).status).toBe(405)
  expect((await fetch(`${url}/v1/state`, { method: 'POST', body: '{}' })).status).toBe(405)
  expect((await fetch(`${url}/`)).status).toBe(404)
  expect((await fetch(`${url}//`)).status).toBe(404)
  expect((await fetch(`${url}/v1/facts?after=-1`)).status).toBe(400)
})

test('state says what is kept, and facts are the signed envelopes after a number', async () => {
  const { url, send } = await endpointOf(agentWith())
  await send(signCommand(rollback, governor.signer))
  expect(await (await fetch(`${url}/v1/state`)).json()).toMatchObject({
    v: 1,
    agent: 'agent-1',
    deployments: [{ deployment, order: [2, 0, 3, 2], lapsed: false, facts: { received: { order: [2, 0, 3, 2] } } }],
  })
  const { facts } = (await (await fetch(`${url}/v1/facts`)).json()) as { facts: { n: number; envelope: string }[] }
  expect(facts.map(({ n }) => n)).toEqual([1])
  expect(verifyFact(Buffer.from(facts[0]!.envelope), keys)).toMatchObject({ ok: true, value: { deployment } })
  expect(await (await fetch(`${url}/v1/facts?after=1`)).json()).toEqual({ v: 1, facts: [] })
})

test('with a token state and facts are for its bearers; a command needs none', async () => {
  const { url, send } = await endpointOf(agentWith(), 'secret')
  expect((await fetch(`${url}/v1/state`)).status).toBe(403)
  expect((await fetch(`${url}/v1/state`, { headers: { authorization: 'Bearer secret' } })).status).toBe(200)
  expect(await send(signCommand(rollback, governor.signer))).toMatchObject({ status: 200 })
})

test('an address that is not loopback needs a certificate', async () => {
  await expect(openEndpoint(agentWith(), { host: '0.0.0.0', port: 0 }, () => 0)).rejects.toThrow('without TLS')
})

test('an address that floods is told to wait', async () => {
  const { url } = await endpointOf(agentWith())
  const statuses: number[] = []
  for (let round = 0; round < 40; round++) {
    const some = Array.from({ length: 20 }, async () => (await fetch(`${url}/v1/state`)).status)
    statuses.push(...(await Promise.all(some)))
  }
  expect(statuses).toContain(429)
  expect(statuses).toContain(200)
})

test('a keyset is reloaded, never an older one, never another of the same version, also after a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-keyset-'))
  const path = join(folder, 'keyset.json')
  const write = async (keyset: KeysetDocument | Uint8Array): Promise<void> => {
    await writeFile(`${path}.new`, keyset instanceof Uint8Array ? keyset : JSON.stringify(keyset))
    await rename(`${path}.new`, path)
  }
  const told: string[] = []
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const clock = { ...systemClock, sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(10, signal) }
  const options = { path, remember: join(folder, 'version'), clock, tell: (_: string, text: string) => told.push(text) }
  await write({ kind: 'keyset', version: 1, keys })
  const keyset = await openKeysetFile(options)
  void keyset.follow(stop.signal)
  await write({ kind: 'keyset', version: 2, keys: [own.entry] })
  await eventually(() => keyset.current().version).toBe(2)
  await write({ kind: 'keyset', version: 1, keys })
  await eventually(() => told.join()).toContain('an older keyset could bring a revoked key back')
  await write({ kind: 'keyset', version: 2, keys })
  await eventually(() => told.join()).toContain('another keyset of version 2')
  await write(Buffer.from('{"kind":'))
  await eventually(() => told.join()).toContain('JSON line 1')
  expect(keyset.current().keys).toEqual([own.entry])
  await write({ kind: 'keyset', version: 1, keys })
  await expect(openKeysetFile(options)).rejects.toThrow('version 2 was in force before')
})

test('with the root key known, only a keyset that it signed counts', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'interlock-keyset-')), 'keyset.json')
  const root = keyOf('root', 'person')
  const document: KeysetDocument = { kind: 'keyset', version: 1, keys }
  const signedBy = (signer: Signer) =>
    signRequest(
      { v: 1, id: 'keyset-1', environment: 'test', by: 'root' as PersonId, request: { kind: 'document', document } },
      signer,
    )
  const options = { path, root: root.entry, clock: systemClock, tell: () => {} }
  await writeFile(path, `${Buffer.from(signedBy(root.signer)).toString()}\n`)
  expect((await openKeysetFile(options)).current().version).toBe(1)
  for (const forged of [
    JSON.stringify(document),
    Buffer.from(signedBy(governor.signer)),
    Buffer.from(signEnvelope(root.signer, payloadTypes.fact, Buffer.from('{}'))),
  ]) {
    await writeFile(path, forged)
    await expect(openKeysetFile(options)).rejects.toThrow('no keyset signed by the root key')
  }
})
