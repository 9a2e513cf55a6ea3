import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contentTypes, decodeEvents, type Prediction } from '@interlock/contracts'
import { tableFromIPC } from 'apache-arrow'
import { expect, test } from 'vitest'
import { Emitter, type EmitterClock, type EmitterOptions } from './emitter.ts'
import { flight } from './sample-flight.ts'

/** Time that passes at once, and remembers how long each wait was. */
function fastClock(): EmitterClock & { readonly waits: number[] } {
  const waits: number[] = []
  return {
    waits,
    sleep: (ms, signal) => {
      waits.push(ms)
      // A deadline never comes; every other wait is over in the next turn.
      if (ms >= 5_000) return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
      return new Promise((resolve) => setImmediate(resolve))
    },
  }
}

/** An Interlock that answers with the given states, the last one for ever, and keeps what it took. */
function interlock(...answers: (number | 'away')[]) {
  const messages: { url: string; type: string; body: Uint8Array }[] = []
  let tries = 0
  const post: typeof fetch = async (url, init) => {
    const answer = answers[Math.min(tries++, answers.length - 1)] ?? 200
    if (answer === 'away') throw new TypeError('fetch failed')
    const headers = new Headers(init?.headers)
    if (answer === 200)
      messages.push({ url: String(url), type: headers.get('content-type')!, body: init!.body as Uint8Array })
    return new Response(answer === 200 ? '' : 'no', { status: answer })
  }
  return { messages, post, tries: () => tries }
}

function emitterTo(server: { post: typeof fetch }, options: Partial<EmitterOptions<'prediction'>> = {}) {
  const clock = fastClock()
  const emitter = new Emitter({
    ...{
      url: 'http://localhost:7070/',
      topic: 'predictions',
      kind: 'prediction',
      fetch: server.post,
      clock,
      random: () => 0.5,
    },
    ...options,
  })
  return { emitter, clock }
}

const numbered = (count: number): Prediction[] =>
  Array.from({ length: count }, (_, index) => ({ ...flight, id: `p-${index}` }))
const idsIn = (body: Uint8Array): unknown[] => [...tableFromIPC(body).getChild('id')!]

test('events arrive once, in order, in batches, at the topic’s address', async () => {
  const server = interlock(200)
  const { emitter } = emitterTo(server)
  for (const event of numbered(2_500)) emitter.emit(event)
  await emitter.flush()
  expect(server.messages.flatMap(({ body }) => idsIn(body))).toEqual(numbered(2_500).map(({ id }) => id))
  expect(server.messages.map(({ body }) => idsIn(body).length)).toEqual([1_024, 1_024, 452])
  expect(server.messages[0]).toMatchObject({
    url: 'http://localhost:7070/ingest/predictions',
    type: contentTypes.arrow,
  })
  expect(emitter.counts()).toMatchObject({ emitted: 2_500, sent: 2_500, waiting: 0, problem: null })
})

test.each(['json', 'avro'] as const)('as %s the reader has the same events', async (format) => {
  const server = interlock(200)
  const { emitter } = emitterTo(server, { format })
  for (const event of numbered(3)) emitter.emit(event)
  await emitter.flush()
  expect(server.messages.flatMap(({ type, body }) => decodeEvents('prediction', type, body))).toEqual(numbered(3))
})

test('in JSON a NaN is sent as text, which counts as invalid, and never as null, which would be missing', async () => {
  const server = interlock(200)
  const { emitter } = emitterTo(server, { format: 'json' })
  emitter.emit({ ...flight, features: { distance: Number.NaN } })
  await emitter.flush()
  const [event] = decodeEvents('prediction', contentTypes.json, server.messages[0]!.body)
  expect(event!.features).toEqual({ distance: 'NaN' })
})

test('when Interlock is away a message is tried again, later each time, and arrives once', async () => {
  const server = interlock('away', 503, 429, 'away', 200)
  const { emitter, clock } = emitterTo(server)
  emitter.emit(flight)
  await emitter.flush()
  expect(server.messages).toHaveLength(1)
  expect(emitter.counts()).toMatchObject({ sent: 1, retries: 4, problem: null })
  expect(clock.waits).toEqual([100, 50, 100, 200, 400])
})

test('after all tries the events are lost, and that is counted with the reason', async () => {
  const server = interlock('away')
  const { emitter } = emitterTo(server, { maxTries: 3 })
  for (const event of numbered(7)) emitter.emit(event)
  await emitter.flush()
  expect(server.tries()).toBe(3)
  expect(emitter.counts()).toMatchObject({
    sent: 0,
    waiting: 0,
    dropped: { lost: 7 },
    problem: expect.stringContaining('fetch failed'),
  })
})

test('what Interlock refuses is not sent again', async () => {
  const server = interlock(401)
  const { emitter } = emitterTo(server)
  emitter.emit(flight)
  await emitter.flush()
  expect(server.tries()).toBe(1)
  expect(emitter.counts()).toMatchObject({ dropped: { refused: 1 }, problem: 'Interlock answered 401: no' })
})

test('a full buffer drops its oldest events, and emit neither throws nor waits', async () => {
  const server = interlock(200)
  const { emitter } = emitterTo(server, { maxBuffered: 10 })
  for (const event of numbered(25)) expect(emitter.emit(event)).toBe(true)
  expect(emitter.counts()).toMatchObject({ emitted: 25, waiting: 10, dropped: { full: 15 } })
  await emitter.flush()
  expect(server.messages.flatMap(({ body }) => idsIn(body))).toEqual(
    numbered(25)
      .slice(15)
      .map(({ id }) => id),
  )
})

test.each(['json', 'avro', 'arrow'] as const)(
  'as %s, whatever a service hands over, the good events of the batch arrive',
  async (format) => {
    const server = interlock(200)
    const { emitter } = emitterTo(server, { format })
    const cyclic: Record<string, unknown> = { ...flight, features: {} }
    cyclic.segments = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('boom')
        },
      },
    )
    const odd = [flight, cyclic, flight] as unknown as Prediction[]
    for (const event of odd) expect(emitter.emit(event)).toBe(true)
    await emitter.flush()
    expect(emitter.counts()).toMatchObject({ emitted: 3, sent: 2, waiting: 0, dropped: { invalid: 1 } })
  },
)

test('a message above 1 MiB is sent as two', async () => {
  const server = interlock(200)
  const { emitter } = emitterTo(server)
  for (const event of numbered(20)) emitter.emit({ ...event, unit: 'x'.repeat(100_000) })
  await emitter.flush()
  expect(server.messages.map(({ body }) => idsIn(body).length)).toEqual([10, 10])
  expect(emitter.counts()).toMatchObject({ sent: 20 })
})

test('after close nothing is taken, and what could not be sent by the deadline is lost', async () => {
  const away: typeof fetch = (_url, init) =>
    new Promise((_resolve, reject) => init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason)))
  const { emitter } = emitterTo({ post: away })
  for (const event of numbered(3)) emitter.emit(event)
  await emitter.close(20)
  expect(emitter.emit(flight)).toBe(false)
  expect(emitter.counts()).toMatchObject({ emitted: 4, waiting: 0, dropped: { lost: 3, closed: 1 } })
})

test('over a real connection, with the token', async () => {
  const seen: { url: string | undefined; token: string | undefined; rows: number }[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    seen.push({ url: request.url, token: request.headers.authorization, rows: idsIn(Buffer.concat(parts)).length })
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const emitter = new Emitter({ url, topic: 'predictions', kind: 'prediction', token: 'secret', lingerMs: 5 })
  for (const event of numbered(10)) emitter.emit(event)
  await emitter.close()
  server.close()
  expect(seen).toEqual([{ url: '/ingest/predictions', token: 'Bearer secret', rows: 10 }])
})
