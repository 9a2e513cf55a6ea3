import {
  type AnyOut,
  canonicalJson,
  contentHash,
  type Hash,
  type LogTime,
  type Policy,
  type PolicyDocument,
  type Processor,
} from '@interlock/contracts'
import { type DeploymentRecord, generationOf } from './record.ts'
import type { GovernorState, StoredDocument } from './state.ts'
import { watch } from './watch.ts'

/** A governor as it would have been, and how it goes back to the record where a generation begins. */
export interface SupposedGovernor {
  readonly processor: Processor<SupposedState>
  /**
   * Where a generation of a deployment begins in the record, what is supposed goes on from what was recorded: what the supposed
   * policy did with the generation before says nothing of this one.
   *
   * @param before the recorded governor's state before the step at hand, and `after` it
   * @returns the state to make the step from, over the recorded inputs; null where no generation begins
   */
  rejoin(supposed: SupposedState, before: GovernorState, after: GovernorState): SupposedState | null
}

export interface SupposedState {
  readonly governor: GovernorState
  /** The other policies are in force: always, but before `since`. */
  readonly isSupposed: boolean
}

/**
 * The governor as it would have been, had each of these documents held another policy. The documents keep their hashes and
 * so what people approved; with the very policies that they hold the governor puts out the same bytes.
 *
 * @param documents the recorded policy documents that are replaced, with the policy that is supposed
 * @param since before it the recorded policies are in force; then the evaluator is told to watch by the other ones
 */
export function supposePolicies(
  governor: Processor<GovernorState>,
  documents: readonly { readonly document: PolicyDocument; readonly supposed: Policy }[],
  since: LogTime = 0,
): SupposedGovernor {
  const stored = new Map<Hash, StoredDocument>()
  const changed = new Set<Hash>()
  for (const { document, supposed } of documents) {
    const hash = contentHash(document)
    stored.set(hash, { document: { ...document, policy: supposed }, by: [], at: 0 })
    if (canonicalJson(document.policy) !== canonicalJson(supposed)) changed.add(hash)
  }
  const judgedAnew = (record: DeploymentRecord): DeploymentRecord => {
    const document = record.policy === null ? undefined : stored.get(record.policy.hash)?.document
    if (record.policy === null || document?.kind !== 'policy') return record
    return { ...record, policy: { ...record.policy, policy: document.policy } }
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
      Object.entries(state.deployments).map(([id, record]) => [id, judgedAnew(record)] as const),
    ),
  })
  /** A version that is watched already is watched by the other policy from the next pane on. */
  const watchAnew = (state: GovernorState, time: LogTime): readonly AnyOut[] => {
    const outs: AnyOut[] = []
    for (const record of Object.values(state.deployments)) {
      const { watching, policy } = record
      if (watching === null || policy === null || !changed.has(policy.hash)) continue
      watch(record, { shard: state, time, outs }, watching.stable, watching.candidate)
    }
    return outs
  }
  return {
    processor: {
      ...governor,
      empty: (shard) => ({ governor: governor.empty(shard), isSupposed: false }),
      load: (bytes, version) => ({ governor: governor.load(bytes, version), isSupposed: false }),
      save: (state) => governor.save(state.governor),
      step: (state, batch, time, caughtUp) => {
        const begins = !state.isSupposed && time >= since
        const from = begins ? supposing(state.governor) : state.governor
        const told = begins ? watchAnew(from, time) : []
        const [next, outs] = governor.step(from, batch, time, caughtUp)
        return [{ governor: next, isSupposed: state.isSupposed || begins }, [...told, ...outs]]
      },
    },
    rejoin: (supposed, before, after) => {
      if (!supposed.isSupposed) return null
      const begun = Object.values(after.deployments).flatMap((record) => {
        const old = before.deployments[record.deployment]
        return old === undefined || generationOf(record) <= generationOf(old) ? [] : [judgedAnew(old)]
      })
      if (begun.length === 0) return null
      const deployments = { ...supposed.governor.deployments }
      for (const record of begun) deployments[record.deployment] = record
      return { ...supposed, governor: { ...supposed.governor, deployments } }
    },
  }
}
