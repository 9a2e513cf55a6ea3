import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadFlights } from './data.ts'
import type { PredictionEvent } from './event.ts'
import { faultySource, healthyErrorShare } from './faults.ts'
import { type RunningRouter, smallArtifacts, startRouter } from './router-for-tests.ts'
import { modelledLatency } from './serving.ts'
import { startTraffic } from './traffic.ts'

const { folder } = await smallArtifacts()
const day = { from: 90, to: 91 }
const flights = await loadFlights(day)
let router: RunningRouter

beforeAll(async () => {
  router = await startRouter(folder)
  const half = { generation: 1, share: 0.5, shadow: false, fallback: false }
  await router.order({ ...half, stable: 'v1', candidate: 'v2' })
})
afterAll(() => router.stop())
beforeEach(async () => {
  await router.put('/admin/fault', { fault: 'none', active: true })
})

/** Replays 1 April through the router as fast as it goes and returns what it emitted. */
async function replay(sourceFault = false, seed = 1): Promise<PredictionEvent[]> {
  router.events.length = 0
  const traffic = startTraffic({
    flights,
    days: day,
    stopAfterDays: 1,
    rate: 1_000_000,
    seed,
    sourceFault,
    send: async (rows) => {
      const response = await router.predict(rows)
      if (response.status !== 200) throw new Error(`${response.status}`)
      await response.arrayBuffer()
    },
    report: () => undefined,
    signal: new AbortController().signal,
  })
  const done = await traffic.done
  expect(done).toMatchObject({ sent: flights.rows, failed: 0 })
  return [...router.events]
}

/** Distance as sent to the model over the distance of the route. */
function stretch(event: PredictionEvent): number {
  return (event.features.distance as number) / milesOf.get(`${event.features.origin}-${event.features.destination}`)!
}

const milesOf = new Map(
  Array.from({ length: flights.rows }, (_, row): [string, number] => [
    `${flights.airports[flights.origin[row]!]}-${flights.airports[flights.destination[row]!]}`,
    flights.distanceMiles[row]!,
  ]),
)

test('while nothing is wrong every flight is told once, in miles, and one in a thousand fails in either version', async () => {
  const events = await replay()
  expect(events).toHaveLength(flights.rows)
  expect(events.every((event) => stretch(event) === 1)).toBe(true)
  const errors = events.filter(({ status }) => status === 'error').length
  expect(errors).toBeGreaterThan(0)
  expect(errors / events.length).toBeLessThan(3 * healthyErrorShare)
})

test('the fault "unit" multiplies the distance by 1.609344 in v2 and nowhere else', async () => {
  await router.put('/admin/fault', { fault: 'unit', active: true })
  for (const event of await replay()) {
    expect(stretch(event)).toBeCloseTo(event.version === 'flight-delay@v2' ? 1.609344 : 1, 9)
  }
})

test('the fault "source" stretches the distances of one region, in both versions', async () => {
  const events = await replay(true)
  const stretched = events.filter((event) => stretch(event) > 1.5)
  expect(new Set(stretched.map(({ producer }) => producer))).toEqual(new Set([faultySource]))
  expect(new Set(stretched.map(({ version }) => version))).toEqual(new Set(['flight-delay@v1', 'flight-delay@v2']))
  expect(stretched).toHaveLength(events.filter(({ producer }) => producer === faultySource).length)
})

test('the fault "segment" fails four in ten of v2 at one airport, and "missing" loses a fifth of its rates', async () => {
  await router.put('/admin/fault', { fault: 'segment', active: true })
  await router.put('/admin/fault', { fault: 'missing', active: true })
  const events = await replay()
  const share = (of: PredictionEvent[], is: (event: PredictionEvent) => boolean) => of.filter(is).length / of.length
  const failed = (event: PredictionEvent) => event.status === 'error'
  const lost = (event: PredictionEvent) => event.features.originDelayRate === null
  const v2 = events.filter(({ version }) => version === 'flight-delay@v2')
  const v1 = events.filter(({ version }) => version === 'flight-delay@v1')
  expect(
    Math.abs(
      share(
        v2.filter(({ segments }) => segments.airport === 'ORD'),
        failed,
      ) - 0.4,
    ),
  ).toBeLessThan(0.1)
  expect(
    share(
      v2.filter(({ segments }) => segments.airport !== 'ORD'),
      failed,
    ),
  ).toBeLessThan(0.004)
  expect(share(v1, failed)).toBeLessThan(0.004)
  expect(Math.abs(share(v2, lost) - 0.2)).toBeLessThan(0.02)
  expect(share(v1, lost)).toBe(0)
})

test('the fault "latency" makes three answers of v2 in ten three times as slow', async () => {
  const slow = modelledLatency.medianMs * Math.exp(3 * modelledLatency.sigma)
  const shareAbove = (events: PredictionEvent[], version: string) => {
    const own = events.filter((event) => event.version === version)
    return own.filter(({ latencyMs }) => latencyMs! > slow).length / own.length
  }
  const before = await replay()
  await router.put('/admin/fault', { fault: 'latency', active: true })
  const after = await replay()
  expect(shareAbove(before, 'flight-delay@v2')).toBeLessThan(0.01)
  expect(shareAbove(after, 'flight-delay@v2')).toBeGreaterThan(0.08)
  expect(shareAbove(after, 'flight-delay@v1')).toBeLessThan(0.01)
})

test('the same flights fail in whatever order and batches they come', async () => {
  const failures = (events: PredictionEvent[]) =>
    events.filter(({ status }) => status === 'error').map(({ unit }) => unit)
  expect(failures(await replay(false, 2)).sort()).toEqual(failures(await replay(false, 3)).sort())
})

test('a fault that the router cannot make is refused and named', async () => {
  const response = await router.put('/admin/fault', { fault: 'source', active: true })
  expect(response.status).toBe(422)
  expect(await response.text()).toContain('traffic')
})
