/**
 * Rows that died because their generation was not watched yet are submitted again once it is: by two people at the same
 * moment, by one whose command is killed, over a kill -9 of `interlock up`, and once more. Each is counted once.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { apiClient } from '@interlock/cli'
import type { LetterGroup, LetterList } from '@interlock/console'
import { type CountsOut, contentTypes, type Prediction } from '@interlock/contracts'
import { type EventLog, openSqliteLog } from '@interlock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, main, startUp, type Up, until } from '../process/interlock.ts'
import { accountOf, outsOf, recordsOf } from '../process/records.ts'
import { predictions, slowPolicy } from '../process/small-deployment.ts'
import { type WatchedDeployment, watchedDeployment } from '../process/watched-deployment.ts'

let toy: WatchedDeployment
let up: Up
let log: EventLog | undefined

beforeAll(async () => {
  toy = await watchedDeployment({ policy: slowPolicy })
  up = toy.up
}, 60_000)
afterAll(async () => {
  if (up.stderr() !== '') console.error(up.stderr())
  up?.child.kill('SIGKILL')
  await log?.close()
  await toy?.remove()
})

const early = (count: number): Prediction[] => predictions(count, 5, Date.now, `early-${count}`, { generation: 1 })
const healthy = (count: number): Prediction[] => predictions(count, 6, Date.now, `well-${count}`)
const replayHeader = 'interlock-replay'
const messages = 40
const deadRows = messages * 3 + 40
let wellRows = 0

const list = async (): Promise<Record<string, Pick<LetterGroup, 'rows' | 'records' | 'replayed'>>> => {
  // Its token changes with each start.
  const { body } = await apiClient(toy.files.data).get<LetterList>('/api/v1/dead-letters?topic=predictions')
  return Object.fromEntries(
    body.groups.map(({ reason, rows, records, replayed }) => [reason, { rows, records, replayed }]),
  )
}

test('rows that cannot be taken are listed by reason, and shown without their payload', async () => {
  const post = async (body: string): Promise<void> => {
    const answer = await toy.post('/ingest/predictions', body, { 'content-type': contentTypes.json })
    expect(answer.status).toBe(200)
  }
  for (let message = 0; message < messages; message++) {
    const [a, b, c] = early(3) as [Prediction, Prediction, Prediction]
    const [well, also] = healthy(2) as [Prediction, Prediction]
    await post(JSON.stringify({ records: [a, well, b, also, c] }))
    wellRows += 2
  }
  await post(JSON.stringify({ records: early(40) }))
  await post('{"records":[')
  await until('the letters', async () => (await list())['wrong-generation']?.rows === deadRows)
  expect((await list()).malformed).toEqual({ rows: 1, records: 1, replayed: 0 })

  const { groups } = documentOf(await toy.cli('dlq', 'list', '--reason', 'wrong-generation', '--json')) as {
    groups: { example: { place: string } }[]
  }
  const place = groups[0]!.example.place
  const shown = await toy.cli('dlq', 'show', place, '--json')
  expect(documentOf(shown)).toMatchObject({
    place,
    letters: [{ reason: 'wrong-generation', open: expect.any(Number) }],
  })
  expect(shown.stdout).not.toContain('early-')
  const unknown = await toy.cli('dlq', 'show', 'predictions/0/99999999')
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('No dead letter')])
})

test('a payload is shown to who may be on call and signs for it, and to nobody else', async () => {
  const { groups } = documentOf(await toy.cli('dlq', 'list', '--reason', 'malformed', '--json')) as {
    groups: { example: { place: string } }[]
  }
  const place = groups[0]!.example.place
  const seen = await toy.cli('dlq', 'show', place, '--payload', '--as', 'approver')
  expect([seen.code, seen.stdout]).toEqual([0, expect.stringContaining('{"records":[')])
  const other = await toy.cli('dlq', 'show', place, '--payload', '--as', 'somebody')
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('somebody')])
})

test('before the cause is mended a replay says that all of them would die again', async () => {
  const ran = await toy.cli('dlq', 'replay', '--reason', 'wrong-generation')
  expect([ran.code, ran.stderr]).toEqual([
    2,
    expect.stringMatching(/0 would be counted now.*die again: wrong-generation.*--yes/s),
  ])
})

test('once generation 1 is watched, replays from everywhere at once count each dead row once', async () => {
  const started = await toy.cli(
    ...['rollout', 'start', 'toy', '--manifest', toy.files.candidate.manifest],
    ...['--baseline', toy.files.candidate.baseline, '--policy', toy.files.policy],
  )
  expect(started.code).toBe(0)
  await until('a plan that counts', async () => {
    const ran = await toy.cli('dlq', 'replay', '--reason', 'wrong-generation')
    // Their panes are closed by now, and whoever replays them is told before.
    return (
      ran.stderr.includes(`${deadRows} would be counted now`) &&
      ran.stderr.includes(`${deadRows} of them would come late`)
    )
  })
  const again = ['dlq', 'replay', '--reason', 'wrong-generation', '--yes', '--json'] as const
  // One command that is killed while it works, and two that run to their end at the same moment.
  const killed = spawn(process.execPath, [main, '--config', toy.files.config, ...again], { stdio: 'ignore' })
  const both = Promise.all([toy.cli(...again), toy.cli(...again)])
  await until('the first copies', async () => ((await list())['wrong-generation']?.replayed ?? 0) > 0, 20_000)
  killed.kill('SIGKILL')
  expect((await both).map(({ code }) => code)).toEqual([0, 0])

  up.child.kill('SIGKILL')
  await up.ended
  up = startUp(toy.files.config, Number(new URL(toy.up.url).port), { TOY_TOKEN: toy.router.token })
  await until('an answer', async () => (await fetch(`${toy.up.url}/readyz`)).ok)
  const later = await toy.cli(...again)
  expect([later.code, documentOf(later)]).toMatchObject([0, { records: 0 }])
  expect((await list())['wrong-generation']).toEqual({ rows: 0, records: 0, replayed: deadRows })
})

test('copies whose append was answered with nothing, and which land once more, are set aside', async () => {
  const other = openSqliteLog({ folder: join(toy.files.data, 'log') })
  const copies = (await recordsOf(other, 'predictions')).filter(({ headers }) => replayHeader in headers)
  let last = 0n
  for (const { key, value, headers } of copies) {
    const appended = await other.append('predictions', 0, { key, value, headers })
    if (appended !== 'unknown') last = appended.offset
  }
  await other.close()
  const path = `/api/v1/dead-letters/taken?topic=predictions&partition=0&offset=${last}`
  await until('the twins', async () => (await apiClient(toy.files.data).get<{ taken: boolean }>(path)).body.taken)
})

test('every row is in exactly one place, and the account balances', async () => {
  up.child.kill('SIGTERM')
  expect(await up.ended).toBe(0)
  log = openSqliteLog({ folder: join(toy.files.data, 'log') })
  const copies = (await recordsOf(log, 'predictions')).filter(({ headers }) => replayHeader in headers)
  expect(copies.length).toBeGreaterThanOrEqual(2 * (messages + 1))
  const counts = (await outsOf(log, 'profiler', 'counts')) as CountsOut[]
  expect(counts.filter(({ generation }) => generation === 1).reduce((sum, { rows }) => sum + rows, 0)).toBe(deadRows)
  const account = await accountOf(log)
  expect(account.taken).toBe(account.counted + account.setAside + account.deadRows)
  // Only the letters of before are dead: no copy died.
  expect(account.dead['wrong-generation']).toBe(deadRows)
  expect(account.counted).toBe(toy.sent() - (account.dead.unregistered ?? 0) + wellRows + deadRows)
  // A copy brings its whole message again; all of it but what it counts is set aside.
  const inCopies = copies.reduce(
    (sum, { value }) => sum + (JSON.parse(Buffer.from(value!).toString()) as { records: unknown[] }).records.length,
    0,
  )
  expect(account.setAside).toBe(inCopies - deadRows)
  await log.close()
  log = undefined
  const replayed = await toy.cli('replay', '--verify', '--json')
  expect([
    replayed.code,
    replayed.stdout.split('\n').filter((line) => line !== '' && !line.includes('"mismatches":[]')),
  ]).toEqual([0, []])
})
