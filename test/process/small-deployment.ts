import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildBaseline } from '@interlock/columns'
import {
  type BaselineDocument,
  contentHash,
  type ManifestDocument,
  type PersonId,
  type Prediction,
  sha256,
  type VersionId,
} from '@interlock/contracts'
import { seededRandom } from '@interlock/runtime'

export const version = 'toy@v1' as VersionId
/** A second version that behaves as the first. */
export const nextVersion = 'toy@v2' as VersionId
/** What the stand-in router holds. */
export const loaded = [version, nextVersion].map((name) => ({ name, digest: sha256(name) }))
export const airports = ['AAA', 'BBB', 'CCC', 'DDD'] as const
export const producers = ['east', 'west'] as const

/** Seeded healthy predictions of the version that serves. */
export function predictions(
  count: number,
  seed: number,
  now: () => number,
  prefix: string,
  changes: Partial<Prediction> = {},
): Prediction[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}-${index}`,
    environment: 'crash',
    tenant: 'local',
    deployment: 'toy',
    generation: 0,
    version,
    variant: 'stable',
    unit: `u${Math.floor(random() * 1000)}`,
    eventTimeMs: now(),
    features: { x: random() * 100, airport: airports[Math.floor(random() * 4)] as string },
    prediction: random() < 0.3 ? 'yes' : 'no',
    score: random(),
    latencyMs: 5 + random() * 10,
    status: random() < 0.01 ? 'error' : 'ok',
    segments: { airport: airports[Math.floor(random() * 4)] as string },
    producer: producers[Math.floor(random() * 2)] as string,
    ...changes,
  }))
}

/** Promotes a harmless candidate within seconds. */
export const quickPolicy = `policy: toy
class: low
times: { pane: 1s, lateness: 1s, stall: 5s }
no-data: 20s
stages:
  - { share: 10%, rows: 100, at-least: 4s, at-most: 60s }
  - { share: 100% }
budgets: { rollouts: 1 in 1000 rollouts, watching: 1 false alarm in 90 days }
guardrails:
  errors: { signal: errors, against: stable, role: gate, tolerate: 50%, safe: 200%, absolute: 5%, action: roll back, protects: everybody }
  inputs: { signal: distribution(x), against: baseline, tolerate: 0.1, by: [producer], action: hold, protects: everybody }
`

/** Keeps a candidate at half of the traffic for as long as a test may take. */
export const slowPolicy = quickPolicy.replace(
  'share: 10%, rows: 100, at-least: 4s, at-most: 60s',
  'share: 50%, rows: 100000000, at-least: 10m, at-most: 60m',
)

function baselineOf(of: VersionId): BaselineDocument {
  const rows = predictions(20_000, 7, () => 0, 'b')
  return buildBaseline({
    version: of,
    from: 'synthetic',
    batches: [
      {
        features: {
          x: Float64Array.from(rows, (row) => row.features.x as number),
          airport: rows.map((row) => row.features.airport as string),
        },
        score: Float64Array.from(rows, (row) => row.score as number),
        latencyMs: Float64Array.from(rows, (row) => row.latencyMs as number),
        prediction: rows.map((row) => row.prediction),
        producer: rows.map((row) => row.producer),
        segments: { airport: rows.map((row) => row.segments.airport as string) },
      },
    ],
  })
}

export interface Release {
  readonly manifest: string
  readonly baseline: string
}

export interface SmallDeployment {
  /** interlock.yaml */
  readonly config: string
  readonly data: string
  readonly policy: string
  /** The version that is rolled out. */
  readonly candidate: Release
}

export interface SmallDeploymentOptions {
  /** policy.yaml; by default `quickPolicy`. */
  readonly policy?: string
  /** More lines of interlock.yaml. */
  readonly configuration?: string
}

/** Writes interlock.yaml, the deployment and its documents, as a team would have them. */
export async function writeDeployment(
  folder: string,
  routerUrl: string,
  port: number,
  options: SmallDeploymentOptions = {},
): Promise<SmallDeployment> {
  const { config, data, policy, releases } = await writeDeployments(folder, { toy: routerUrl }, port, options)
  return { config, data, policy, candidate: releases[0] as Release }
}

/**
 * The same for several deployments of one kind, that share topic, versions and policy.
 *
 * @param routers address of each one's router, by its name
 * @param candidates versions that can be rolled out; their files are `releases`, in the same order
 */
export async function writeDeployments(
  folder: string,
  routers: Readonly<Record<string, string>>,
  port: number,
  { policy: policySource = quickPolicy, configuration = '' }: SmallDeploymentOptions = {},
  candidates: readonly VersionId[] = [nextVersion],
): Promise<Omit<SmallDeployment, 'candidate'> & { readonly releases: readonly Release[] }> {
  const deployments = join(folder, 'deployments')
  await mkdir(deployments, { recursive: true })
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(deployments, name)
    await writeFile(file, text)
    return file
  }
  const release = async (of: VersionId, name: string): Promise<Release> => {
    const baseline = baselineOf(of)
    const manifest: ManifestDocument = {
      kind: 'manifest',
      version: of,
      digest: sha256(of),
      trainedOn: 'synthetic',
      codeCommit: 'none',
      owner: 'author' as PersonId,
      tags: {},
      baseline: contentHash(baseline),
      offline: {},
    }
    return {
      baseline: await write(`${name}.baseline.json`, JSON.stringify(baseline)),
      manifest: await write(`${name}.manifest.json`, JSON.stringify(manifest)),
    }
  }
  await release(version, 'toy')
  const releases: Release[] = []
  for (const candidate of candidates) releases.push(await release(candidate, candidate.replace('@', '-')))
  const policy = await write('toy.policy.yaml', policySource)
  for (const name of Object.keys(routers)) {
    await write(
      `${name}.yaml`,
      `deployment: ${name}
owner: author
onCall: author
approver: approver
riskClass: low
stable: ${version}
segments: [airport]
manifest: toy.manifest.json
baseline: toy.baseline.json
policy: toy.policy.yaml
`,
    )
  }
  const platforms = Object.entries(routers).map(
    ([name, url]) => `${name}: { kind: router, url: "${url}", tokenEnv: TOY_TOKEN }`,
  )
  const config = join(folder, 'interlock.yaml')
  await writeFile(
    config,
    `environment: crash
data: ./data
listen: { port: ${port} }
platforms: { ${platforms.join(', ')} }
${configuration}`,
  )
  return { config, data: join(folder, 'data'), policy, releases }
}
