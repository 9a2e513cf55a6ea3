import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { type Child, faultySource, type PredictionEvent, routerChild, trafficChild } from './index.ts'
import { smallArtifacts, testToken } from './router-for-tests.ts'

const children: ChildProcess[] = []
const { folder, manifests } = await smallArtifacts()
const received: PredictionEvent[] = []
const ingest = createServer(async (request, response) => {
  let body = ''
  for await (const part of request) body += part
  expect(request.url).toBe('/ingest/predictions')
  expect(request.headers.authorization).toBe('Bearer ingest-token')
  received.push(...(JSON.parse(body) as { records: PredictionEvent[] }).records)
  response.end('{}')
})
ingest.listen(0, '127.0.0.1')
await once(ingest, 'listening')
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  ingest.close()
})

function start({ args, env }: Child): ChildProcess {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'ignore'] })
  children.push(child)
  return child
}

async function startRouter(): Promise<{ child: ChildProcess; url: string }> {
  const child = start(
    routerChild({
      ...{ artifacts: folder, stateFile: join(folder, 'state.json'), adminToken: testToken, allowFaults: true },
      ...{ ingestUrl: `http://127.0.0.1:${(ingest.address() as AddressInfo).port}`, ingestToken: 'ingest-token' },
    }),
  )
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  return { child, url: (JSON.parse(line) as { listening: string }).listening }
}

test('router and traffic run as processes: told by lines, killed, back with the last order, every answer told once', async () => {
  let router = await startRouter()
  const { etag } = (await (await fetch(`${router.url}/admin/state`)).json()) as { etag: string }
  const ordered = await fetch(`${router.url}/admin/state`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${testToken}`, 'if-match': etag },
    body: JSON.stringify({
      ...{ generation: 4, stable: manifests.v1.digest, candidate: manifests.v2.digest },
      ...{ share: 0.5, shadow: false, fallback: false },
    }),
  })
  expect(ordered.status).toBe(200)
  router.child.kill('SIGKILL')
  router = await startRouter()
  const back = (await (await fetch(`${router.url}/admin/state`)).json()) as { generation: number; share: number }
  expect(back).toMatchObject({ generation: 4, share: 0.5 })

  const traffic = start(trafficChild({ router: router.url, rate: 2_000, from: '2001-06-25' }))
  const lines: string[] = []
  createInterface({ input: traffic.stdout! }).on('line', (line) => lines.push(line))
  const untilReceived = async (count: number) => {
    while (received.length < count) await sleep(20)
  }
  await untilReceived(1_000)
  traffic.stdin!.write('fault source on\n')
  await sleep(200)
  const healthy = received.length
  await untilReceived(healthy + 1_000)
  traffic.kill('SIGTERM')
  expect(await once(traffic, 'exit')).toEqual([0, null])
  router.child.kill('SIGTERM')
  expect(await once(router.child, 'exit')).toEqual([0, null])

  const { sent, failed } = JSON.parse(lines.at(-1)!) as { sent: number; failed: number }
  expect(failed).toBe(0)
  expect(received).toHaveLength(sent)
  expect(new Set(received.map(({ id }) => id)).size).toBe(sent)
  const isWhole = (event: PredictionEvent) => Number.isInteger(event.features.distance)
  const stretched = new Set(received.filter((event) => !isWhole(event)).map(({ producer }) => producer))
  expect(stretched).toEqual(new Set([faultySource]))
})
