import type { Hash, VersionId } from '@interlock/contracts'

/** A version as a deployment knows it: what the platform activates, and the documents that describe it. */
export interface Release {
  readonly version: VersionId
  readonly digest: Hash
  readonly manifest: Hash
  readonly baseline: Hash
}
