import { buildBaseline } from '@interlock/columns'
import {
  type AgentId,
  type BaselineDocument,
  contentHash,
  type DeploymentDocument,
  type Hash,
  type ManifestDocument,
  type PersonId,
  type PolicyDocument,
  probeDeployment,
  sha256,
  topics,
  type VersionId,
} from '@interlock/contracts'
import { check } from '@interlock/policy'

/** Holders of the probe's keys. They may ask about the probe and nothing else (`only` in the keyset). */
export const probePeople = {
  deployer: { id: 'interlock-probe-deployer' as PersonId, may: ['deployer', 'policy-author', 'on-call'] },
  approver: { id: 'interlock-probe-approver' as PersonId, may: ['policy-approver', 'release-approver'] },
} as const
export const probeAgent = 'agent-interlock-probe' as AgentId

/**
 * The probe's policy: the shortest panes and a half of the traffic, so that a candidate that only answers errors is found out
 * within seconds; a canary that never ends by itself, since the probe is there to be rolled back; and brakes that let it be rolled
 * back each minute. Its budget of false alarms does not matter: it has no users.
 */
export const probePolicySource = `policy: interlock-probe
class: low
times: { pane: 1s, lateness: 500ms, stall: 5s }
no-data: 1m
stages:
  - { share: 50%, rows: 1000000000, at-least: 12h, at-most: 24h }
  - { share: 100% }
guardrails:
  errors: { signal: errors, against: stable, role: gate, tolerate: 50%, safe: 100%, rows: 10, action: roll back, protects: everybody whom Interlock guards }
brakes: { rollbacks-an-hour: 100, share-of-fleet: 100%, within: 1s }
`

export const probeStable = 'interlock-probe@stable' as VersionId
/**
 * Versions that the probe rolls out in turn. A version that was rolled back is refused while the governor remembers it, which are
 * the newest 64; so there are more than that, and the governor's documents stay few.
 */
export const probeVersions = 70
export function probeCandidate(turn: number): VersionId {
  return `interlock-probe@${turn % probeVersions}` as VersionId
}

/** What the "model" of a version is: nothing but its name. */
export function digestOf(version: VersionId): Hash {
  return sha256(version)
}

export interface ProbeRelease {
  readonly version: VersionId
  readonly manifest: ManifestDocument
  readonly manifestHash: Hash
  readonly baseline: BaselineDocument
}

const baselineRows = 200

/** Manifest and baseline of a version. Always the same bytes: sent again after a restart they are known already. */
export function releaseOf(version: VersionId): ProbeRelease {
  const rows = Array.from({ length: baselineRows }, (_, row) => row)
  const baseline = buildBaseline({
    version,
    from: 'synthetic',
    batches: [
      {
        features: {},
        segments: {},
        prediction: rows.map((row) => (row % 2 === 0 ? 'yes' : 'no')),
        latencyMs: Float64Array.from(rows, (row) => 1 + (row % 10)),
        producer: rows.map(() => 'interlock-probe'),
      },
    ],
  })
  const manifest: ManifestDocument = {
    kind: 'manifest',
    version,
    digest: digestOf(version),
    trainedOn: 'nothing: it is synthetic',
    codeCommit: 'none',
    owner: probePeople.deployer.id,
    tags: {},
    baseline: contentHash(baseline),
    offline: {},
  }
  return { version, manifest, manifestHash: contentHash(manifest), baseline }
}

export function probePolicy(): PolicyDocument {
  const { policy, problems } = check(probePolicySource, 'interlock-probe.yaml')
  if (policy === null) throw new Error(`the probe's own policy is not in order: ${problems[0]?.happened}`)
  return { kind: 'policy', policy, author: probePeople.deployer.id, source: probePolicySource }
}

export function probeDocument(environment: string, tenant: string): DeploymentDocument {
  const { deployer, approver } = probePeople
  return {
    kind: 'deployment',
    deployment: probeDeployment,
    environment,
    tenant,
    owner: deployer.id,
    onCall: deployer.id,
    approver: approver.id,
    riskClass: 'low',
    topics: { predictions: topics.probe },
    mapping: {},
    segments: [],
    platform: { kind: 'memory', agent: probeAgent },
    stable: probeStable,
  }
}
