import {
  type BaselineDocument,
  canonicalJson,
  contentHash,
  type Document,
  documentProblem,
  type Hash,
  type LogTime,
  type ManifestDocument,
  type PersonId,
  type PolicyDocument,
  unreachable,
  type VersionId,
} from '@interlock/contracts'
import { type Release, rolesOf } from '@interlock/deployment'
import { check } from '@interlock/policy'
import type { GovernorState, StoredDocument } from './state.ts'

/** Documents of a shard; beyond it the oldest that no deployment uses make room. */
export const documentsKept = 256

/**
 * Takes a document in by its hash. Whoever sends it is remembered as a hand in it and can never approve it.
 *
 * @returns the new state, or a sentence that says why the document was not taken
 */
export function storeDocument(
  state: GovernorState,
  document: Document,
  by: PersonId,
  at: LogTime,
): GovernorState | { readonly refused: string } {
  const problem = problemOf(state, document, by, at)
  if (problem !== null) return { refused: problem }
  const hash = contentHash(document)
  const known = state.documents[hash]
  if (known?.by.includes(by)) return state
  const stored: StoredDocument = known === undefined ? { document, by: [by], at } : { ...known, by: [...known.by, by] }
  const documents = { ...state.documents, [hash]: stored }
  if (Object.keys(documents).length > documentsKept) {
    const used = documentsInUse(state)
    const idle = Object.entries(documents).filter(([each]) => each !== hash && !used.has(each))
    const displaced = displacedOf(idle, by)
    if (displaced === undefined)
      return { refused: `the shard keeps ${documentsKept} documents, and all of them are in use` }
    delete documents[displaced]
  }
  return { ...state, documents }
}

/** Of the documents that nobody uses so many are one person's to keep, when there is no room for all. */
const idleShare = documentsKept / 4

/**
 * What makes room: the oldest that nobody uses, of the sender who has more than their share, else of whoever has most. So one
 * who sends many, as the probe does, displaces their own and nobody's document that waits for its approval.
 */
function displacedOf(idle: readonly (readonly [hash: string, stored: StoredDocument])[], sender: PersonId) {
  const count = new Map<PersonId | undefined, number>()
  for (const [, { by }] of idle) count.set(by[0], (count.get(by[0]) ?? 0) + 1)
  const most = Math.max(0, ...count.values())
  const hasTooMany = (count.get(sender) ?? 0) >= idleShare
  const theirs = idle.filter(([, { by }]) => (hasTooMany ? by[0] === sender : count.get(by[0]) === most))
  return theirs.toSorted(([a, x], [b, y]) => x.at - y.at || (a < b ? -1 : 1))[0]?.[0]
}

function problemOf(state: GovernorState, document: Document, by: PersonId, at: LogTime): string | null {
  // What the evaluator would stumble over later is refused here.
  const unlawful = documentProblem(document)
  if (unlawful !== null) return unlawful
  const roles = rolesOf(state.keyset, by)
  switch (document.kind) {
    case 'keyset':
      return 'a keyset is signed by the root key'
    case 'policy':
      if (!roles.has('policy-author')) return `${by} may not write policies: the role policy-author is missing`
      return policyProblem(document, by, at)
    case 'baseline':
      return roles.has('deployer')
        ? sizeProblem(document)
        : `${by} may not send baselines: the role deployer is missing`
    case 'manifest':
      return roles.has('deployer') ? null : `${by} may not send a manifest: the role deployer is missing`
    case 'deployment':
      return roles.has('deployer') ? null : `${by} may not send a deployment: the role deployer is missing`
    default:
      return unreachable(document)
  }
}

/** The approver reads the source and the machine runs the policy: both must be the same, and the author the sender. */
function policyProblem(document: PolicyDocument, by: PersonId, at: LogTime): string | null {
  if (document.author !== by) return `it names ${document.author} as its author, and ${by} sent it`
  const { policy, problems } = check(document.source, 'policy', undefined, { layers: document.layers ?? [], now: at })
  const first = problems[0]
  if (policy === null) return `its source is not a policy: ${first?.file} line ${first?.line}: ${first?.happened}`
  if (canonicalJson(policy) !== canonicalJson(document.policy)) return 'its source says something else than its policy'
  return null
}

/** A watch carries the baselines of two versions in one out, and an entry of the log holds at most 900 KiB. */
export const baselineBytesLimit = 400_000

function sizeProblem(document: BaselineDocument): string | null {
  const bytes = canonicalJson(document).length
  if (bytes <= baselineBytesLimit) return null
  return `it has ${bytes} bytes, and ${baselineBytesLimit} are possible: build it with fewer segments or bins`
}

function documentsInUse(state: GovernorState): ReadonlySet<string> {
  const used = new Set<string>()
  for (const record of Object.values(state.deployments)) {
    used.add(record.documentHash)
    if (record.policy !== null) used.add(record.policy.hash)
    if (record.shadow !== undefined) used.add(record.shadow.hash)
    const { stable, candidate, previous, suspended } = record
    for (const release of [stable, candidate, suspended?.candidate ?? null, ...previous]) {
      if (release !== null) used.add(release.manifest).add(release.baseline)
    }
  }
  return used
}

type Documents = GovernorState['documents']

export function manifestOf(documents: Documents, hash: Hash): ManifestDocument | null {
  const document = documents[hash]?.document
  return document?.kind === 'manifest' ? document : null
}

export function baselineOf(documents: Documents, hash: Hash): BaselineDocument | null {
  const document = documents[hash]?.document
  return document?.kind === 'baseline' ? document : null
}

export function policyOf(documents: Documents, hash: Hash): PolicyDocument | null {
  const document = documents[hash]?.document
  return document?.kind === 'policy' ? document : null
}

/** People who had a hand in a document: senders, and the author that it names. */
export function authorsOf(documents: Documents, hash: Hash): readonly PersonId[] {
  const stored = documents[hash]
  if (stored === undefined) return []
  return stored.document.kind === 'policy' ? [...stored.by, stored.document.author] : stored.by
}

/** The release that a manifest describes. */
export function releaseOf(manifest: ManifestDocument, hash: Hash): Release {
  return { version: manifest.version, digest: manifest.digest, manifest: hash, baseline: manifest.baseline }
}

/** The only manifest of a version, or a sentence that says why there is none. */
export function onlyManifest(documents: Documents, version: VersionId): Release | { readonly refused: string } {
  const found = Object.entries(documents).flatMap(([hash, { document }]) =>
    document.kind === 'manifest' && document.version === version ? [releaseOf(document, hash as Hash)] : [],
  )
  const [only, another] = found
  if (only === undefined) return { refused: `no manifest of ${version} was sent` }
  if (another !== undefined) return { refused: `${found.length} manifests describe ${version}` }
  return only
}
