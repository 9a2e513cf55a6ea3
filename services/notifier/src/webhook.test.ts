import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AlertOut, DeploymentId, Fact } from '@interlock/contracts'
import { sha256 } from '@interlock/contracts'
import { signWebhook } from '@interlock/runtime'
import { afterEach, expect, test } from 'vitest'
import { deliver } from './deliver.ts'
import { webhookSink } from './webhook.ts'

const alert: AlertOut = {
  kind: 'alert',
  id: 'a-1',
  deployment: 'flight-delay' as DeploymentId,
  at: Date.UTC(2026, 0, 1),
  attention: 'handled',
  sentence: 'Rolled back to v1.',
  done: 'Rollback verified.',
  asked: 'Nothing.',
  decision: sha256('d'),
  resolves: null,
}
const secret = new TextEncoder().encode('a shared secret')

interface Received {
  readonly body: string
  readonly headers: Record<string, string | string[] | undefined>
}
const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

async function receiver(answer: (nth: number) => number): Promise<{ url: string; host: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8')
    })
    request.on('end', () => {
      received.push({ body, headers: request.headers })
      response.statusCode = answer(received.length)
      if (response.statusCode === 302) response.setHeader('location', 'http://127.0.0.1:1/')
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(() => server.close())
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: `http://${host}/hook`, host, received }
}

async function send(url: string, host: string): Promise<{ facts: Fact[]; waits: number[] }> {
  const facts: Fact[] = []
  const waits: number[] = []
  await deliver(alert, {
    sinks: [webhookSink({ url, secret, allowHosts: [host], nowSeconds: () => 1_767_225_600 })],
    report: async (fact) => {
      facts.push(fact)
    },
    sleep: async (ms) => {
      waits.push(ms)
    },
  })
  return { facts, waits }
}

test('a receiver can check who sent an alert with the shared secret alone', async () => {
  const { url, host, received } = await receiver(() => 204)
  const { facts } = await send(url, host)
  const { headers, body } = received[0] as Received
  expect(headers['webhook-signature']).toBe(`v1,${signWebhook(secret, 'a-1', '1767225600', body)}`)
  expect(JSON.parse(body)).toMatchObject({ dedupeKey: 'a-1', sentence: 'Rolled back to v1.', asked: 'Nothing.' })
  expect(facts).toEqual([{ kind: 'delivered', alert: 'a-1', sink: `webhook ${host}`, ok: true, detail: 'attempt 1' }])
})

test('a receiver that is down for two attempts hears the alert at the third, under the same id', async () => {
  const { url, host, received } = await receiver((nth) => (nth < 3 ? 503 : 200))
  const { facts, waits } = await send(url, host)
  expect(received.map(({ headers }) => headers['webhook-id'])).toEqual(['a-1', 'a-1', 'a-1'])
  expect(facts).toMatchObject([{ ok: true, detail: 'attempt 3' }])
  expect(waits).toEqual([500, 2_000])
})

test('a delivery that never succeeds is reported as failed, with the reason', async () => {
  const { url, host } = await receiver(() => 500)
  const { facts } = await send(url, host)
  expect(facts).toEqual([
    { kind: 'delivered', alert: 'a-1', sink: `webhook ${host}`, ok: false, detail: `${host} answered 500` },
  ])
})

test('redirects are not followed: an alert goes to the address that was configured or nowhere', async () => {
  const { url, host, received } = await receiver(() => 302)
  const { facts } = await send(url, host)
  expect(received).toHaveLength(6)
  expect(facts).toMatchObject([{ ok: false }])
})

test('a host that is not on the allow-list is refused before anything is sent', () => {
  expect(() =>
    webhookSink({ url: 'http://169.254.169.254/latest', secret, allowHosts: ['hooks.example'], nowSeconds: () => 0 }),
  ).toThrow(/not on the allow-list/)
})
