import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buildBaseline } from '@interlock/columns'
import {
  contentHash,
  type ManifestDocument,
  type PersonId,
  type Prediction,
  sha256,
  type VersionId,
} from '@interlock/contracts'
import { seededRandom } from '@interlock/runtime'

export const version = 'toy@v1' as VersionId
export const digest = sha256('toy@v1')
const airports = ['AAA', 'BBB', 'CCC', 'DDD']
const producers = ['east', 'west']

/** A router that does nothing but answer its admin API truthfully: these tests are about the log, not about serving. */
export async function standInRouter(): Promise<{ url: string; close: () => void }> {
  const state = { generation: 0, stable: digest, candidate: null, share: 0, shadow: false, fallback: false }
  const server: Server = createServer((request, response) => {
    const body = request.url?.startsWith('/admin/ready')
      ? { ready: true, checks: [{ name: 'loaded', ok: true, detail: '' }] }
      : { etag: '"1"', ...state, loaded: [{ name: version, digest }] }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

/** Seeded healthy predictions. */
export function predictions(count: number, seed: number, now: () => number, prefix: string): Prediction[] {
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
  }))
}

/** Writes interlock.yaml, the deployment and its documents, as a team would have them. */
export async function writeDeployment(folder: string, routerUrl: string, port: number): Promise<string> {
  const rows = predictions(20_000, 7, () => 0, 'b')
  const baseline = buildBaseline({
    version,
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
  const manifest: ManifestDocument = {
    kind: 'manifest',
    version,
    digest,
    trainedOn: 'synthetic',
    codeCommit: 'none',
    owner: 'author' as PersonId,
    tags: {},
    baseline: contentHash(baseline),
    offline: {},
  }
  const deployments = join(folder, 'deployments')
  await mkdir(deployments, { recursive: true })
  await writeFile(join(deployments, 'toy.baseline.json'), JSON.stringify(baseline))
  await writeFile(join(deployments, 'toy.manifest.json'), JSON.stringify(manifest))
  await writeFile(
    join(deployments, 'toy.policy.yaml'),
    `policy: toy
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
`,
  )
  await writeFile(
    join(deployments, 'toy.yaml'),
    `deployment: toy
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
  const file = join(folder, 'interlock.yaml')
  await writeFile(
    file,
    `environment: crash
data: ./data
listen: { port: ${port} }
platforms: { toy: { kind: router, url: "${routerUrl}", tokenEnv: TOY_TOKEN } }
`,
  )
  return file
}
