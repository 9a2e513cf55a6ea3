/**
 * A candidate that fails is rolled back by the machine, and `interlock why` leads from the decision to the very records:
 * decision → evidence → counts → ranges, each hop checked against a recount of the raw input.
 */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson, type Prediction, sha256 } from '@interlock/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, until } from '../process/interlock.ts'
import { recordsOf } from '../process/records.ts'
import { nextVersion, slowPolicy, version } from '../process/small-deployment.ts'
import { startTraffic } from '../process/traffic.ts'
import { type WatchedDeployment, watchedDeployment } from '../process/watched-deployment.ts'
import { whyOf } from './why-document.ts'

let toy: WatchedDeployment
let traffic: ReturnType<typeof startTraffic> | undefined

beforeAll(async () => {
  toy = await watchedDeployment({ policy: slowPolicy })
}, 60_000)
afterAll(async () => {
  await traffic?.stop().catch(() => undefined)
  await toy?.remove()
})

test('a candidate whose answers fail is rolled back without a person; why explains it down to the records', async () => {
  // Beside it a policy that would only hold: it acts never, and says so.
  const gentle = join(toy.folder, 'gentle.yaml')
  const source = await readFile(toy.files.policy, 'utf8')
  await writeFile(gentle, source.replace(/action: roll back/g, 'action: hold'))
  const without = await toy.cli('policy', 'shadow', 'toy')
  expect([without.code, without.stderr]).toEqual([1, expect.stringMatching(/No policy is on trial for toy/)])
  traffic = startTraffic(toy, 4, { status: 'error', prediction: null, score: null })
  const { manifest, baseline } = toy.files.candidate
  await until('a start', async () => {
    const files = [
      '--manifest',
      manifest,
      '--baseline',
      baseline,
      '--policy',
      toy.files.policy,
      '--shadow-policy',
      gentle,
    ]
    return (await toy.cli('rollout', 'start', 'toy', ...files)).code === 0
  })
  const watched = await toy.cli('rollout', 'watch', 'toy', '--timeout', '40')
  expect([watched.code, watched.stdout]).toEqual([1, expect.stringMatching(/v2 .*v1/)])
  expect(toy.router.state()).toMatchObject({ stable: sha256(version), share: 0 })

  const { decision, evidence, counts, ranges, sources } = await whyOf(toy)
  expect(decision).toMatchObject({
    outcome: 'rolled-back',
    policy: toy.hashes.policy,
    rule: expect.stringMatching(/errors/),
  })
  if (evidence === null || counts === null || decision.guardrail === null) throw new Error('why shows no evidence')
  // Decision → evidence: by the hash of the evidence's own content.
  const { hash, shadow: _, ...content } = evidence
  expect([decision.evidence, sha256(canonicalJson(content))]).toEqual([hash, hash])
  expect(sources.evidence?.topic).toBe('log.evaluator')
  // Evidence → counts: the guardrail that decided stands in the evidence with the same numbers.
  expect(evidence.guardrails).toContainEqual(decision.guardrail)
  const { n, m, events, logE } = decision.guardrail.evidence
  expect(counts).toEqual({ n, m, events })
  expect(logE.harm).toBeGreaterThanOrEqual(decision.guardrail.limit)
  const asText = await toy.cli('why', 'toy')
  for (const word of [decision.id, hash, 'decision', 'evidence', 'counts', 'ranges', 'predictions/0'])
    expect(asText.stdout).toContain(word)
  expect((await whyOf(toy, '--decision', decision.id)).decision).toEqual(decision)
  expect(documentOf(await toy.cli('status', '--json'))).toMatchObject({ deployments: [{ attention: 'handled' }] })

  const parted = documentOf(await toy.cli('policy', 'shadow', 'toy', '--json'))
  expect(parted).toMatchObject({
    onTrial: { silent: expect.any(Array) },
    inForce: { policy: toy.hashes.policy },
    disagreements: [{ by: 'in-force', action: 'roll-back', afterMs: null, evidence: decision.evidence }],
  })
  const unknown = await toy.cli('why', 'toy', '--decision', '0'.repeat(64))
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/No decision 00000000/)])
  const stranger = await toy.cli('why', 'nobody')
  expect([stranger.code, stranger.stderr]).toEqual([1, expect.stringMatching(/No deployment "nobody"/)])

  await traffic.stop()
  traffic = undefined
  const { log } = await toy.finish()
  try {
    // Counts → records: recounted from the raw bytes in the ranges, with nothing of ours but their offsets.
    const inRanges = (offset: bigint): boolean =>
      ranges.some(({ topic, from, to }) => topic === 'predictions' && BigInt(from) <= offset && offset < BigInt(to))
    const records = (await recordsOf(log, 'predictions')).filter(({ offset }) => inRanges(offset))
    const rows = records.flatMap(
      ({ value }) => (JSON.parse(Buffer.from(value ?? []).toString('utf8')) as { records: Prediction[] }).records,
    )
    const until = evidence.pane + evidence.paneMs
    const of = (name: string): Prediction[] => rows.filter((row) => row.version === name && row.eventTimeMs < until)
    expect(n).toBe(of(nextVersion).length)
    expect(events.now).toBe(of(nextVersion).filter(({ status }) => status === 'error').length)
    expect(m).toBeLessThanOrEqual(of(version).length)
    expect(m).toBeGreaterThan(0)
  } finally {
    await log.close()
  }
})

test('the same record under the same policy gives the same bytes; under one that tolerates it, no rollback', async () => {
  const same = documentOf(await toy.cli('--json', 'policy', 'backtest', toy.files.policy, '--deployment', 'toy'))
  expect(same).toMatchObject({ differing: 0, from: null })
  expect(same.entries).toBeGreaterThan(50)
  // Nobody has said yet whether the rollback was right.
  expect(same.supposed).toEqual(same.recorded)
  expect(same.recorded).toMatchObject({ tally: { unjudged: 1, trueStops: 0, falseStops: 0, missed: 0 } })
  const copy = join(toy.folder, 'copy')
  await cp(toy.files.data, copy, { recursive: true })
  const blind = join(toy.folder, 'blind.yaml')
  const source = await readFile(toy.files.policy, 'utf8')
  await writeFile(blind, source.replace(/action: roll back/g, 'action: watch'))
  const other = await toy.cli('--data', copy, 'policy', 'backtest', blind, '--deployment', 'toy', '--since', '35d')
  expect([other.code, other.stdout]).toEqual([1, expect.stringContaining('it would not have been stopped')])
  expect(other.stdout).toMatch(/recorded(?: later)?: \d\d:\d\d:\d\d rolled-back by errors/)
  expect(other.stdout).toMatch(
    /generation 1 \(v2\) unknown: .*\n +recorded: stopped by errors .*; supposed: not stopped/,
  )
  const wrong = await toy.cli('policy', 'backtest', blind, '--deployment', 'toy', '--since', 'monday')
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--since "monday": write a time such as')])
})
