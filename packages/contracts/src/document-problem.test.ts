import { expect, test } from 'vitest'
import { contentHash } from './canonical.ts'
import { layoutOf, packCounts } from './counts.ts'
import type { BaselineDocument, Document, ManifestDocument } from './document.ts'
import { documentProblem } from './document-problem.ts'
import { sha256 } from './hash.ts'
import type { PersonId, VersionId } from './ids.ts'

const spec = {
  v: 1 as const,
  features: [{ kind: 'categorical' as const, name: 'origin', vocabulary: ['ORD'] }],
  latencyEdgesMs: [1, 2],
  scoreEdges: [0, 1],
  classes: ['late'],
  segments: [],
  producers: ['west'],
}
function countsOf(rows: number): string {
  const vector = new Float64Array(layoutOf(spec).width)
  vector[0] = rows
  return Buffer.from(packCounts(vector)).toString('base64')
}
const baseline: BaselineDocument = {
  kind: 'baseline',
  version: 'm@v1' as VersionId,
  from: 'March',
  spec,
  specHash: contentHash(spec),
  rows: 5,
  slices: [{ dimension: 'producer', value: 'west', counts: countsOf(5) }],
  latencyLimitsMs: { p50: 1, p90: 2, p99: 3 },
  phi: {},
}
const manifest: ManifestDocument = {
  kind: 'manifest',
  version: 'm@v1' as VersionId,
  digest: sha256('m@v1'),
  trainedOn: 'March',
  codeCommit: 'none',
  owner: 'author' as PersonId,
  tags: {},
  baseline: contentHash(baseline),
  offline: {},
}

test('documents in order have no problem', () => {
  expect([documentProblem(baseline), documentProblem(manifest)]).toEqual([null, null])
})

test('a document that is not in order is told by its first problem, at the field', () => {
  const { owner: _, ...ownerless } = manifest
  const far = Buffer.from([200, 1, 1]).toString('base64')
  const cases: readonly (readonly [document: unknown, problem: RegExp])[] = [
    [ownerless, /^owner should be text and is missing/],
    [{ ...manifest, mood: 'good' }, /"mood"/],
    [{ ...manifest, digest: 'v1' }, /^its digest is no SHA-256/],
    [{ ...manifest, baseline: 'v1' }, /^its baseline is no hash/],
    [{ ...baseline, rows: '5' }, /^rows should be/],
    [{ ...baseline, rows: 6 }, /^its producers have 5 rows, and it says 6$/],
    [{ ...baseline, specHash: sha256('another') }, /^its spec has another hash/],
    [{ ...baseline, slices: [{ ...baseline.slices[0], counts: far }] }, /^its counts do not fit its spec/],
  ]
  for (const [document, problem] of cases) expect(documentProblem(document as Document)).toMatch(problem)
})
