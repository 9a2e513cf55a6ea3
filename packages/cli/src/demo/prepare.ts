import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BaselineBatch, buildBaseline } from '@interlock/columns'
import {
  type BaselineDocument,
  contentHash,
  type ManifestDocument,
  type PersonId,
  type VersionId,
} from '@interlock/contracts'
import {
  exampleFolder,
  type Model,
  marchRows,
  type TrainingReport,
  type train,
  versionName,
  writeArtifacts,
} from '@interlock/example-flights'
import { stringify } from 'yaml'

/** Everything on disk that the demo starts from, in one folder. */
export interface Prepared {
  readonly folder: string
  readonly artifacts: string
  readonly configFile: string
  readonly candidate: { readonly manifest: string; readonly baseline: string }
  readonly policy: string
  readonly report: TrainingReport
}

export const deployment = 'flight-delay'

/**
 * Trains both versions, counts the baselines of both in the same bins, and writes what a team would have in its
 * repository: interlock.yaml, deployments/flight-delay.yaml, manifests and baselines.
 */
export async function prepare(
  folder: string,
  routerUrl: string,
  artifacts: string,
  trained: Awaited<ReturnType<typeof train>>,
  /** Further sections of interlock.yaml. */
  sections: Readonly<Record<string, unknown>> = {},
): Promise<Prepared> {
  const documents = join(folder, 'deployments')
  await mkdir(documents, { recursive: true })
  const manifests = await writeArtifacts(artifacts, trained)
  // v2 sees all that v1 sees and more: its bins serve both, and what v1 does not have counts as missing.
  const v2 = await baselineOf(trained.models.v2)
  const v1 = await baselineOf(trained.models.v1, v2)
  const files = { v1: v1, v2: v2 }
  for (const version of ['v1', 'v2'] as const) {
    const baseline = files[version]
    const manifest: ManifestDocument = {
      kind: 'manifest',
      version: versionName(version) as VersionId,
      digest: manifests[version].digest,
      trainedOn: `${manifests[version].trainedOn.dataset} ${manifests[version].trainedOn.days}`,
      codeCommit: 'examples/flights',
      owner: 'author' as PersonId,
      tags: {},
      baseline: contentHash(baseline),
      offline: { auc: manifests[version].aucHeldOut },
    }
    await writeFile(join(documents, `${version}.manifest.json`), JSON.stringify(manifest))
    await writeFile(join(documents, `${version}.baseline.json`), JSON.stringify(baseline))
  }
  const policy = join(exampleFolder, 'policy.yaml')
  await writeFile(
    join(documents, `${deployment}.yaml`),
    stringify({
      deployment,
      owner: 'author',
      onCall: 'author',
      approver: 'approver',
      riskClass: 'medium',
      stable: versionName('v1'),
      segments: ['airport'],
      manifest: 'v1.manifest.json',
      baseline: 'v1.baseline.json',
      policy,
    }),
  )
  const configFile = join(folder, 'interlock.yaml')
  await writeFile(
    configFile,
    stringify({
      environment: 'demo',
      data: '.',
      deployments: 'deployments',
      platforms: { [deployment]: { kind: 'router', url: routerUrl, tokenEnv: 'ROUTER_ADMIN_TOKEN' } },
      ...sections,
    }),
  )
  return {
    folder,
    artifacts,
    configFile,
    candidate: { manifest: join(documents, 'v2.manifest.json'), baseline: join(documents, 'v2.baseline.json') },
    policy,
    report: trained.report,
  }
}

/** An empty folder for this run; the one of the run before it is taken away. */
export async function freshFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
}

async function baselineOf(model: Model, like?: BaselineDocument): Promise<BaselineDocument> {
  const batches: BaselineBatch[] = []
  for await (const batch of marchRows(model)) {
    const rows = batch.score.length
    // A feature that this version does not see is missing in every row.
    const unseen = (like?.spec.features ?? []).filter(({ name }) => !(name in batch.features))
    const absent = unseen.map(
      ({ name, kind }) =>
        [
          name,
          kind === 'numeric' ? new Float64Array(rows).fill(Number.NaN) : new Array<null>(rows).fill(null),
        ] as const,
    )
    batches.push({ ...batch, features: { ...batch.features, ...Object.fromEntries(absent) } })
  }
  return buildBaseline({
    version: versionName(model.version) as VersionId,
    from: 'March 2001',
    batches,
    ...(like === undefined ? {} : { like }),
  })
}
