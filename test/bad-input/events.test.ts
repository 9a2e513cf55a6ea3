/**
 * Everything that a producer may send by mistake or on purpose, through the HTTP door of a running `interlock up`: what
 * cannot be counted is a dead letter with position and reason, and costs nothing beside it.
 */
import { Emitter } from '@interlock/client'
import {
  addPacked,
  type CountsOut,
  type DeadLetterOut,
  layoutOf,
  type SpecialBin,
  sha256,
  specialAt,
} from '@interlock/contracts'
import type { EventLog } from '@interlock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../process/interlock.ts'
import { accountOf, deadLettersOf, outsOf, recordsOf } from '../process/records.ts'
import { predictions } from '../process/small-deployment.ts'
import { type WatchedDeployment, watchedDeployment } from '../process/watched-deployment.ts'
import { messages, type Sent, strangeCounts } from './hostile-inputs.ts'

let sent: readonly Sent[] = []
/** Offset that each message was given. */
const offsets = new Map<bigint, Sent>()
/** Rows that were posted beside the messages, all of them healthy. */
let healthy = 0
let toy: WatchedDeployment
let log: EventLog | undefined

async function sendHealthy(rows: number): Promise<void> {
  healthy += (await toy.send(rows)).length
}

async function finished(): Promise<EventLog> {
  if (log === undefined) throw new Error('the test that ends `up` did not come to its end')
  return log
}

beforeAll(async () => {
  toy = await watchedDeployment()
  healthy = toy.sent()
  sent = messages(Date.now)
  for (const message of sent) {
    const headers = message.contentType === null ? {} : { 'content-type': message.contentType }
    const answer = await toy.post('/ingest/predictions', message.body, headers)
    expect([message.name, answer.status]).toEqual([message.name, 200])
    offsets.set(BigInt(((await answer.json()) as { offset: string }).offset), message)
  }
}, 60_000)

afterAll(async () => {
  await log?.close()
  await toy?.remove()
})

test('the door answers 413 to more than a mebibyte, 401 without the token, 404 for what is no topic of events', async () => {
  const large = JSON.stringify({ records: ['x'.repeat(1 << 20)] })
  const ours = ['requests', 'facts', 'commands', 'log.governor', 'log.profiler', 'dlq', 'snapshots', '..%2Frequests']
  const refusals: readonly (readonly [what: string, topic: string, headers: object, body: string, status: number])[] = [
    ['too large', 'predictions', {}, large, 413],
    ['no token', 'predictions', { authorization: '' }, '{}', 401],
    ['another token', 'predictions', { authorization: `Bearer ${'0'.repeat(32)}` }, '{}', 401],
    ['no topic', 'weather', {}, '{}', 404],
    ...ours.map((topic) => ['a topic of ours', topic, {}, '{}', 404] as const),
  ]
  for (const [what, topic, headers, body, status] of refusals) {
    const answer = await toy.post(`/ingest/${topic}`, body, { 'content-type': 'application/json', ...headers })
    expect([what, topic, answer.status]).toEqual([what, topic, status])
    const { title, detail } = (await answer.json()) as { title: string; detail: string }
    expect([what, title.length > 3, detail.length > 10]).toEqual([what, true, true])
  }
})

test('after all of it Interlock lives, closes panes, and counts what the client sends in each format', async () => {
  const before = await toy.page()
  for (const format of ['json', 'avro', 'arrow'] as const) {
    const emitter = new Emitter({
      url: toy.up.url,
      topic: 'predictions',
      kind: 'prediction',
      token: await toy.up.token(),
      format,
    })
    for (const event of predictions(30, 5, Date.now, `emitted-${format}`)) emitter.emit(event)
    await emitter.close()
    expect([format, emitter.counts().sent, emitter.counts().problem]).toEqual([format, 30, null])
    healthy += 30
  }
  await until('newer panes than before', async () => {
    await sendHealthy(10)
    const { evidence } = await toy.page()
    return evidence !== null && evidence.pane > (before.evidence?.pane ?? 0) + 3_000 && evidence.coverage === 1
  })
  const after = await toy.page()
  expect(after.state.view).toMatchObject({ phase: 'steady', stable: 'toy@v1', candidate: null })
  expect((await fetch(`${toy.up.url}/healthz`)).status).toBe(200)
  expect(toy.up.child.exitCode).toBeNull()
  // Rows of a pane that was closed: too late for the evidence, and counted as that.
  healthy += (await toy.send(3, { eventTimeMs: after.evidence?.pane ?? 0 })).length
  await until('late rows', async () => {
    await sendHealthy(10)
    return ((await toy.page()).evidence?.late ?? 0) > 0
  })
  expect((await toy.page()).evidence?.late).toBe(3)
  const end = await toy.finish()
  log = end.log
  expect([end.code, toy.up.stderr()]).toEqual([0, ''])
})

test('each bad record is a dead letter on the public topic: topic, partition, offset, row, reason and a sentence', async () => {
  const letters = await deadLettersOf(await finished())
  const records = new Map((await recordsOf(await finished(), 'predictions')).map((record) => [record.offset, record]))
  for (const [offset, { name, letters: expected }] of offsets) {
    const own = letters.filter((letter) => letter.topic === 'predictions' && letter.offset === offset)
    const found = own.map(({ partition, row, reason, detail }) => ({ partition, row, reason, rows: rowsIn(detail) }))
    const wanted = expected.map((letter) => ({ partition: 0, ...letter }))
    expect([name, found.toSorted(byReason)]).toEqual([name, wanted.toSorted(byReason)])
    for (const { detail, payload } of own) {
      expect([name, detail.length > 10 && detail.length <= 240]).toEqual([name, true])
      expect([name, payload]).toEqual([name, sha256(records.get(offset)?.value ?? new Uint8Array())])
    }
  }
})

test('no row is lost: taken = counted + set aside + dead, and each part is what was sent', async () => {
  const account = await accountOf(await finished())
  expect(account.taken).toBe(account.counted + account.setAside + account.deadRows)
  // Healthy rows that came before the deployment was watched died of their own reason.
  const early = (await deadLettersOf(await finished())).filter(
    ({ offset, topic }) => topic === 'predictions' && !offsets.has(offset),
  )
  expect(early.every(({ reason }) => reason === 'unregistered')).toBe(true)
  const earlyRows = early.reduce((sum, { detail }) => sum + rowsIn(detail), 0)

  const sum = (of: (message: Sent) => number): number => sent.reduce((total, message) => total + of(message), 0)
  expect(account.taken).toBe(healthy + sum(({ rows }) => rows))
  expect(account.counted).toBe(healthy - earlyRows + sum(({ counted }) => counted))
  const dead: Record<string, number> = { unregistered: earlyRows }
  for (const { letters } of sent) for (const { reason, rows } of letters) dead[reason] = (dead[reason] ?? 0) + rows
  expect(account.dead).toEqual(Object.fromEntries(Object.entries(dead).filter(([, rows]) => rows > 0)))
})

test('strange values are counted as what they are: NaN invalid, five thousand new words unseen', async () => {
  const [watch] = await outsOf(await finished(), 'governor', 'watch')
  if (watch === undefined) throw new Error('nothing was watched')
  const layout = layoutOf(watch.spec)
  const total = new Float64Array(layout.width)
  const counts: readonly CountsOut[] = await outsOf(await finished(), 'profiler', 'counts')
  const slices = counts.flatMap((out) => out.slices).filter(({ dimension }) => dimension === 'producer')
  for (const slice of slices) addPacked(slice.counts, total)
  const special = (name: string, bin: SpecialBin): number => {
    const place = layout.features.find((feature) => feature.name === name)
    return place === undefined ? Number.NaN : (total[specialAt(place, bin)] ?? Number.NaN)
  }
  expect({
    xInvalid: special('x', 'invalid'),
    airportUnseen: special('airport', 'unseen'),
    airportInvalid: special('airport', 'invalid'),
  }).toEqual(strangeCounts)
  expect(new Set(slices.map(({ value }) => value))).toEqual(new Set(['east', 'west', 'other']))
})

/** A letter speaks for every row of its message that died alike. */
function rowsIn(detail: string): number {
  return Number(/^(\d+) rows of this message/.exec(detail)?.[1] ?? 1)
}

function byReason(a: Pick<DeadLetterOut, 'reason'>, b: Pick<DeadLetterOut, 'reason'>): number {
  return a.reason < b.reason ? -1 : 1
}
