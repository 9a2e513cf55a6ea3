/**
 * The door for signed requests of a running `interlock up`: what is forged, signed by the wrong hand or sent again changes
 * nothing, and leaves a dead letter or a refusal that says why.
 */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig, publicKeys, readDocument, readPolicy } from '@interlock/cli'
import {
  canonicalJson,
  contentHash,
  type DeadReason,
  type DeploymentId,
  type DsseEnvelope,
  type Hash,
  type PersonId,
  type PolicyDocument,
  payloadTypes,
  type Request,
  type Signer,
  signEnvelope,
  signerOf,
  signRequest,
} from '@interlock/contracts'
import type { EventLog } from '@interlock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../process/interlock.ts'
import { deadLettersOf, outsOf } from '../process/records.ts'
import { type WatchedDeployment, watchedDeployment } from '../process/watched-deployment.ts'

const toy = 'toy' as DeploymentId
/** Here the author holds every role: only four eyes stand between the author and the own approval. */
const everyRole = `people:
  - { id: author, may: [deployer, policy-author, policy-approver, release-approver, on-call] }
  - { id: approver, may: [deployer, policy-author, policy-approver, release-approver, on-call] }
`
let running: WatchedDeployment
let log: EventLog | undefined
let ids = 0
const buried: { readonly what: string; readonly offset: bigint; readonly reason: DeadReason }[] = []

beforeAll(async () => {
  running = await watchedDeployment({ configuration: everyRole })
}, 60_000)
afterAll(async () => {
  await log?.close()
  await running?.remove()
})

async function keyOf(holder: string): Promise<Signer> {
  return signerOf(createPrivateKey(await readFile(join(running.files.data, 'keys', `${holder}.pem`), 'utf8')))
}

function record(by: string, request: Request, environment = 'crash', id = `request-${++ids}`) {
  return { v: 1 as const, id, environment, by: by as PersonId, request }
}

async function post(envelope: Uint8Array | string): Promise<bigint> {
  const answer = await running.post('/api/v1/signed-requests?deployment=toy', envelope, {
    'content-type': 'application/json',
  })
  expect(answer.status).toBe(202)
  return BigInt(((await answer.json()) as { offset: string }).offset)
}

/** Requests of a person of the own key. */
async function ask(by: string, request: Request, id?: string): Promise<Uint8Array> {
  const envelope = signRequest(record(by, request, 'crash', id), await keyOf(by))
  await post(envelope)
  return envelope
}

/** What must not change, and how many decisions there were. */
async function standing() {
  const { state, policy, decisionsTotal, decisions } = await running.page()
  return { view: state.view, policy: policy?.hash, decisionsTotal, newest: decisions[0] }
}

/** Everything before this in the log has been taken when its decision is there. */
async function hold(reason: string): Promise<void> {
  await ask('author', { kind: 'hold', deployment: toy, reason })
  await until('the hold', async () => (await standing()).view.holds.some((one) => one.reason === reason))
}
async function releaseHolds(): Promise<void> {
  await ask('author', { kind: 'release-hold', deployment: toy, reason: 'looked at it' })
  await until('the release', async () => (await standing()).view.holds.length === 0)
}

test('without the token, and without saying which deployment, nothing is recorded', async () => {
  const envelope = signRequest(record('author', { kind: 'halt', deployment: toy, reason: 'x' }), await keyOf('author'))
  const statusOf = async (path: string, headers: Record<string, string>): Promise<number> =>
    (await running.post(path, envelope, headers)).status
  expect(await statusOf('/api/v1/signed-requests?deployment=toy', { authorization: '' })).toBe(401)
  expect(await statusOf('/api/v1/signed-requests?deployment=toy', { authorization: `Bearer ${'x'.repeat(32)}` })).toBe(
    401,
  )
  expect(await statusOf('/api/v1/signed-requests', {})).toBe(400)
  const large = JSON.stringify({ payload: 'x'.repeat(1 << 20) })
  expect((await running.post('/api/v1/signed-requests?deployment=toy', large)).status).toBe(413)
})

test('an envelope that is forged, altered, or signed by a hand without that right changes nothing', async () => {
  const before = await standing()
  const author = await keyOf('author')
  const stranger = signerOf(generateKeyPairSync('ed25519').privateKey)
  const rollback: Request = { kind: 'rollback', deployment: toy, reason: 'to do harm' }
  const genuine = signRequest(record('author', rollback), author)
  const envelope = JSON.parse(Buffer.from(genuine).toString('utf8')) as DsseEnvelope
  const [signature] = envelope.signatures
  if (signature === undefined) throw new Error('the envelope has no signature')
  const changed = (changes: Partial<DsseEnvelope>): string => canonicalJson({ ...envelope, ...changes })
  const sig = Buffer.from(signature.sig, 'base64')
  sig[0] = (sig[0] ?? 0) ^ 1
  const altered = Buffer.from(envelope.payload, 'base64').toString('utf8').replace('to do harm', 'to do more harm')
  const policy = readPolicy(running.files.policy, 'author' as PersonId).document
  const { keyset } = await publicKeys(loadConfig(running.files.config))
  const cases: readonly (readonly [what: string, reason: DeadReason, bytes: Uint8Array | string])[] = [
    ['no JSON', 'malformed', 'rollback, please'],
    ['JSON that is no envelope', 'malformed', JSON.stringify(record('author', rollback))],
    ['an envelope with spaces in it', 'malformed', JSON.stringify(envelope, null, 1)],
    ['two signatures', 'malformed', changed({ signatures: [signature, signature] })],
    ['no signature', 'malformed', changed({ signatures: [] })],
    ['another signature', 'bad-signature', changed({ signatures: [{ ...signature, sig: sig.toString('base64') }] })],
    [
      'another payload under the signature',
      'bad-signature',
      changed({ payload: Buffer.from(altered).toString('base64') }),
    ],
    ['a type that the signature is not for', 'bad-signature', changed({ payloadType: payloadTypes.fact })],
    ['a key that nobody knows', 'bad-signature', signRequest(record('author', rollback), stranger)],
    [
      'a stranger under the name of a known key',
      'bad-signature',
      signRequest(record('author', rollback), { ...stranger, keyId: author.keyId }),
    ],
    ['the key of one person for another', 'bad-signature', signRequest(record('approver', rollback), author)],
    ["the governor's key", 'bad-signature', signRequest(record('governor', rollback), await keyOf('governor'))],
    ["the agent's key", 'bad-signature', signRequest(record('agent-crash', rollback), await keyOf('agent-crash'))],
    ['the root key for a rollback', 'bad-signature', signRequest(record('root', rollback), await keyOf('root'))],
    [
      'a keyset that a person signed',
      'bad-signature',
      signRequest(record('author', { kind: 'document', document: { ...keyset, version: keyset.version + 1 } }), author),
    ],
    [
      'an older keyset, rightly signed',
      'bad-signature',
      signRequest(record('root', { kind: 'document', document: { ...keyset, version: 0 } }), await keyOf('root')),
    ],
    ['another environment', 'wrong-environment', signRequest(record('author', rollback, 'production'), author)],
    [
      'a deployment that is not registered',
      'unregistered',
      signRequest(record('author', { ...rollback, deployment: 'nobody' as DeploymentId }), author),
    ],
    [
      'a kind of request that there is not',
      'wrong-type',
      signEnvelope(
        author,
        payloadTypes.request,
        Buffer.from(canonicalJson({ ...record('author', rollback), request: { kind: 'obey' } })),
      ),
    ],
    [
      'a policy that says something else than its source',
      'malformed',
      signRequest(
        record('author', {
          kind: 'document',
          document: { ...policy, policy: { ...policy.policy, noDataAfterMs: 86_400_000 } },
        }),
        author,
      ),
    ],
    [
      'a policy in the name of another author',
      'malformed',
      signRequest(record('approver', { kind: 'document', document: policy }), await keyOf('approver')),
    ],
  ]
  for (const [what, reason, bytes] of cases) buried.push({ what, reason, offset: await post(bytes) })
  await hold('everything before it was taken')
  const after = await standing()
  expect({ ...after, newest: null }).toEqual({
    ...before,
    view: { ...before.view, holds: after.view.holds, order: after.view.order },
    decisionsTotal: before.decisionsTotal + 1,
    newest: null,
  })
  expect(after.view.order[2]).toBe(0)
  await releaseHolds()
})

test('a request that is sent again, byte for byte or under its id, is taken once', async () => {
  const genuine = await ask('author', { kind: 'hold', deployment: toy, reason: 'once' }, 'request-once')
  await until('the hold', async () => (await standing()).view.holds.length === 1)
  await releaseHolds()
  const before = await standing()
  await post(genuine)
  await ask('author', { kind: 'halt', deployment: toy, reason: 'under a used id' }, 'request-once')
  await hold('after both')
  const after = await standing()
  expect(after.decisionsTotal).toBe(before.decisionsTotal + 1)
  expect(after.view.holds.map(({ reason }) => reason)).toEqual(['after both'])
  expect(after.view.phase).toBe('steady')
  await releaseHolds()
})

test('nobody approves what they wrote, and a policy that was edited after its approval is not approved', async () => {
  const before = await standing()
  const refused = async (by: string, request: Request, says: RegExp): Promise<void> => {
    const { decisionsTotal } = await standing()
    await ask(by, request)
    await until('a decision', async () => (await standing()).decisionsTotal > decisionsTotal)
    const { newest } = await standing()
    expect([request.kind, newest?.outcome, newest?.by, newest?.text]).toEqual([
      request.kind,
      'refused',
      by,
      expect.stringMatching(says),
    ])
  }
  const approve = (object: Hash): Request => ({ kind: 'approve', deployment: toy, object, comment: 'mine' })
  const author = 'author' as PersonId
  const approved = readPolicy(running.files.policy, author)
  const edited: PolicyDocument = editedPolicy(approved.document)
  const editedHash = contentHash(edited)
  const manifest = readDocument(running.files.candidate.manifest, 'manifest')
  const baseline = readDocument(running.files.candidate.baseline, 'baseline')

  await refused('author', approve(approved.hash), /author had a hand in it/)
  await refused('approver', approve(editedHash), /document is not known/)
  for (const document of [edited, manifest.document, baseline.document])
    await ask('author', { kind: 'document', document })
  await refused('author', approve(editedHash), /author had a hand in it/)
  await refused(
    'author',
    {
      kind: 'rollout',
      deployment: toy,
      candidate: manifest.document.version,
      manifest: manifest.hash,
      policy: editedHash,
    },
    /policy is not approved/,
  )
  const after = await standing()
  expect({ ...after, decisionsTotal: 0, newest: null }).toEqual({ ...before, decisionsTotal: 0, newest: null })
  expect(running.router.told.every(({ candidate }) => candidate === null)).toBe(true)
})

test('each of them left a dead letter on the public topic with its place, reason and a sentence', async () => {
  const end = await running.finish()
  log = end.log
  expect(end.code).toBe(0)
  const letters = (await deadLettersOf(log)).filter(({ topic }) => topic === 'requests')
  for (const { what, offset, reason } of buried) {
    const own = letters.filter((letter) => letter.offset === offset)
    expect([what, own.map((letter) => [letter.partition, letter.row, letter.reason])]).toEqual([what, [[0, 0, reason]]])
    expect([what, (own[0]?.detail ?? '').length > 10]).toEqual([what, true])
  }
  expect(letters.length).toBe(buried.length)
  // The candidate's way was never opened: no command but the one of the beginning names it.
  const commands = await outsOf(log, 'governor', 'command')
  expect(commands.filter(({ command }) => command.desired.candidate !== null)).toEqual([])
})

function editedPolicy(document: PolicyDocument): PolicyDocument {
  const source = document.source.replace('no-data: 20s', 'no-data: 60s')
  return { ...document, source, policy: { ...document.policy, noDataAfterMs: 60_000 } }
}
