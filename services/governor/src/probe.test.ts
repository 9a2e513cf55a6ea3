import {
  contentHash,
  type DeploymentId,
  type Hash,
  type Input,
  isProbe,
  type KeysetDocument,
  type ManifestDocument,
  type PersonId,
  probeDeployment,
  sha256,
  type VersionId,
} from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { alertFor } from './alert.ts'
import { documentsKept, storeDocument } from './documents.ts'
import { createFleet } from './fleet/processor.ts'
import { braked } from './heed.ts'
import { Rehearsal } from './rehearsal.ts'
import { flights, keyset } from './rehearsal-cast.ts'
import { emptyState } from './state.ts'

/** The synthetic deployment breaches each minute; it must neither touch another deployment nor hide a breach (S14). */
describe('the probe', () => {
  const broken = { harm: 12, producer: 'northeast' }
  const breach = new Rehearsal().canary().seconds(1, { 'inputs-training/v1': broken, 'inputs-training/v2': broken })
  const inputs = (names: readonly string[]): readonly Input[] =>
    names.flatMap((deployment) =>
      breach.outs.flatMap((out, at): Input[] => {
        if (!('deployment' in out)) return []
        const renamed = { ...out, deployment: deployment as DeploymentId }
        return [{ kind: 'out', processor: 'governor', shard: 0, offset: BigInt(at), at: breach.time, out: renamed }]
      }),
    )

  test('is no deployment of the fleet: its breach is neither the third one that brakes, nor a calm one among three', () => {
    const fleet = createFleet()
    const kinds = (names: readonly string[]) =>
      fleet.step(fleet.empty(0), inputs(names), breach.time, true)[1].map(({ kind }) => kind)
    expect(kinds(['a', 'b', probeDeployment])).not.toContain('brake')
    expect(kinds(['a', 'b', 'c', probeDeployment])).toContain('brake')
  })

  test('is not held by the brake, and everybody else is', () => {
    const brake = { kind: 'brake', on: true, reason: 'x', deployments: [], sharedProducer: null } as const
    const record = breach.state.deployments[flights]!
    const desk = { config: breach.config, time: breach.time, outs: [], shard: breach.state }
    expect(braked(record, brake, desk).holds).not.toEqual(record.holds)
    const probe = { ...record, deployment: probeDeployment }
    expect(braked(probe, brake, desk)).toBe(probe)
  })

  test('pages nobody by its breach, while the same decision about another deployment does', () => {
    const decision = breach.outs.find((out) => out.kind === 'decision' && out.outcome === 'data-incident')
    if (decision?.kind !== 'decision') throw new Error('the rehearsal has no incident')
    const record = breach.state.deployments[flights]!
    expect(alertFor(record, decision, breach.time)?.out.kind).toBe('alert')
    expect(alertFor({ ...record, deployment: probeDeployment }, decision, breach.time)).toBeNull()
    expect(isProbe(flights)).toBe(false)
  })

  test('a key that may ask about the probe only cannot roll back, hold or approve anything else', () => {
    const bound: KeysetDocument = {
      ...keyset,
      version: 2,
      keys: keyset.keys.map((key) => (key.holder === 'cho' ? { ...key, only: [probeDeployment] } : key)),
    }
    const free = new Rehearsal().canary()
    const before = free.shown()
    free.ask('cho', { kind: 'rollback', deployment: flights, reason: 'x' })
    expect(free.shown()).not.toEqual(before)
    const story = new Rehearsal().canary()
    story.step([story.request('root', { kind: 'document', document: bound }, { key: 'root' })])
    const still = story.shown()
    for (const kind of ['rollback', 'hold', 'halt'] as const) {
      const outs = story.ask('cho', { kind, deployment: flights, reason: 'x' })
      expect(outs).toContainEqual(expect.objectContaining({ kind: 'dead-letter', reason: 'bad-signature' }))
    }
    expect(story.shown()).toEqual(still)
  })

  test('a sender of many documents displaces their own, and not one that waits for its approval', () => {
    const may = (holder: string) => ({ ...keyset.keys[0]!, holder, keyId: holder, may: ['deployer'] })
    let state = { ...emptyState(0), keyset: { ...keyset, keys: [may('ada'), may('probe')] } }
    const manifest = (version: string): ManifestDocument => ({
      kind: 'manifest',
      version: version as VersionId,
      digest: sha256(version),
      trainedOn: 'x',
      codeCommit: 'x',
      owner: 'ada' as PersonId,
      tags: {},
      baseline: sha256('baseline'),
      offline: {},
    })
    const waiting: Hash[] = []
    const send = (by: string, version: string, at: number): Hash => {
      const document = manifest(version)
      const next = storeDocument(state, document, by as PersonId, at)
      if ('refused' in next) throw new Error(next.refused)
      state = next as typeof state
      return contentHash(document)
    }
    for (let nth = 0; nth < 30; nth++) waiting.push(send('ada', `a@${nth}`, nth))
    for (let nth = 0; nth < 3 * documentsKept; nth++) send('probe', `p@${nth}`, 1_000 + nth)
    expect(Object.keys(state.documents)).toHaveLength(documentsKept)
    expect(waiting.filter((hash) => !(hash in state.documents))).toEqual([])
  })
})
