import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import {
  type AgentId,
  type BaselineDocument,
  contentHash,
  type DeploymentDocument,
  type DeploymentId,
  type Hash,
  type KeyEntry,
  type KeysetDocument,
  keyIdOf,
  layoutOf,
  type ManifestDocument,
  type PersonId,
  type Policy,
  type PolicyDocument,
  packCounts,
  sha256,
  type VersionId,
} from '@interlock/contracts'
import { check } from '@interlock/policy'

/** Who plays in a rehearsal: people and agents with keys of their own, and the documents they send. Tests only. */

export const flights = 'flight-delay' as DeploymentId
export const v1 = 'flight-delay@v1' as VersionId
export const v2 = 'flight-delay@v2' as VersionId
export const agentName = 'router-agent' as AgentId

/** Ed25519 keys made from their holders' names, so that every run signs the same bytes. */
export function keyOf(holder: string): KeyObject {
  const seed = Buffer.from(sha256(`rehearsal ${holder}`), 'hex')
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

export function publicBytes(holder: string): Buffer {
  return createPublicKey(keyOf(holder)).export({ type: 'spki', format: 'der' })
}

function entry(holder: string, roles: KeyEntry['roles'], may: readonly string[]): KeyEntry {
  const spki = publicBytes(holder)
  return { keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles, holder, may }
}

export const keyset: KeysetDocument = {
  kind: 'keyset',
  version: 1,
  keys: [
    entry('ada', ['person'], ['deployer', 'policy-author', 'on-call']),
    entry('bea', ['person'], ['policy-approver', 'release-approver']),
    entry('cho', ['person'], ['on-call']),
    // One person who may write and approve: roles alone do not stop self-approval.
    entry('eve', ['person'], ['policy-author', 'policy-approver', 'deployer', 'release-approver']),
    entry(agentName, ['agent'], []),
    entry('other-agent', ['agent'], []),
    entry('notifier', ['notifier'], []),
  ],
}

const spec: BaselineDocument['spec'] = {
  v: 1,
  features: [{ kind: 'numeric', name: 'distance', edges: [0, 500, 1_000, 3_000], scale: 1 }],
  latencyEdgesMs: [0, 10, 50, 100],
  scoreEdges: [0, 0.5, 1],
  classes: ['late', 'on-time'],
  segments: [],
  producers: ['northeast', 'south'],
}

export function baselineOf(version: VersionId, inBinsOf: BaselineDocument['spec'] = spec): BaselineDocument {
  const counts = new Float64Array(layoutOf(inBinsOf).width)
  counts[0] = 500
  const packed = Buffer.from(packCounts(counts)).toString('base64')
  return {
    kind: 'baseline',
    version,
    from: 'march',
    spec: inBinsOf,
    specHash: contentHash(inBinsOf),
    rows: 1_000,
    slices: ['northeast', 'south'].map((value) => ({ dimension: 'producer', value, counts: packed })),
    latencyLimitsMs: { p50: 10, p90: 50, p99: 100 },
    phi: {},
  }
}

export function manifestOf(version: VersionId): ManifestDocument {
  return {
    kind: 'manifest',
    version,
    digest: digestOf(version),
    trainedOn: 'january and february',
    codeCommit: 'abc123',
    owner: 'ada' as PersonId,
    tags: {},
    baseline: contentHash(baselineOf(version)),
    offline: {},
  }
}

export function digestOf(version: VersionId): Hash {
  return sha256(`artifact of ${version}`)
}

export const policySource = `
policy: flight-delay
class: medium
words:
  rows: flights
  features:
    distance: { name: flight distance, unit: miles }
times: { pane: 1s, lateness: 1s, stall: 5s }
no-data: 8s
grant: 30s
loss-of-guardrail:
  - { after: 0s, action: hold }
  - { after: 5m, action: roll back }
stages:
  - { share: shadow, rows: 100, at-least: 2s, at-most: 30s }
  - { share: 10%, rows: 100, at-least: 6s, at-most: 60s }
  - { share: 100% }
guardrails:
  errors:
    signal: errors
    against: stable
    role: gate
    tolerate: 20%
    safe: 100%
    action: roll back
    protects: travellers who get no answer
  inputs:
    signal: distribution(distance)
    against: stable
    tolerate: 0.05
    action: roll back
    protects: travellers who get a guess
  inputs-training:
    signal: distribution(distance)
    against: baseline
    tolerate: 0.05
    by: [producer]
    action: hold
    protects: travellers who get a guess
`

export function policyOf(source = policySource): Policy {
  const { policy, problems } = check(source, 'policy.yaml')
  if (policy === null) throw new Error(JSON.stringify(problems))
  return policy
}

export function policyDocument(author = 'ada', source = policySource): PolicyDocument {
  return { kind: 'policy', policy: policyOf(source), author: author as PersonId, source }
}

export const deploymentDocument: DeploymentDocument = {
  kind: 'deployment',
  deployment: flights,
  environment: 'test',
  tenant: 'local',
  owner: 'ada' as PersonId,
  onCall: 'ada' as PersonId,
  approver: 'bea' as PersonId,
  riskClass: 'medium',
  topics: { predictions: 'predictions' },
  mapping: {},
  segments: [],
  platform: { kind: 'router', agent: agentName },
  stable: v1,
}
