/**
 * Receipt, dead letters and guarded minutes over the API of a console that runs as one process of several on a real Kafka
 * broker: two profiler shards over three partitions.
 */
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiClient, apiClient } from '@interlock/cli'
import type { DeploymentPage, LetterList } from '@interlock/console'
import { isOwnTopic, type Prediction } from '@interlock/contracts'
import { type EventLog, openKafkaLog } from '@interlock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anyBroker, newPrefix } from '../kafka/broker.ts'
import { documentOf, interlock, type Ran, until } from '../process/interlock.ts'
import { type Service, startService } from '../process/service.ts'
import {
  loaded,
  nextVersion,
  predictions,
  type SmallDeployment,
  slowPolicy,
  writeDeployment,
} from '../process/small-deployment.ts'
import { type StandInRouter, standInRouter } from '../process/stand-in-router.ts'
import { answersIn, asLine, withoutLate } from './recount.ts'

const broker = await anyBroker()
const prefix = newPrefix()
const topic = `${prefix}scoring`
const running: Service[] = []
let folder: string
let router: StandInRouter
let files: SmallDeployment
let log: EventLog
let api: ApiClient

const cli = (...args: readonly string[]): Promise<Ran> =>
  interlock(['--config', files.config, ...args], {
    cwd: folder,
    withinMs: 120_000,
    env: { TOY_TOKEN: router.token, INTERLOCK_DATA: join(folder, 'console') },
  })
const page = async (): Promise<DeploymentPage> => (await api.get<DeploymentPage>('/api/v1/deployments/toy')).body
let sent = 0
async function send(rows: number, changes: Partial<Prediction> = {}): Promise<void> {
  const records = predictions(rows, ++sent, Date.now, `rows-${sent}`, changes)
  await post(JSON.stringify({ records }))
}
async function post(body: string): Promise<void> {
  const answer = await fetch(`${api.endpoint.url}/ingest/${topic}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.endpoint.token}`, 'content-type': 'application/json' },
    body,
  })
  if (answer.status !== 200) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`)
}
/** As much to each partition as to the others. */
async function traffic(): Promise<void> {
  const { generation, candidate } = router.state()
  for (let partition = 0; partition < 3; partition++) {
    await send(20, { generation })
    if (candidate !== null) await send(20, { generation, version: nextVersion, variant: 'candidate' })
  }
}

beforeAll(async () => {
  if (broker === null) return
  folder = await mkdtemp(join(tmpdir(), 'interlock-receipt-'))
  router = await standInRouter(loaded)
  const configuration = `kafka: { brokers: ["${broker.address}"], prefix: "${prefix}", shards: { profiler: 2, deployments: 3 } }
topics: ${JSON.stringify({ predictions: topic })}\n`
  files = await writeDeployment(folder, router.url, 0, { configuration, policy: slowPolicy })
  log = openKafkaLog({ brokers: [broker.address], clientId: 'test', prefix, isOwn: isOwnTopic })
  await log.createTopic(topic, { partitions: 3 })
  await mkdir(join(folder, 'console'), { recursive: true })
  for (const args of [
    ['topics', 'create'],
    ['keys', 'make'],
  ]) {
    const { code, stderr } = await cli(...args)
    expect([code, stderr]).toEqual([0, ''])
  }
  // One machine here, with all keys: who may read which is another test's business.
  for (const name of ['profiler', 'evaluator', 'governor', 'agent', 'console']) {
    const own = join(folder, name, 'keys')
    await mkdir(own, { recursive: true })
    if (name !== 'console') {
      for (const key of ['governor.pem', 'fleet.pem', 'agent-crash.pem', 'root.pub.pem', 'keyset.dsse.json'])
        await copyFile(join(folder, 'console/keys', key), join(own, key))
    }
    running.push(startService(name, files.config, { TOY_TOKEN: router.token, INTERLOCK_DATA: join(folder, name) }))
  }
  await Promise.all(running.map(({ ready }) => ready))
  api = apiClient(join(folder, 'console'))
}, 180_000)
afterAll(async () => {
  for (const service of running) if (service.child.exitCode === null) await service.stop('SIGKILL')
  router?.close()
  await log?.close()
  await broker?.remove()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

test.runIf(broker !== null)(
  'a rollout is rolled back by a person, and its receipt is equal to a recount of all partitions',
  async () => {
    const { registrations } = documentOf(await cli('register', '--json')) as {
      registrations: { toy: { document: string; policy: string } }
    }
    await until('the registration', async () => (await page()).state !== null)
    for (const hash of [registrations.toy.document, registrations.toy.policy]) {
      expect((await cli('approve', 'toy', hash)).code).toBe(0)
    }
    await until('evidence', async () => {
      await traffic()
      return ((await page()).evidence?.totals ?? []).some(({ rows }) => rows > 100)
    })
    await send(5, { generation: 1 })
    await post('{"records":[')
    const started = await cli(
      ...['rollout', 'start', 'toy', '--manifest', files.candidate.manifest],
      ...['--baseline', files.candidate.baseline, '--policy', files.policy],
    )
    expect([started.code, started.stderr]).toEqual([0, ''])
    await until('v2 answering', async () => {
      await traffic()
      const { state } = await page()
      return router.state().candidate !== null && state.command?.state === 'verified'
    })
    for (let round = 0; round < 10; round++) await traffic()
    const rolledBack = cli('rollback', 'toy', '--yes', '--reason', 'customers complain')
    let isOver = false
    rolledBack.finally(() => {
      isOver = true
    })
    while (!isOver) await traffic()
    expect((await rolledBack).code).toBe(0)

    const file = join(folder, 'receipt.jsonl')
    const made = await cli('receipt', 'toy', '--out', file, '--json')
    expect([made.code, made.stderr]).toEqual([0, ''])
    const header = documentOf(made) as {
      complete: boolean
      plan: { onset: { source: string } }
      end: { read: unknown[] }
    }
    expect([header.complete, header.plan.onset.source, header.end.read]).toEqual([
      true,
      'whole-exposure',
      [0, 1, 2].map((partition) => expect.objectContaining({ topic, partition })),
    ])
    const rows = (await readFile(file, 'utf8')).split('\n').slice(1, -1)
    const recount = (await answersIn(log, topic)).filter(({ event }) => event.version === nextVersion)
    expect(recount.length).toBeGreaterThan(100)
    expect(rows.map(withoutLate).toSorted()).toEqual(recount.map(asLine).toSorted())
    expect((await cli('receipt', 'verify', file)).code).toBe(0)
  },
  180_000,
)

test.runIf(broker !== null)(
  'dead rows of a partition are counted once by a replay, and the page knows how long anybody watched',
  async () => {
    const ran = await cli('dlq', 'replay', '--reason', 'wrong-generation', '--yes', '--json')
    expect([ran.code, documentOf(ran)]).toMatchObject([0, { rows: 5, records: 1, taken: true, open: 0 }])
    const { body } = await api.get<LetterList>(`/api/v1/dead-letters?topic=${topic}`)
    expect(body.groups.map(({ topic: of, reason, rows, replayed }) => [of, reason, rows, replayed])).toEqual([
      [topic, 'malformed', 1, 0],
      [topic, 'wrong-generation', 0, 5],
    ])
    const guarded = documentOf(await cli('guarded', 'toy', '--json')) as {
      versions: { version: string; watchedMs: number }[]
    }
    expect(guarded.versions.map(({ version }) => version)).toEqual(['toy@v1', 'toy@v2'])
    expect(guarded.versions.every(({ watchedMs }) => watchedMs > 0)).toBe(true)
  },
  120_000,
)
