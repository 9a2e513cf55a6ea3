/**
 * Interlock as processes on a real Kafka broker: `keys make`, `topics create`, `register`, `run` (docs/operations.md
 * "Several processes on Kafka"), each service in a folder of its own with its own key only.
 */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiClient, apiClient } from '@interlock/cli'
import type { DeploymentPage } from '@interlock/console'
import { isOwnTopic, shardLog, topics } from '@interlock/contracts'
import { type EventLog, openKafkaLog, Snapshots } from '@interlock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anyBroker, howToRun, newPrefix } from '../kafka/broker.ts'
import { documentOf, interlock, type Ran, until } from '../process/interlock.ts'
import { type Service, startService } from '../process/service.ts'
import { loaded, predictions, type SmallDeployment, writeDeployment } from '../process/small-deployment.ts'
import { type StandInRouter, standInRouter } from '../process/stand-in-router.ts'

const broker = await anyBroker()
const prefix = newPrefix()
const events = { predictions: `${prefix}scoring`, outcomes: `${prefix}labels` }
const running: Service[] = []
let folder: string
let router: StandInRouter
let files: SmallDeployment
let log: EventLog
let env: Readonly<Record<string, string>>

const kafka = (rest = '') => `kafka: { brokers: ["${broker?.address}"], prefix: "${prefix}", ${rest} }\n`
const cli = (...args: readonly string[]): Promise<Ran> =>
  interlock(['--config', files.config, ...args], {
    cwd: folder,
    env: { ...env, INTERLOCK_DATA: join(folder, 'console') },
  })

/** A machine that has nothing but these files of the folder of keys. */
async function machine(name: string, keys: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const own = join(folder, name, 'keys')
  await mkdir(own, { recursive: true })
  for (const key of keys) await copyFile(join(folder, 'custodian/keys', key), join(own, key))
  return { ...env, INTERLOCK_DATA: join(folder, name) }
}

/** Files that each service needs, as `keys make` says. */
let needs: Readonly<Record<string, readonly string[]>> = {}

async function start(name: string, on: string, more: readonly string[] = []): Promise<Service> {
  const service = startService(name, files.config, await machine(on, [...(needs[name] ?? []), ...more]))
  running.push(service)
  await service.ready
  return service
}

beforeAll(async () => {
  if (broker === null) return
  folder = await mkdtemp(join(tmpdir(), 'interlock-cluster-'))
  router = await standInRouter(loaded)
  env = { TOY_TOKEN: router.token }
  const configuration = `${kafka('shards: { profiler: 2, deployments: 3 }')}topics: ${JSON.stringify(events)}\n`
  files = await writeDeployment(folder, router.url, 0, { configuration })
  log = openKafkaLog({ brokers: [broker.address], clientId: 'test', prefix, isOwn: isOwnTopic })
  // A team's topics: more partitions than profiler shards, and not the same number of both.
  await log.createTopic(events.predictions, { partitions: 3 })
})
afterAll(async () => {
  for (const service of running) if (service.child.exitCode === null) await service.stop('SIGKILL')
  router?.close()
  await log?.close()
  await broker?.remove()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

test('a real Kafka is there, or nothing says that it must be', () => {
  if (broker === null) expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
})

test.runIf(broker !== null)(
  'what is missing before a service can run is said in a sentence, and nothing is started',
  async () => {
    const run = (...args: readonly string[]): Promise<Ran> =>
      interlock(['--config', files.config, ...args], {
        cwd: folder,
        env: { ...env, INTERLOCK_DATA: join(folder, 'custodian') },
      })
    const noTopics = await run('run', 'profiler')
    expect([noTopics.code, noTopics.stdout, noTopics.stderr]).toEqual([
      3,
      '',
      expect.stringMatching(/log\.profiler" is not on the cluster .*interlock topics create/),
    ])
    const created = await run('topics', 'create', '--json')
    expect([created.code, created.stderr]).toEqual([0, ''])
    expect(documentOf(created)).toMatchObject({ events: { [events.predictions]: 3 }, missing: [events.outcomes] })
    const noEvents = await run('run', 'profiler')
    expect([noEvents.code, noEvents.stderr]).toEqual([
      3,
      expect.stringMatching(/labels" is not on the cluster .*toy\.yaml names it for outcomes.*--events/),
    ])
    const whole = await run('topics', 'create', '--events', '5', '--json')
    expect(documentOf(whole)).toMatchObject({ events: { [events.predictions]: 3, [events.outcomes]: 5 }, missing: [] })
    const noKeys = await run('run', 'governor')
    expect([noKeys.code, noKeys.stderr]).toEqual([2, expect.stringMatching(/governor\.pem: is not there.*keys make/)])
    const keys = await run('keys', 'make', '--json')
    expect(documentOf(keys)).toMatchObject({ keyset: 1, made: expect.arrayContaining(['root', 'governor', 'author']) })
    needs = documentOf(keys).files as typeof needs
    const privates = Object.entries(needs).map(([name, own]) => [
      name,
      own.filter((file) => !/^(root\.pub|keyset)/.test(file)),
    ])
    expect(Object.fromEntries(privates)).toEqual({
      ...{ profiler: [], evaluator: [], governor: ['governor.pem', 'fleet.pem'], agent: ['agent-crash.pem'] },
      ...{ notifier: ['notifier.pem'], console: ['author.pem'] },
    })
  },
)

let api: ApiClient
let consoleService: Service
const page = async (): Promise<DeploymentPage> => (await api.get<DeploymentPage>('/api/v1/deployments/toy')).body
let sent = 0
async function send(rows: number): Promise<void> {
  const records = predictions(rows, ++sent, Date.now, `rows-${sent}`)
  const answer = await fetch(`${api.endpoint.url}/ingest/${events.predictions}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.endpoint.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ records }),
  })
  if (answer.status !== 200) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`)
}

test.runIf(broker !== null)(
  'each service runs with its own key only, and rows of every partition become evidence',
  async () => {
    const started = await Promise.all([
      start('profiler', 'one'),
      start('evaluator', 'one'),
      start('governor', 'governor'),
      start('agent', 'agent'),
      start('notifier', 'notifier'),
      // Here the two people sit who ask and approve.
      start('console', 'console', ['author.pem', 'approver.pem', 'root.pub.pem', 'keyset.dsse.json']),
    ])
    consoleService = started[5] as Service
    api = apiClient(join(folder, 'console'))
    const registered = await cli('register', '--json')
    expect([registered.code, registered.stderr]).toEqual([0, ''])
    const { registrations } = documentOf(registered) as { registrations: { toy: { document: string; policy: string } } }
    await until('the registration', async () => (await page()).state !== null)
    for (const hash of [registrations.toy.document, registrations.toy.policy]) {
      const { code, stderr } = await cli('approve', 'toy', hash)
      expect([code, stderr]).toEqual([0, ''])
    }
    const evidenceOfAll = async (): Promise<boolean> =>
      ((await page()).evidence?.totals ?? []).some(({ rows }) => rows > 200)
    await until('evidence', async () => {
      for (let partition = 0; partition < 3; partition++) await send(20)
      return evidenceOfAll()
    })
    for (let partition = 0; partition < 3; partition++) {
      expect((await log.bounds(events.predictions, partition)).end).toBeGreaterThan(0n)
    }
    expect(await log.partitions(shardLog('profiler'))).toBe(2)
    expect((await page()).state?.engines.filter(({ state }) => state !== 'ok')).toEqual([])
  },
)

test.runIf(broker !== null)(
  'a second process takes over a part of the shards; told to end, it ends with 0 and a snapshot',
  async () => {
    const second = await start('profiler', 'two')
    await until('shares', () => running[0]!.owned('profiler').length === 1 && second.owned('profiler').length === 1)
    const [shard] = second.owned('profiler') as [number]
    const saved = async (): Promise<bigint> =>
      BigInt((await new Snapshots(log, topics.snapshots, 'profiler', shard).list())[0]?.seq ?? -1)
    await until('an entry of the second', async () => {
      await send(20)
      return (await log.bounds(shardLog('profiler'), shard)).end > 3n
    })
    const before = (await log.bounds(shardLog('profiler'), shard)).end
    const began = performance.now()
    expect(await second.stop()).toBe(0)
    expect(performance.now() - began).toBeLessThan(10_000)
    // Periodic snapshots come when they will; this one stands behind what was written when it was told to end.
    expect(await saved()).toBeGreaterThanOrEqual(before - 1n)
    await until('all shards of the first', () => running[0]!.owned('profiler').length === 2)
    const rows = async (): Promise<number> =>
      ((await page()).evidence?.totals ?? []).reduce((sum, { rows: each }) => sum + each, 0)
    const counted = await rows()
    await until('evidence goes on', async () => {
      await send(20)
      return (await rows()) > counted
    })
  },
)

test.runIf(broker !== null)('every service that is told to end ends with 0 within ten seconds', async () => {
  const alive = running.filter(({ child }) => child.exitCode === null)
  expect(alive.length).toBe(6)
  const began = performance.now()
  expect(await Promise.all(alive.map(async (service) => [service.name, await service.stop()]))).toEqual(
    alive.map(({ name }) => [name, 0]),
  )
  expect(performance.now() - began).toBeLessThan(10_000)
  expect(consoleService.events.filter(({ event }) => event === 'ready')).toHaveLength(1)
})

test.runIf(broker !== null)('a process with a part that cannot go on ends with 3 and says why', async () => {
  const governor = await start('governor', 'governor')
  await until('its shards', () => governor.owned('fleet').length === 1 && governor.owned('governor').length === 3)
  await log.append(shardLog('fleet'), 0, { value: Buffer.from('written by nobody who may') })
  expect(await governor.ended).toBe(3)
  expect(governor.stderr()).toMatch(/log\.fleet\/0 offset \d+ is no entry.*[\s\S]*a part cannot go on/)
})

test.runIf(broker !== null)('other numbers of shards than the topics have are refused', async () => {
  const other = await writeDeployment(folder, router.url, 0, {
    configuration: `${kafka('shards: { profiler: 4, deployments: 3 }')}topics: ${JSON.stringify(events)}\n`,
  })
  const options = { cwd: folder, env: { ...env, INTERLOCK_DATA: join(folder, 'one') } }
  const ran = await interlock(['--config', other.config, 'run', 'profiler'], options)
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/kafka\.shards\.profiler is 4, .*made with 2/)])
  const create = await interlock(['--config', other.config, 'topics', 'create'], options)
  expect([create.code, create.stderr]).toEqual([1, expect.stringMatching(/has 2 partitions, but 4 are configured/)])
  const up = await interlock(['--config', other.config, 'up'], options)
  expect([up.code, up.stdout, up.stderr]).toEqual([
    2,
    '',
    expect.stringMatching(/has a section `kafka`.*interlock run/),
  ])
})
