/**
 * A rollout as two people live it, by the command line only: registered, approved, refused, started, watched, rolled back by
 * hand, verified, explained, replayed. The router is a stand-in; Interlock is `interlock up` as a process.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, type Ran, until } from '../process/interlock.ts'
import { recordsOf } from '../process/records.ts'
import { loaded, slowPolicy } from '../process/small-deployment.ts'
import { startTraffic } from '../process/traffic.ts'
import { registeredDeployment, type WatchedDeployment } from '../process/watched-deployment.ts'
import { whyOf } from './why-document.ts'

const [v1, v2] = loaded
let toy: WatchedDeployment
let traffic: ReturnType<typeof startTraffic> | undefined
let watching: Promise<Ran> | undefined

beforeAll(async () => {
  toy = await registeredDeployment({ policy: slowPolicy })
}, 60_000)
afterAll(async () => {
  await traffic?.stop().catch(() => undefined)
  await toy?.remove()
})

const start = (): Promise<Ran> =>
  toy.cli(
    ...['--json', 'rollout', 'start', 'toy', '--manifest', toy.files.candidate.manifest],
    ...['--baseline', toy.files.candidate.baseline, '--policy', toy.files.policy],
  )
const row = async (): Promise<Record<string, unknown>> => {
  const ran = await toy.cli('status', '--json')
  const { deployments } = documentOf(ran) as { deployments: Record<string, unknown>[] }
  return { code: ran.code, ...deployments[0] }
}
const events = ({ stdout }: Ran): Record<string, unknown>[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('nothing rolls out before a second person has approved the policy: exit 1, and the command that approves it', async () => {
  expect(await row()).toMatchObject({ deployment: 'toy', stable: 'toy@v1', candidate: null })
  const early = await start()
  expect(early.code).toBe(1)
  expect(documentOf(early)).toMatchObject({ v: 1, outcome: 'refused', policy: toy.hashes.policy })
  const own = await toy.cli('approve', 'toy', toy.hashes.policy, '--as', 'author', '--json')
  expect([own.code, documentOf(own).outcome]).toEqual([1, 'refused'])
  const told = await toy.cli(
    ...['rollout', 'start', 'toy', '--manifest', toy.files.candidate.manifest],
    ...['--baseline', toy.files.candidate.baseline, '--policy', toy.files.policy],
  )
  expect([told.code, told.stderr]).toEqual([
    1,
    expect.stringContaining(`interlock approve toy ${toy.hashes.policy} --as approver`),
  ])
  expect(toy.router.told).toEqual([])
})

test('approved and fed, it watches; the rollout starts, and half of the traffic goes to v2', async () => {
  for (const hash of [toy.hashes.document, toy.hashes.policy]) {
    const ran = await toy.cli('approve', 'toy', hash, '--json', '--comment', 'read')
    expect([ran.code, documentOf(ran).outcome]).toEqual([0, 'approved'])
  }
  traffic = startTraffic(toy, 3)
  await until('a healthy deployment', async () => {
    const { code, attention, evaluatedTo } = await row()
    return code === 0 && attention === 'healthy' && evaluatedTo !== null
  })
  const started = await start()
  expect([started.code, documentOf(started).outcome, started.stderr]).toEqual([0, 'rollout-started', ''])
  watching = toy.cli('rollout', 'watch', 'toy', '--json', '--timeout', '50')
  await until('v2 answering half', async () => {
    const { candidate, share } = await row()
    const { state } = await toy.page()
    return candidate === 'toy@v2' && share === 0.5 && state.command?.state === 'verified'
  })
  expect(toy.router.state()).toMatchObject({ stable: v1?.digest, candidate: v2?.digest, share: 0.5, generation: 1 })
  const again = await start()
  expect([again.code, documentOf(again).outcome]).toEqual([1, 'refused'])
})

test('a person rolls back: planned, recorded, applied, verified from the traffic, exit 0; the watch ends with 1', async () => {
  const asked = await toy.cli('rollback', 'toy')
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringMatching(/no terminal.*--yes --reason/s)])
  const noReason = await toy.cli('rollback', 'toy', '--yes')
  expect([noReason.code, noReason.stderr]).toEqual([2, expect.stringMatching(/--yes needs --reason/)])
  expect(toy.router.state().share).toBe(0.5)

  const done = await toy.cli('rollback', 'toy', '--yes', '--reason', 'customers complain', '--json')
  expect([done.code, done.stderr]).toEqual([0, ''])
  const told = events(done)
  expect(told[0]).toMatchObject({ event: 'recorded', offset: expect.stringMatching(/^\d+$/) })
  const outcomes = told.filter(({ event }) => event === 'decision').map(({ outcome }) => outcome)
  expect(outcomes).toEqual(['rolled-back', 'verified'])
  expect(toy.router.state()).toMatchObject({ stable: v1?.digest, share: 0 })
  const ended = await (watching as Promise<Ran>)
  expect(ended.code).toBe(1)
  expect(events(ended).map(({ event }) => event)).toEqual(expect.arrayContaining(['state', 'rolled-back', 'verified']))

  const { decision, evidence, sources } = await whyOf(toy)
  expect([decision.outcome, decision.by, decision.rule]).toEqual(['rolled-back', 'author', 'request'])
  expect(decision.text).toMatch(/Customers complain\. v2 is being rolled back to v1 \(asked by author\)/)
  // Nothing but the person's word is behind it, and `why` does not make something up.
  expect([decision.evidence, evidence, sources.decision.topic]).toEqual([null, null, 'log.governor'])
  const second = await toy.cli('rollback', 'toy', '--yes', '--reason', 'once more')
  expect([second.code, second.stderr]).toEqual([1, expect.stringMatching(/rolled back to v1 already/)])
  const refused = await start()
  expect([refused.code, documentOf(refused).outcome]).toEqual([1, 'refused'])
})

test('what was decided can be executed again from the log, byte for byte', async () => {
  await traffic?.stop()
  traffic = undefined
  const { code, log } = await toy.finish()
  expect(code).toBe(0)
  expect((await recordsOf(log, 'commands')).length).toBeGreaterThan(0)
  await log.close()
  const replayed = await toy.cli('replay', '--verify', '--json')
  const reports = events(replayed) as {
    processor: string
    mismatches: unknown[]
    unreachable: unknown[]
    entries: number
  }[]
  expect(reports.map(({ processor, mismatches, unreachable }) => ({ processor, mismatches, unreachable }))).toEqual(
    ['profiler', 'evaluator', 'governor', 'fleet'].map((processor) => ({ processor, mismatches: [], unreachable: [] })),
  )
  expect(reports.every(({ entries }) => entries > 0)).toBe(true)
  expect(replayed.code).toBe(0)
  const gone = await toy.cli('status', '--json')
  expect([gone.code, documentOf(gone)]).toEqual([
    3,
    { v: 1, error: expect.stringMatching(/does not run.*interlock up/) },
  ])
})
