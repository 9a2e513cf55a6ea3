import { createPrivateKey, createPublicKey } from 'node:crypto'
import {
  type AgentId,
  type BaselineDocument,
  contentHash,
  type DeploymentDocument,
  type Document,
  type Fact,
  type Hash,
  type KeyEntry,
  type KeysetDocument,
  keyIdOf,
  type ManifestDocument,
  type PersonId,
  type Policy,
  type PolicyDocument,
  type Request,
  type Signer,
  sha256,
  signerOf,
  signFact,
  signRequest,
  topics,
  type VersionId,
} from '@interlock/contracts'
import { deployment, environment, tenant } from './place.ts'

const agent = 'agent' as AgentId
const root = 'root' as PersonId

/** Who asks for the rollout, and the two who approve it: a high class wants both. */
export const author = 'author' as PersonId
const approvers = ['approver', 'second-approver'] as const

/** People and an agent with keys of their own, and the documents of one rollout. */
export interface Cast {
  /** Public root key, SPKI DER in base64: what the governor is made with. */
  readonly rootKey: string
  readonly stable: Release
  readonly candidate: Release
  /** Requests that introduce the deployment, in order; the first is the keyset. */
  readonly introduction: readonly Uint8Array[]
  readonly rollout: (at: number) => Uint8Array
  request(by: string, request: Request, id: string, at: number): Uint8Array
  fact(fact: Fact): Uint8Array
}

export interface Release {
  readonly version: VersionId
  readonly digest: Hash
  readonly baseline: BaselineDocument
}

/** The texts that a policy was compiled from. */
export type Written = Pick<PolicyDocument, 'source' | 'layers'>

export interface CastOptions {
  readonly policy: Policy
  /** The policy as its author wrote it, with the layers that it extends. */
  readonly written: Written
  readonly baseline: BaselineDocument
  /** Of the new version; by default it looks as the stable one does. */
  readonly candidateBaseline?: BaselineDocument
}

/** PKCS #8 of an Ed25519 key, up to its 32 bytes. */
const keyHead = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Keys follow from their holders' names: a scenario signs the same bytes in every run, and guards nothing. */
function keyOf(holder: string): { readonly signer: Signer; readonly publicKey: string; readonly keyId: string } {
  const seed = Buffer.from(sha256(`scenario ${holder}`), 'hex')
  const key = createPrivateKey({ key: Buffer.concat([keyHead, seed]), format: 'der', type: 'pkcs8' })
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return { signer: signerOf(key), publicKey: der.toString('base64'), keyId: keyIdOf(der) }
}

function entryOf(holder: string, roles: KeyEntry['roles'], may: readonly string[]): KeyEntry {
  const { keyId, publicKey } = keyOf(holder)
  return { keyId, publicKey, roles, holder, may }
}

const keyset: KeysetDocument = {
  kind: 'keyset',
  version: 1,
  keys: [
    entryOf(author, ['person'], ['deployer', 'policy-author', 'on-call']),
    ...approvers.map((person) => entryOf(person, ['person'], ['policy-approver', 'release-approver', 'on-call'])),
    entryOf(agent, ['agent'], []),
  ],
}
const signers = new Map([root, author, ...approvers, agent].map((holder) => [holder as string, keyOf(holder).signer]))

/** Casts the rollout of a new version of the baseline's model under the policy. */
export function castOf({ policy, written, baseline, candidateBaseline }: CastOptions): Cast {
  const next = candidateBaseline ?? { ...baseline, version: `${modelOf(baseline.version)}@candidate` as VersionId }
  if (next.version === baseline.version)
    throw new RangeError(`both baselines are of ${next.version}; a rollout is of another version`)
  const stable = releaseOf(baseline)
  const candidate = releaseOf(next)
  const policyDocument: PolicyDocument = { kind: 'policy', policy, author, ...written }
  const document = documentOf(baseline, policy)
  const signer = (by: string): Signer => {
    const known = signers.get(by)
    if (known === undefined)
      throw new RangeError(`nobody in a scenario is named "${by}"; people are ${author}, ${approvers.join(', ')}`)
    return known
  }
  const request: Cast['request'] = (by, body, id, at) =>
    signRequest({ v: 1, id, environment, by: by as PersonId, request: body, at }, signer(by))
  const send = (document: Document, by: string = author): Uint8Array =>
    request(by, { kind: 'document', document }, `document-${contentHash(document)}`, 0)
  const approvals = [document, policyDocument].flatMap((approved) =>
    approvers.map((person) =>
      request(
        person,
        { kind: 'approve', deployment, object: contentHash(approved), comment: 'read' },
        `${person}-${contentHash(approved)}`,
        0,
      ),
    ),
  )
  const manifests = [stable, candidate].map(manifestOf)
  return {
    rootKey: keyOf(root).publicKey,
    ...{ stable, candidate, request },
    introduction: [
      send(keyset, root),
      ...[stable, candidate].map((release) => send(release.baseline)),
      ...manifests.map((manifest) => send(manifest)),
      send(policyDocument),
      send(document),
      request(author, { kind: 'register', deployment, document: contentHash(document) }, 'register', 0),
      ...approvals,
    ],
    rollout: (at) =>
      request(
        author,
        {
          kind: 'rollout',
          deployment,
          candidate: candidate.version,
          manifest: contentHash(manifests[1]),
          policy: contentHash(policyDocument),
        },
        'rollout',
        at,
      ),
    fact: (fact) => signFact({ v: 1, environment, deployment, by: agent, fact }, signer(agent)),
  }
}

function releaseOf(baseline: BaselineDocument): Release {
  return { version: baseline.version, digest: sha256(`artifact of ${baseline.version}`), baseline }
}

function manifestOf({ version, digest, baseline }: Release): ManifestDocument {
  return {
    kind: 'manifest',
    ...{ version, digest, trainedOn: 'scenario', codeCommit: 'scenario', owner: author, tags: {} },
    baseline: contentHash(baseline),
    offline: {},
  }
}

function modelOf(version: string): string {
  const [model = version] = version.split('@')
  return model
}

/** The deployment that is introduced. */
export function documentOf(baseline: BaselineDocument, policy: Policy): DeploymentDocument {
  return {
    kind: 'deployment',
    ...{ deployment, environment, tenant, riskClass: policy.riskClass, mapping: {} },
    segments: baseline.spec.segments.map(({ name }) => name),
    ...{ owner: author, onCall: author, approver: approvers[0] as PersonId },
    stable: baseline.version,
    topics: { predictions: topics.predictions },
    platform: { kind: 'memory', agent },
  }
}
