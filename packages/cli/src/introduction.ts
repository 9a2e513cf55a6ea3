import type { DeploymentDocument, DeploymentId, PersonId, PolicyDocument } from '@interlock/contracts'
import type { Config } from './config.ts'
import type { DeploymentFile } from './deployments.ts'
import { type Prepared, prepared, type Release, readPolicy, readRelease } from './documents.ts'

/** All documents with which a deployment is introduced. */
export interface Introduction extends Release {
  readonly deployment: DeploymentId
  readonly registration: Prepared<DeploymentDocument>
  readonly policy: Prepared<PolicyDocument>
}

/**
 * Reads the documents of a deployment and checks that they speak of the same thing.
 *
 * @throws UsageError, Refused (a policy that is not in order) with file, place, reason and remedy
 */
export function readIntroduction(config: Config, file: DeploymentFile): Introduction {
  const { document } = file
  const release = readRelease(file)
  const { version } = release.manifest.document
  if (version !== document.stable) {
    throw file.problem(
      ['stable'],
      `stable: "${document.stable}" should serve, and ${file.manifest} describes "${version}"`,
    )
  }
  const { spec } = release.baseline.document
  const known = spec.segments.map(({ name }) => name)
  const strange = document.segments.find((name) => !known.includes(name))
  if (strange !== undefined) {
    throw file.problem(
      ['segments'],
      `segments: ${file.baseline} does not count by "${strange}", only by ${known.join(', ') || 'nothing'}; build it with --segment ${strange}=<column>`,
    )
  }
  return {
    ...release,
    deployment: document.deployment,
    registration: prepared(document),
    policy: readPolicy(file.policy, config.operator as PersonId, spec),
  }
}
