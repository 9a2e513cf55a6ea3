/**
 * The access list that `interlock topics create --print-acls` prints is enough for every service, and no more: on a broker
 * where each service has a principal of its own, the whole of Interlock runs, and `interlock doctor` tells what is missing
 * and what is too much.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiClient } from '@interlock/cli'
import type { DeploymentPage } from '@interlock/console'
import { isOwnTopic, shardLog, topics } from '@interlock/contracts'
import { openKafkaLog } from '@interlock/runtime'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { howToRun, newPrefix, type OwnBroker, ownBroker, passwordOf } from '../kafka/broker.ts'
import { documentOf, interlock, type Ran, until } from '../process/interlock.ts'
import { type Service, startService } from '../process/service.ts'
import { loaded, predictions, writeDeployment } from '../process/small-deployment.ts'
import { type StandInRouter, standInRouter } from '../process/stand-in-router.ts'

const services = ['profiler', 'evaluator', 'governor', 'agent', 'notifier', 'console'] as const
const users = [...services, 'operator'].map((name) => `interlock-${name}`)
const prefix = newPrefix()
const events = `${prefix}scoring`
let broker: OwnBroker | null = null
let folder: string
let router: StandInRouter
let admin: Admin
const running: Service[] = []

/** interlock.yaml of whoever comes as that user. */
const configOf = (service: string): string => join(folder, service, 'interlock.yaml')
const envOf = (service: string): Record<string, string> => ({
  TOY_TOKEN: router.token,
  KAFKA_PASSWORD: passwordOf(`interlock-${service}`),
})
const cli = (as: string, ...args: readonly string[]): Promise<Ran> =>
  interlock(['--config', configOf(as), ...args], { cwd: folder, env: envOf(as) })
const rightsOf = async (service: string): Promise<{ state: string; detail: string }> => {
  const { findings } = documentOf(await cli(service, 'doctor', '--service', service, '--json')) as {
    findings: { check: string; state: string; detail: string }[]
  }
  return (
    findings.find(({ check }) => check === `rights of the ${service}`) ?? {
      state: 'none',
      detail: JSON.stringify(findings),
    }
  )
}

beforeAll(async () => {
  broker = await ownBroker({ users })
  if (broker === null) return
  folder = await mkdtemp(join(tmpdir(), 'interlock-acls-'))
  router = await standInRouter(loaded)
  for (const service of [...services, 'operator']) {
    const own = join(folder, service)
    await mkdir(own)
    const sasl = `sasl: { mechanism: plain, username: interlock-${service}, passwordEnv: KAFKA_PASSWORD }`
    const configuration = `kafka: { brokers: ["${broker.usersAddress}"], prefix: "${prefix}", shards: { profiler: 1, deployments: 1 }, ${sasl} }
topics: { predictions: ${events} }
keys: ../keys
`
    await writeDeployment(own, router.url, 0, { configuration })
  }
  const kafka = new Kafka({ brokers: [broker.address], clientId: 'test', logLevel: logLevel.NOTHING })
  admin = kafka.admin()
  await admin.connect()
})
afterAll(async () => {
  for (const service of running) if (service.child.exitCode === null) await service.stop('SIGKILL')
  await admin?.disconnect()
  router?.close()
  await broker?.remove()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

/** Carries out one printed call of kafka-acls.sh. */
async function carryOut(line: string): Promise<void> {
  const words = line.split(' ')
  const after = (option: string): string[] => words.filter((_, index) => words[index - 1] === option)
  const [principal] = after('--allow-principal') as [string]
  const pattern = after('--resource-pattern-type')[0] === 'prefixed' ? 'PREFIXED' : 'LITERAL'
  const resources = [
    ...after('--topic').map((name) => ({ name, type: AclResourceTypes.TOPIC })),
    ...after('--group').map((name) => ({ name, type: AclResourceTypes.GROUP })),
  ]
  const operations = after('--operation').map((name) => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase())
  expect([words[0], resources.length > 0, operations.length > 0]).toEqual(['kafka-acls.sh', true, true])
  await admin.createAcls({
    acl: resources.flatMap(({ name, type }) =>
      operations.map((operation) => ({
        principal,
        host: '*',
        resourceName: name,
        resourceType: type,
        resourcePatternType: ResourcePatternTypes[pattern],
        operation: AclOperationTypes[operation as keyof typeof AclOperationTypes],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    ),
  })
}

test('a real Kafka is there, or nothing says that it must be', () => {
  if (broker === null) expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
})

test('without the list a service may do nothing; with it everything is made, and doctor finds each fit', async () => {
  if (broker === null) return
  await interlock(['--config', configOf('operator'), 'keys', 'make'], { cwd: folder })
  const refused = await cli('operator', 'topics', 'create')
  expect([refused.code, refused.stderr]).toEqual([
    expect.any(Number),
    expect.stringMatching(/AUTHORIZATION_FAILED|not authorized/i),
  ])
  expect(refused.code).not.toBe(0)
  const { stdout } = await cli('operator', 'topics', 'create', '--print-acls')
  for (const line of stdout.trimEnd().split('\n')) await carryOut(line)
  const created = await cli('operator', 'topics', 'create', '--events', '1')
  expect([created.stderr, created.code]).toEqual(['', 0])
  const found = await Promise.all(services.map(async (service) => [service, await rightsOf(service)]))
  expect(found).toEqual(
    services.map((service) => [service, { check: expect.any(String), state: 'ok', detail: expect.any(String) }]),
  )
})

test('every service does its work with its own rights: rows become evidence, and a change reaches the router', async () => {
  if (broker === null) return
  for (const name of services) running.push(startService(name, configOf(name), envOf(name)))
  await Promise.all(running.map(({ ready }) => ready))
  const registered = await cli('operator', 'register', '--json')
  expect([registered.stderr, registered.code]).toEqual(['', 0])
  const { registrations } = documentOf(registered) as { registrations: { toy: Record<string, string> } }
  const api = apiClient(join(folder, 'console/data'))
  const page = async (): Promise<DeploymentPage> => (await api.get<DeploymentPage>('/api/v1/deployments/toy')).body
  await until('the registration', async () => (await page()).state !== null)
  for (const hash of Object.values(registrations.toy)) {
    const { code, stderr } = await cli('console', 'approve', 'toy', hash)
    expect([stderr, code]).toEqual(['', 0])
  }
  let sent = 0
  await until('evidence', async () => {
    const records = predictions(20, ++sent, Date.now, `rows-${sent}`)
    await api.post(`/ingest/${events}`, { records })
    return ((await page()).evidence?.totals ?? []).some(({ rows }) => rows > 50)
  })
  const files = join(folder, 'console/deployments/toy-v2')
  const started = await cli(
    'console',
    'rollout',
    'start',
    'toy',
    '--manifest',
    `${files}.manifest.json`,
    '--baseline',
    `${files}.baseline.json`,
    '--policy',
    join(folder, 'console/deployments/toy.policy.yaml'),
  )
  expect([started.stderr, started.code]).toEqual([expect.any(String), 0])
  await until('the router at v2', () => router.state().candidate !== null)
  const ended = await Promise.all(running.map(async (service) => [service.name, await service.stop()]))
  expect(ended).toEqual(services.map((name) => [name, 0]))
  const log = openKafkaLog({ brokers: [broker.address], clientId: 'test', prefix, isOwn: isOwnTopic })
  const written = [topics.commands, topics.facts, topics.evidence, topics.snapshots, shardLog('fleet')]
  const ends = await Promise.all(written.map(async (topic) => [topic, (await log.bounds(topic, 0)).end > 0n]))
  await log.close()
  expect(ends).toEqual(written.map((topic) => [topic, true]))
})

test('doctor tells what a principal may not do and must, and what it may do and must not', async () => {
  if (broker === null) return
  const add = `kafka-acls.sh --add --allow-principal User:interlock-profiler --operation Write --topic ${prefix}${shardLog('governor')}`
  await carryOut(add)
  expect(await rightsOf('profiler')).toMatchObject({
    state: 'failed',
    detail: expect.stringMatching(/may write .*log\.governor, and only another may/),
  })
  await admin.deleteAcls({
    filters: [
      {
        principal: 'User:interlock-evaluator',
        resourceName: prefix + topics.evidence,
        resourceType: AclResourceTypes.TOPIC,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        operation: AclOperationTypes.WRITE,
        permissionType: AclPermissionTypes.ALLOW,
        host: '*',
      },
    ],
  })
  expect(await rightsOf('evaluator')).toMatchObject({
    state: 'failed',
    detail: expect.stringMatching(/it may not write .*evidence/),
  })
})
