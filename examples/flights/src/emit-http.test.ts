import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createHttpEmitter } from './emit-http.ts'
import type { PredictionEvent } from './event.ts'

const eventNamed = (id: string): PredictionEvent => ({
  ...{
    id,
    environment: 'demo',
    tenant: 'local',
    deployment: 'flight-delay',
    generation: 1,
    version: 'flight-delay@v1',
  },
  ...{ variant: 'stable', unit: 'ORD-LGA-17:30', eventTimeMs: 0, features: { distance: 733 }, prediction: 'on-time' },
  ...{ score: 0.1, latencyMs: 1, status: 'ok', segments: { airport: 'ORD' }, producer: 'midwest' },
})
const events = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => eventNamed(String(first + index)))

/** An ingest that answers what it is told to; keeps the ids of what it committed and counts requests at once. */
async function startIngest(answer: () => number) {
  const committed: string[] = []
  let atOnce = 0
  let mostAtOnce = 0
  const server = createServer(async (request, response) => {
    mostAtOnce = Math.max(mostAtOnce, ++atOnce)
    let body = ''
    for await (const part of request) body += part
    const status = answer()
    if (status === 200) {
      committed.push(...(JSON.parse(body) as { records: { id: string }[] }).records.map(({ id }) => id))
    }
    atOnce--
    response.writeHead(status).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, committed, mostAtOnce: () => mostAtOnce, stop: () => server.close() }
}

test('events arrive once and in order, one batch at a time, though the ingest fails now and then', async () => {
  let requests = 0
  const ingest = await startIngest(() => (++requests % 3 === 1 ? 503 : 200))
  const emitter = createHttpEmitter({ ingestUrl: ingest.url, token: 'secret' })
  for (let first = 0; first < 5_000; first += 50) emitter.emit(events(first, 50))
  await emitter.close(5_000)
  expect(ingest.committed).toEqual(events(0, 5_000).map(({ id }) => id))
  expect(ingest.mostAtOnce()).toBe(1)
  expect(emitter.counts()).toMatchObject({ delivered: 5_000, waiting: 0, dropped: 0, refused: 0 })
  expect(emitter.counts().retries).toBeGreaterThan(0)
  ingest.stop()
})

test('a batch that the ingest calls malformed is counted as refused and not sent again', async () => {
  const ingest = await startIngest(() => 422)
  const emitter = createHttpEmitter({ ingestUrl: ingest.url, token: 'secret' })
  emitter.emit(events(0, 10))
  await emitter.close(2_000)
  expect(emitter.counts()).toMatchObject({ delivered: 0, refused: 10, retries: 0 })
  expect(emitter.counts().lastError).toContain('422')
  ingest.stop()
})

test('without an ingest at most 60,000 events wait, the oldest are dropped and every event is accounted for', async () => {
  const emitter = createHttpEmitter({ ingestUrl: 'http://127.0.0.1:9', token: 'secret' })
  emitter.emit(events(0, 50_000))
  await sleep(80) // the first batch is under way
  emitter.emit(events(50_000, 30_000))
  const { waiting, dropped } = emitter.counts()
  expect(waiting).toBe(60_000)
  expect(dropped).toBe(20_000)
  await emitter.close(100)
  expect(emitter.counts()).toMatchObject({ waiting: 0, dropped: 80_000 })
})
