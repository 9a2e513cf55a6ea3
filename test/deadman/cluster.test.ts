/** The dead-man's switch over services as processes on a real broker: the probe is verified there too, and a frozen one is paged. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Message, WatcherSummary } from '@interlock/watcher'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anyBroker, newPrefix } from '../kafka/broker.ts'
import { freePort, interlock, until } from '../process/interlock.ts'
import { type Service, startService } from '../process/service.ts'
import { loaded, type SmallDeployment, writeDeployment } from '../process/small-deployment.ts'
import { type StandInRouter, standInRouter } from '../process/stand-in-router.ts'

const promisedMs = 30_000
const broker = await anyBroker()
const prefix = newPrefix()
const running: Service[] = []
const pages: Message[] = []
let folder: string
let router: StandInRouter
let pager: Server
let files: SmallDeployment
let watcherUrl: string
let env: Readonly<Record<string, string>>

const state = async (): Promise<WatcherSummary> =>
  (await (await fetch(`${watcherUrl}/v1/state`)).json()) as WatcherSummary

beforeAll(async () => {
  if (broker === null) return
  folder = await mkdtemp(join(tmpdir(), 'interlock-deadman-'))
  router = await standInRouter(loaded)
  pager = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => {
      body += part.toString()
    })
    request.on('end', () => {
      pages.push(JSON.parse(body) as Message)
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => pager.listen(0, '127.0.0.1', resolve))
  watcherUrl = `http://127.0.0.1:${await freePort()}`
  env = { TOY_TOKEN: router.token, PAGER_SECRET: 'of this test', INTERLOCK_LOG: 'warn' }
  files = await writeDeployment(folder, router.url, 0, {
    configuration: `kafka: { brokers: ["${broker.address}"], prefix: "${prefix}", shards: { profiler: 2, deployments: 3 } }
topics: { predictions: ${prefix}scoring }
probe: true
watchers: [{ name: watcher-a, url: "${watcherUrl}" }]
mustBeat: [governor, probe]
pager: { webhooks: [{ url: "http://127.0.0.1:${(pager.address() as AddressInfo).port}/", secretEnv: PAGER_SECRET }] }
`,
  })
  for (const args of [['keys', 'make'], ['topics', 'create', '--events', '2'], ['register']]) {
    const { code, stderr } = await interlock(['--config', files.config, ...args], { cwd: folder, env })
    if (code !== 0) throw new Error(`interlock ${args.join(' ')} ended with ${code}: ${stderr}`)
  }
  for (const name of ['watcher', 'profiler', 'evaluator', 'governor', 'probe']) {
    running.push(startService(name, files.config, { ...env, INTERLOCK_KEYS: join(files.data, 'keys') }))
  }
  await Promise.all(running.map(({ ready }) => ready))
}, 120_000)
afterAll(async () => {
  for (const service of running) if (service.child.exitCode === null) await service.stop('SIGKILL')
  router?.close()
  pager?.closeAllConnections()
  pager?.close()
  await broker?.remove()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

test.runIf(broker !== null)(
  'the probe breaches on the cluster and its rollback is verified; every shard moves',
  async () => {
    await until('a verified round', async () => (await state()).probe?.verifiedSecondsAgo != null, 55_000)
    const { stillSeconds, troubles } = await state()
    expect(troubles).toEqual([])
    const shards = Object.keys(stillSeconds).filter((name) => name.startsWith('shard '))
    expect(shards).toHaveLength(2 + 3 + 3 + 1)
    for (const name of shards) expect(stillSeconds[name], name).toBeLessThan(10)
  },
)

test.runIf(broker !== null)(
  'a service that is frozen, and that nobody takes over, is paged within 30 s with its shards',
  async () => {
    const evaluator = running.find(({ name }) => name === 'evaluator')!
    const frozenAt = Date.now()
    evaluator.child.kill('SIGSTOP')
    await until('the page', () => pages.length > 0)
    expect(Date.now() - frozenAt).toBeLessThanOrEqual(promisedMs)
    expect(pages[0]!.units).toEqual(
      expect.arrayContaining(['shard evaluator/0', 'shard evaluator/1', 'shard evaluator/2']),
    )
    expect(pages[0]!.units).not.toContain('shard governor/0')
    evaluator.child.kill('SIGCONT')
  },
)
