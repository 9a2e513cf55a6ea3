import { type BaselineDocument, paneStart } from '@interlock/contracts'
import type { Release } from '@interlock/deployment'
import type { Desk } from './desk.ts'
import { baselineOf } from './documents.ts'
import { type DeploymentRecord, generationOf } from './record.ts'
import { endShadow } from './shadow.ts'

/**
 * Tells profiler and evaluator which versions to watch, from the next pane on. A version that is leaving stays watched
 * until its leaving is verified: `served` must be able to see it.
 *
 * @throws Error when the stable version's baseline is gone: registration and rollout admit nobody without one.
 */
export function watch(
  record: DeploymentRecord,
  desk: Pick<Desk, 'shard' | 'time' | 'outs'>,
  stable: Release,
  candidate: Release | null,
): DeploymentRecord {
  if (record.policy === null) return record
  const baselines = [stable, candidate].flatMap((release): BaselineDocument[] => {
    const baseline = release === null ? null : baselineOf(desk.shard.documents, release.baseline)
    return baseline === null ? [] : [baseline]
  })
  const [first] = baselines
  if (first === undefined)
    throw new Error(`${record.deployment}: the baseline of ${stable.version} is not in the documents`)
  const { paneMs } = record.policy.policy.times
  desk.outs.push({
    kind: 'watch',
    deployment: record.deployment,
    document: record.document,
    generation: generationOf(record),
    stable: stable.version,
    candidate: candidate?.version ?? null,
    spec: first.spec,
    specHash: first.specHash,
    policyHash: record.policy.hash,
    policy: record.policy.policy,
    baselines,
    from: paneStart(desk.time, paneMs) + paneMs,
    ...(record.shadow === undefined ? {} : { shadow: { hash: record.shadow.hash, policy: record.shadow.policy } }),
  })
  const isLeaving = candidate === null && record.watching?.candidate != null
  return { ...(isLeaving ? endShadow(record, desk) : record), watching: { stable, candidate } }
}
