import { readFileSync } from 'node:fs'
import {
  type BaselineDocument,
  type CountSpec,
  contentHash,
  type Document,
  documentProblem,
  type Hash,
  type ManifestDocument,
  type PersonId,
  type PolicyDocument,
} from '@interlock/contracts'
import { formatProblem, knownFrom } from '@interlock/policy'
import { Refused, UsageError } from './errors.ts'
import { checkPolicyFiles, readPolicyFiles } from './policy-file.ts'

/** A document as it is sent, with the hash that people approve. */
export interface Prepared<D extends Document> {
  readonly document: D
  readonly hash: Hash
}

export function prepared<D extends Document>(document: D): Prepared<D> {
  return { document, hash: contentHash(document) }
}

const remedies = {
  manifest: 'docs/quickstart.md shows one.',
  baseline: 'Make one with `interlock baseline build`.',
} as const

/** Reads manifest.json or baseline.json. @throws UsageError when it is not such a document, whole and in order. */
export function readDocument<Kind extends 'manifest' | 'baseline'>(
  file: string,
  kind: Kind,
): Prepared<Extract<ManifestDocument | BaselineDocument, { kind: Kind }>> {
  type Wanted = Extract<ManifestDocument | BaselineDocument, { kind: Kind }>
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(
      `${file}: cannot be read as a ${kind} (${error instanceof Error ? error.message : String(error)}). ${remedies[kind]}`,
    )
  }
  const found = (value as { kind?: unknown } | null)?.kind
  if (found !== kind) {
    throw new UsageError(
      `${file}: holds ${found === undefined ? 'no document' : `a document of kind "${String(found)}"`}, not a ${kind}. ${remedies[kind]}`,
    )
  }
  const problem = documentProblem(value as Wanted)
  if (problem !== null) throw new UsageError(`${file}: is no ${kind} in order: ${problem}. ${remedies[kind]}`)
  return prepared(value as Wanted)
}

/** What a version is made of, and how it behaved when it was healthy. */
export interface Release {
  readonly manifest: Prepared<ManifestDocument>
  readonly baseline: Prepared<BaselineDocument>
}

/** Reads a version's two documents. @throws UsageError also where they do not belong together. */
export function readRelease(files: { readonly manifest: string; readonly baseline: string }): Release {
  const manifest = readDocument(files.manifest, 'manifest')
  const baseline = readDocument(files.baseline, 'baseline')
  const apart = (what: string, named: string, is: string): UsageError =>
    new UsageError(
      `${files.manifest}: names ${what} ${named}, and ${files.baseline} is ${is}: they do not belong together. Write the baseline's hash and version into the manifest, or name the right files.`,
    )
  if (manifest.document.baseline !== baseline.hash)
    throw apart('baseline', manifest.document.baseline.slice(0, 8), baseline.hash.slice(0, 8))
  if (manifest.document.version !== baseline.document.version)
    throw apart('version', manifest.document.version, `of ${baseline.document.version}`)
  return { manifest, baseline }
}

/**
 * Reads and compiles policy.yaml.
 *
 * @param counted what the deployment counts, where it is known: then the names in the policy are checked too
 * @throws Refused with every problem when it is not in order
 */
export function readPolicy(file: string, author: PersonId, counted?: CountSpec): Prepared<PolicyDocument> {
  const files = readPolicyFiles(file)
  const { policy, problems } = checkPolicyFiles(file, files, counted === undefined ? undefined : knownFrom(counted))
  if (policy === null) {
    throw new Refused(problems.map(formatProblem).join('\n'))
  }
  const { source, layers } = files
  return prepared({ kind: 'policy', policy, author, source, ...(layers.length === 0 ? {} : { layers }) })
}
