import { createPrivateKey, createPublicKey } from 'node:crypto'
import {
  type AgentId,
  type BaselineDocument,
  type CountSpec,
  contentHash,
  type DeploymentDocument,
  type DeploymentId,
  type Hash,
  type KeyEntry,
  type KeysetDocument,
  keyIdOf,
  type ManifestDocument,
  type PersonId,
  type PolicyDocument,
  type Prediction,
  type Signer,
  sha256,
  signerOf,
  type VersionId,
} from '@interlock/contracts'
import { check } from '@interlock/policy'
import { packedCounts, recount } from './recount.ts'
import { Chance } from './streams.ts'

/** Who plays in a simulated world, and the documents they send. Everything is small, so that hours are cheap. */

export const environment = 'sim'
export const agentName = 'agent-sim' as AgentId
export const notifierName = 'notifier' as AgentId
export const rootName = 'root' as PersonId
/** One deployment on each of two shards, and a third so that the fleet's brake has a fleet. */
export const deployments = ['ant', 'bee', 'cow'] as readonly string[] as readonly DeploymentId[]
export const versionsEach = 9

const signers = new Map<string, Signer>()

/** Ed25519 key made from its holder's name, so that every run signs the same bytes. */
export function signerNamed(holder: string): Signer {
  const known = signers.get(holder)
  if (known !== undefined) return known
  const seed = Buffer.from(sha256(`simulation ${holder}`), 'hex')
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const signer = signerOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  signers.set(holder, signer)
  return signer
}

export function publicKeyOf(holder: string): Buffer {
  return createPublicKey(signerNamed(holder).privateKey).export({ type: 'spki', format: 'der' })
}

function entry(holder: string, roles: KeyEntry['roles'], may: readonly string[] = []): KeyEntry {
  const spki = publicKeyOf(holder)
  return { keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles, holder, may }
}

/** `mallory` has no key in it; in version 0, long ago, `vic` was allowed more. */
export function keysetOf(version: number): KeysetDocument {
  return {
    kind: 'keyset',
    version,
    keys: [
      entry('governor', ['governor']),
      entry('fleet', ['fleet']),
      entry(agentName, ['agent']),
      entry('other-agent', ['agent']),
      entry(notifierName, ['notifier']),
      entry('ada', ['person'], ['deployer', 'policy-author', 'on-call']),
      entry('bea', ['person'], ['policy-approver', 'release-approver']),
      entry('cho', ['person'], ['on-call']),
      entry('dan', ['person'], ['on-call', 'release-approver']),
      // One person who may write and approve: roles alone do not stop self-approval.
      entry('eve', ['person'], ['policy-author', 'policy-approver', 'deployer', 'release-approver']),
      entry('vic', ['person'], version === 0 ? ['deployer', 'on-call'] : []),
    ],
  }
}

export const spec: CountSpec = {
  v: 1,
  features: [
    { kind: 'numeric', name: 'x', edges: [0, 25, 50, 75, 100], scale: 1 },
    { kind: 'categorical', name: 'kind', vocabulary: ['a', 'b'] },
  ],
  latencyEdgesMs: [0, 10, 20, 40, 1_000],
  scoreEdges: [0, 0.5, 1],
  classes: ['no', 'yes'],
  segments: [{ name: 'zone', values: ['n', 's'] }],
  producers: ['east', 'west'],
}

/** How the rows of a version look; a healthy version has `healthy`. */
export interface Health {
  readonly errors: number
  /** Added to every x: the inputs have drifted. */
  readonly shift: number
}
export const healthy: Health = { errors: 0.02, shift: 0 }

/** One row as a production service would send it. Whole numbers throughout, so that sums are exact by any way. */
export function row(
  chance: Chance,
  { errors, shift }: Health,
  of: Pick<Prediction, 'id' | 'deployment' | 'generation' | 'version' | 'variant' | 'eventTimeMs'>,
): Prediction {
  const yes = chance.is(0.4)
  return {
    ...of,
    environment,
    tenant: 'local',
    unit: `u${chance.below(500)}`,
    features: { x: Math.min(130, chance.below(100) + shift), kind: chance.is(0.5) ? 'a' : 'b' },
    prediction: yes ? 'yes' : 'no',
    score: yes ? 0.75 : 0.25,
    latencyMs: 5 + chance.below(20),
    status: chance.is(errors) ? 'error' : 'ok',
    segments: { zone: chance.is(0.5) ? 'n' : 's' },
    producer: chance.is(0.5) ? 'east' : 'west',
  }
}

export function versionOf(deployment: string, number: number): VersionId {
  return `${deployment}@v${number}` as VersionId
}
export function digestOf(version: VersionId): Hash {
  return sha256(`artifact of ${version}`)
}

const versionsByDigest = new Map<Hash, VersionId>()
for (const deployment of deployments) {
  for (let number = 1; number <= versionsEach; number++) {
    const version = versionOf(deployment, number)
    versionsByDigest.set(digestOf(version), version)
  }
}
export function versionWith(digest: Hash): VersionId {
  const version = versionsByDigest.get(digest)
  if (version === undefined) throw new Error(`no version has the digest ${digest}`)
  return version
}

const baselineRows = (() => {
  const chance = new Chance(1, 'baseline')
  const of = { id: '', deployment: '', generation: 0, version: '', variant: 'stable', eventTimeMs: 0 } as const
  return Array.from({ length: 2_000 }, () => row(chance, healthy, of))
})()
const baselineSlices = [...recount(spec, baselineRows)]
  .filter(([name]) => name !== 'rows')
  .map(([name, counts]) => {
    const [dimension, value] = name.split('=') as [string, string]
    return { dimension, value, counts: Buffer.from(packedCounts(counts)).toString('base64') }
  })

export function baselineOf(version: VersionId): BaselineDocument {
  return {
    kind: 'baseline',
    version,
    from: 'synthetic rows',
    spec,
    specHash: contentHash(spec),
    rows: baselineRows.length,
    slices: baselineSlices,
    latencyLimitsMs: { p50: 10, p90: 20, p99: 40 },
    phi: {},
  }
}

export function manifestOf(version: VersionId): ManifestDocument {
  return {
    kind: 'manifest',
    version,
    digest: digestOf(version),
    trainedOn: 'synthetic rows',
    codeCommit: 'none',
    owner: 'ada' as PersonId,
    tags: {},
    baseline: contentHash(baselineOf(version)),
    offline: {},
  }
}

/**
 * How fast a world runs. Brisk: panes of 2 s, ticks of 1 s. Calm: panes of 10 s as in production, rows and ticks as much
 * rarer, so that an hour costs a fifth. The protocol's own deadlines are the same in both.
 */
export interface Pace {
  readonly name: 'brisk' | 'calm'
  readonly factor: number
  readonly paneMs: number
  readonly latenessMs: number
  readonly stallMs: number
  readonly tickMs: number
  readonly lingerMs: number
  readonly grantMs: number
}

export const paces = {
  brisk: {
    name: 'brisk',
    factor: 1,
    paneMs: 2_000,
    latenessMs: 2_000,
    stallMs: 8_000,
    tickMs: 1_000,
    lingerMs: 150,
    grantMs: 15_000,
  },
  calm: {
    name: 'calm',
    factor: 5,
    paneMs: 10_000,
    latenessMs: 5_000,
    stallMs: 15_000,
    tickMs: 5_000,
    lingerMs: 750,
    grantMs: 60_000,
  },
} as const satisfies Record<string, Pace>

const seconds = (ms: number): string => `${ms / 1_000}s`

/** The policy of all deployments; every time in it follows the pace. */
export function policySource({ factor, paneMs, latenessMs, stallMs, grantMs }: Pace): string {
  return `policy: small
class: low
times: { pane: ${seconds(paneMs)}, lateness: ${seconds(latenessMs)}, stall: ${seconds(stallMs)} }
no-data: ${20 * factor}s
grant: ${seconds(grantMs)}
loss-of-guardrail:
  - { after: 0s, action: hold }
  - { after: ${seconds(3 * grantMs)}, action: roll back }
stages:
  - { share: shadow, rows: 12, at-least: ${4 * factor}s, at-most: ${40 * factor}s }
  - { share: 30%, rows: 30, at-least: ${6 * factor}s, at-most: ${90 * factor}s }
  - { share: 100% }
brakes: { rollbacks-an-hour: 2, share-of-fleet: 20%, within: ${2 * factor}m }
guardrails:
  errors: { signal: errors, against: stable, role: gate, tolerate: 50%, safe: 200%, absolute: 15%, rows: 20, action: roll back, protects: everybody }
  inputs: { signal: distribution(x), against: stable, tolerate: 0.1, rows: 40, action: roll back, protects: everybody }
  trained: { signal: distribution(x), against: baseline, tolerate: 0.3, by: [producer], rows: 40, action: hold, protects: everybody }
blind:
  errors: a simulated deployment may have hardly a row a second
  inputs: a simulated deployment may have hardly a row a second
  trained: a simulated deployment may have hardly a row a second
`
}

export function policyDocument(author: string, source: string): PolicyDocument {
  const { policy, problems } = check(source, 'policy')
  if (policy === null) throw new Error(JSON.stringify(problems))
  return { kind: 'policy', policy, author: author as PersonId, source }
}

export function deploymentDocument(deployment: DeploymentId): DeploymentDocument {
  return {
    kind: 'deployment',
    deployment,
    environment,
    tenant: 'local',
    owner: 'ada' as PersonId,
    onCall: 'cho' as PersonId,
    approver: 'bea' as PersonId,
    riskClass: 'low',
    topics: { predictions: 'predictions' },
    mapping: {},
    segments: ['zone'],
    platform: { kind: 'router', agent: agentName },
    stable: versionOf(deployment, 1),
  }
}
