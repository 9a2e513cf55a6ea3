import { contentHash, type Hash, type Policy, type PolicyDocument, type Processor } from '@interlock/contracts'
import type { GovernorState, StoredDocument } from './state.ts'

/**
 * The governor as it would have been, had each of these documents held another policy. The documents keep their hashes and
 * so what people approved; with the very policies that they hold the governor puts out the same bytes.
 *
 * @param documents the recorded policy documents that are replaced, with the policy that is supposed
 */
export function supposePolicies(
  governor: Processor<GovernorState>,
  documents: readonly { readonly document: PolicyDocument; readonly supposed: Policy }[],
): Processor<GovernorState> {
  const stored = new Map<Hash, StoredDocument>()
  for (const { document, supposed } of documents) {
    stored.set(contentHash(document), { document: { ...document, policy: supposed }, by: [], at: 0 })
  }
  // What is known by its hash stays when it is sent again, so that laying it there beforehand is enough.
  const supposing = (state: GovernorState): GovernorState => ({
    ...state,
    documents: {
      ...state.documents,
      ...Object.fromEntries(
        [...stored].map(([hash, one]) => {
          const known = state.documents[hash]
          return [hash, known === undefined ? one : { ...known, document: one.document }]
        }),
      ),
    },
    deployments: Object.fromEntries(
      Object.entries(state.deployments).map(([id, record]) => {
        const document = record.policy === null ? undefined : stored.get(record.policy.hash)?.document
        if (record.policy === null || document?.kind !== 'policy') return [id, record]
        return [id, { ...record, policy: { ...record.policy, policy: document.policy } }]
      }),
    ),
  })
  return {
    ...governor,
    empty: (shard) => supposing(governor.empty(shard)),
    load: (bytes, version) => supposing(governor.load(bytes, version)),
  }
}
