import { request as httpRequest } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import type { ConsolePorts, Envelope, RollbackPlan, Series, Why } from './api.ts'
import { createConsole } from './console.ts'
import { Story } from './testing/story.ts'

const token = 'token-of-the-tests-0123456789'
const start = 1_775_052_000_000
const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function running(ports: Partial<ConsolePorts> = {}) {
  const submitted: unknown[] = []
  const clock = { now: start }
  const page = createConsole({
    token,
    demo: true,
    now: () => clock.now,
    submit: async (request, id) => {
      submitted.push({ request, id })
      return { offset: BigInt(submitted.length) }
    },
    ...ports,
  })
  open.push(page)
  const port = await page.listen(0)
  const story = new Story({ feed: page.feed, start })
  const url = `http://127.0.0.1:${port}`
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'x-interlock': '1', ...init.headers },
    })
  const get = async <Body>(path: string) => (await (await call(path)).json()) as Envelope<Body>
  const post = (body: unknown, headers: Record<string, string>) =>
    call('/api/v1/requests', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
  return { page, story, port, url, call, get, post, submitted, clock }
}

function rolledOut(story: Story): void {
  story.register()
  for (let pane = 0; pane < 5; pane++) story.pane()
  story.startRollout()
  for (let pane = 0; pane < 5; pane++) story.pane()
  story.enter(2)
  story.fault(2)
  for (let pane = 0; pane < 6; pane++) story.pane()
  story.state('watch')
}

const wish = { kind: 'rollback', deployment: 'flight-delay', reason: 'It is wrong.' }

test('without the token nothing of the API is answered, and the page itself is', async () => {
  const { url } = await running()
  for (const path of ['/api/v1/deployments', '/api/v1/stream?topics=fleet']) {
    const response = await fetch(url + path)
    expect(response.status).toBe(401)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
  }
  const wrong = await fetch(`${url}/api/v1/deployments`, {
    headers: { authorization: 'Bearer token-of-somebody-else' },
  })
  expect(wrong.status).toBe(401)
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

test('the token is exchanged for a cookie that no script can read, and a forged or outlived cookie opens nothing', async () => {
  const { url, clock } = await running()
  const exchange = (body: object, headers: Record<string, string> = { 'x-interlock': '1' }) =>
    fetch(`${url}/api/v1/session`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
  expect((await exchange({ token: 'token-of-somebody-else' })).status).toBe(401)
  expect((await exchange({ token }, {})).status).toBe(403)
  const given = (await exchange({ token })).headers.get('set-cookie') as string
  expect(given).toMatch(/; HttpOnly; SameSite=Strict/)
  const cookie = given.split(';')[0] as string
  const status = async (text: string) =>
    (await fetch(`${url}/api/v1/deployments`, { headers: { cookie: text } })).status
  expect(await status(cookie)).toBe(200)
  expect(await status(cookie.replace(/=\d/, '=9'))).toBe(401)
  clock.now += 13 * 60 * 60_000
  expect(await status(cookie)).toBe(401)
})

test('a page whose name was resolved to this machine, and another site, are refused', async () => {
  const { port, post, submitted, story } = await running()
  rolledOut(story)
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { host: `evil.example:${port}`, authorization: `Bearer ${token}` }
    httpRequest({ host: '127.0.0.1', port, path: '/api/v1/deployments', headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
  expect(status).toBe(421)
  const key = { 'idempotency-key': 'key-00000001' }
  expect((await post(wish, { ...key, origin: 'http://evil.example' })).status).toBe(403)
  expect((await post(wish, { ...key, 'x-interlock': '' })).status).toBe(403)
  expect(submitted).toEqual([])
})

test('answers carry a policy that forbids everything inline and everything from elsewhere', async () => {
  const { url } = await running()
  const policy = (await fetch(`${url}/healthz`)).headers.get('content-security-policy') as string
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).not.toContain('unsafe')
})

test('one wish is recorded once, however often it is sent', async () => {
  const { post, submitted, story } = await running()
  rolledOut(story)
  const key = { 'idempotency-key': 'key-00000001' }
  const answers = await Promise.all([post(wish, key), post(wish, key), post(wish, key)])
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
  expect(await answers[2]?.json()).toEqual({ id: 'key-00000001', offset: '1' })
  expect(submitted).toEqual([{ request: wish, id: 'key-00000001' }])
  expect((await post({ ...wish, reason: 'Another one.' }, key)).status).toBe(409)
  expect((await post(wish, { 'idempotency-key': 'key-00000002' })).status).toBe(202)
  expect(submitted).toHaveLength(2)
})

test('a request without a reason, a key, or with a wish that is not a person’s alone is refused with the field', async () => {
  const { post, submitted, story } = await running()
  rolledOut(story)
  const key = { 'idempotency-key': 'key-00000001' }
  const refused = async (body: unknown, headers: Record<string, string>, words: string) => {
    const response = await post(body, headers)
    expect(response.status).toBe(words.startsWith('No deployment') ? 404 : 400)
    expect(((await response.json()) as { detail: string }).detail).toContain(words)
  }
  await refused({ ...wish, reason: '  ' }, key, 'body.reason: is required')
  await refused({ ...wish, reason: 'a'.repeat(501) }, key, 'body.reason: has at most 500')
  await refused({ ...wish, kind: 'restore' }, key, 'body.kind')
  await refused({ ...wish, extra: 1 }, key, 'extra')
  await refused(wish, {}, 'Idempotency-Key: is required')
  await refused({ ...wish, deployment: 'unknown' }, key, 'No deployment "unknown"')
  expect(submitted).toEqual([])
})

test('a log that does not confirm is told as not known, and the same key may be sent again', async () => {
  let fails = true
  const seen: string[] = []
  const { post, story } = await running({
    submit: async (_, id) => {
      seen.push(id)
      if (fails) throw new Error('the log is not there')
      return { offset: 9n }
    },
  })
  rolledOut(story)
  const key = { 'idempotency-key': 'key-00000001' }
  const first = await post(wish, key)
  expect(first.status).toBe(503)
  expect(await first.text()).toContain('Not known whether recorded')
  fails = false
  expect((await post(wish, key)).status).toBe(202)
  expect(seen).toEqual(['key-00000001', 'key-00000001'])
})

test('why leads from the decision over its evidence to the ranges of input, under one hash', async () => {
  const { story, get, call } = await running()
  rolledOut(story)
  const id = story.breach()
  for (let pane = 0; pane < 200; pane++) story.pane()
  story.command('verified')
  const { body } = await get<Why>('/api/v1/deployments/flight-delay/why')
  expect(body.decision).toMatchObject({ id, outcome: 'rolled-back', rule: 'inputs.distance' })
  expect(body.evidence?.hash).toBe(body.decision.evidence)
  expect(body.counts).toMatchObject({ n: body.decision.guardrail?.evidence.n })
  expect(body.ranges[1]).toMatchObject({ topic: 'predictions', partition: 1, from: '0' })
  expect(body.sources.decision.topic).toBe('log.governor')
  expect(body.sources.evidence?.topic).toBe('log.evaluator')
  expect((await get<Why>(`/api/v1/why/${id}`)).body).toEqual(body)
  expect((await call(`/api/v1/why/${'0'.repeat(64)}`)).status).toBe(404)
})

test('the plan says where to, whether it helps, and that a second rollback is none', async () => {
  const { story, get } = await running()
  const plan = async () => (await get<RollbackPlan>('/api/v1/deployments/flight-delay/rollback-plan')).body
  story.register()
  story.pane()
  story.state('watch')
  expect((await plan()).possible).toMatchObject({ ok: false })
  const other = await running()
  rolledOut(other.story)
  const planned = (await other.get<RollbackPlan>('/api/v1/deployments/flight-delay/rollback-plan')).body
  expect(planned).toMatchObject({ from: 'flight-delay@v2', to: 'flight-delay@v1', share: 0.2, possible: { ok: true } })
  expect(planned.help.word).toBe('should')
  expect(planned.reason).toContain('Flight distance')
  other.story.breach()
  other.story.command('verified')
  const after = (await other.get<RollbackPlan>('/api/v1/deployments/flight-delay/rollback-plan')).body
  expect(after.possible).toEqual({ ok: false, sentence: 'It is rolled back to v1 already.' })
  expect(after.time).toContain('as the last one took')
})

test('harm in both versions is not promised to be cured by a rollback', async () => {
  const { story, get } = await running()
  story.register()
  story.startRollout()
  story.enter(2)
  story.fault(4, true)
  for (let pane = 0; pane < 8; pane++) story.pane()
  story.dataIncident('northeast')
  const { body } = await get<RollbackPlan>('/api/v1/deployments/flight-delay/rollback-plan')
  expect(body.help).toEqual({ word: 'probably-not', sentence: 'Both versions got worse. A rollback would not help.' })
})

test('the list never calls a stale deployment healthy', async () => {
  const { story, get, clock } = await running()
  story.register()
  for (let pane = 0; pane < 5; pane++) story.pane()
  story.steady()
  clock.now = story.at + 1_000
  const at = async () => (await get<{ attention: string; sentence: string }[]>('/api/v1/deployments')).body[0]
  expect(await at()).toMatchObject({ attention: 'healthy' })
  clock.now = story.at + 10_000
  expect(await at()).toMatchObject({ attention: 'watch' })
  clock.now = story.at + 46_000
  expect(await at()).toMatchObject({ attention: 'not-watched' })
  expect((await at())?.sentence).toMatch(/^Not watched|not watched/)
  expect((await get('/api/v1/deployments')).complete).toBe(false)
})

test('series are bounded, in order, and end with the newest pane', async () => {
  const { story, get, call } = await running()
  rolledOut(story)
  for (let pane = 0; pane < 1_500; pane++) story.pane()
  story.pane({ rows: 0 })
  const { body } = await get<Series>('/api/v1/deployments/flight-delay/series?points=100')
  for (const version of ['flight-delay@v1', 'flight-delay@v2']) {
    const line = body.panes.filter((point) => point.version === version)
    expect(line.length).toBeLessThanOrEqual(100)
    expect(line.at(-1)?.rows).toBe(0)
    expect(line.map(({ at }) => at)).toEqual([...line.map(({ at }) => at)].sort((a, b) => a - b))
  }
  expect((await call('/api/v1/deployments/flight-delay/series?points=601')).status).toBe(400)
})

test('a stream that was cut resumes after its last event, and is sent to a fresh load when that is forgotten', async () => {
  const { story, call } = await running()
  rolledOut(story)
  const stream = await call('/api/v1/stream?topics=d:flight-delay')
  expect(stream.headers.get('content-type')).toBe('text/event-stream')
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
  const next = async () => new TextDecoder().decode((await reader.read()).value)
  const opened = await next()
  const cursor = /^id: (\S+)/.exec(opened)?.[1] as string
  story.pane()
  let seen = ''
  while (!seen.includes('"panes"')) seen += await next()
  await reader.cancel()
  const resumed = await call('/api/v1/stream?topics=d:flight-delay', { headers: { 'last-event-id': cursor } })
  const again = (resumed.body as ReadableStream<Uint8Array>).getReader()
  let missed = ''
  while (!missed.includes('"panes"')) missed += new TextDecoder().decode((await again.read()).value)
  await again.cancel()
  expect(missed).toContain('event: change')
  const other = await call('/api/v1/stream?topics=fleet', { headers: { 'last-event-id': 'otherrun.7' } })
  expect(other.status).toBe(410)
})

test('what the wiring mounts gets raw bytes of any type up to 1 MiB, and only with the token', async () => {
  const seen: Buffer[] = []
  const { url, call } = await running({
    routes: (app) => {
      app.post('/ingest/:topic', async (request, reply) => {
        seen.push(request.body as Buffer)
        return reply.code(202).send()
      })
    },
  })
  const body = new Uint8Array(1_000_000).fill(7)
  const types = ['application/vnd.apache.arrow.stream', 'application/json', 'text/plain']
  for (const type of types) {
    const sent = await call('/ingest/predictions', { method: 'POST', body, headers: { 'content-type': type } })
    expect(sent.status).toBe(202)
  }
  expect(seen.map((bytes) => Buffer.isBuffer(bytes) && bytes.length)).toEqual([1_000_000, 1_000_000, 1_000_000])
  const large = await call('/ingest/predictions', { method: 'POST', body: new Uint8Array((1 << 20) + 1) })
  expect(large.status).toBe(413)
  expect((await fetch(`${url}/ingest/predictions`, { method: 'POST', body })).status).toBe(401)
})

test('the description names every operation that is served, and metrics count', async () => {
  const { url, story } = await running()
  rolledOut(story)
  const described = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> }
  expect(Object.keys(described.paths)).toContain('/api/v1/deployments/{id}/rollback-plan')
  expect(JSON.stringify(described.paths['/api/v1/requests'])).toContain('release-hold')
  const text = await (await fetch(`${url}/metrics`)).text()
  expect(text).toContain('interlock_console_outs_total{kind="evidence"} 16')
})
