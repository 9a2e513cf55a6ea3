import { readFileSync } from 'node:fs'
import {
  type BaselineDocument,
  contentHash,
  type Document,
  type Hash,
  type ManifestDocument,
  type PersonId,
  type PolicyDocument,
} from '@interlock/contracts'
import { check, formatProblem } from '@interlock/policy'
import { Refused, UsageError } from './errors.ts'

/** A document as it is sent, with the hash that people approve. */
export interface Prepared<D extends Document> {
  readonly document: D
  readonly hash: Hash
}

export function prepared<D extends Document>(document: D): Prepared<D> {
  return { document, hash: contentHash(document) }
}

/** Reads manifest.json or baseline.json. @throws UsageError when it is not such a document. */
export function readDocument<Kind extends 'manifest' | 'baseline'>(
  file: string,
  kind: Kind,
): Prepared<Extract<ManifestDocument | BaselineDocument, { kind: Kind }>> {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(
      `${file}: cannot be read as a ${kind} (${error instanceof Error ? error.message : String(error)}).`,
    )
  }
  const found = (value as { kind?: unknown } | null)?.kind
  if (found !== kind) {
    const remedy = kind === 'baseline' ? 'Make one with `interlock baseline build`.' : 'docs/quickstart.md shows one.'
    throw new UsageError(
      `${file}: holds ${found === undefined ? 'no document' : `a document of kind "${String(found)}"`}, not a ${kind}. ${remedy}`,
    )
  }
  return prepared(value as Extract<ManifestDocument | BaselineDocument, { kind: Kind }>)
}

/** Reads and compiles policy.yaml. @throws Refused with every problem when it is not in order. */
export function readPolicy(file: string, author: PersonId): Prepared<PolicyDocument> {
  let source: string
  try {
    source = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file}: cannot be read (${error instanceof Error ? error.message : String(error)}).`)
  }
  const { policy, problems } = check(source, file)
  if (policy === null) {
    throw new Refused(problems.map(formatProblem).join('\n'))
  }
  return prepared({ kind: 'policy', policy, author, source })
}
