import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadFlights } from './data.ts'
import type { FlightRequest } from './features.ts'
import type { Readiness } from './readiness.ts'
import { type RunningRouter, smallArtifacts, startRouter } from './router-for-tests.ts'
import { requestOf } from './units.ts'

const { folder, manifests } = await smallArtifacts()
const flights = await loadFlights({ from: 90, to: 91 })
const rows = (first: number): FlightRequest[] => Array.from({ length: 64 }, (_, row) => requestOf(flights, first + row))
const calm = { share: 0, shadow: false, fallback: false } as const
let router: RunningRouter

beforeAll(async () => {
  router = await startRouter(folder)
})
afterAll(() => router.stop())

test('of two orders at the same etag one is taken and the other gets 412 and the state that won', async () => {
  const { etag } = await router.state()
  const wish = (share: number) => ({
    ...{ generation: 1, stable: manifests.v1.digest, candidate: manifests.v2.digest },
    ...{ share, shadow: false, fallback: false },
  })
  const [one, other] = await Promise.all([
    router.put('/admin/state', wish(0.1), { 'if-match': etag }),
    router.put('/admin/state', wish(0.2), { 'if-match': etag }),
  ])
  expect([one.status, other.status].sort()).toEqual([200, 412])
  const winner = one.status === 200 ? 0.1 : 0.2
  expect((await router.state()).share).toBe(winner)
  expect(((await (one.status === 412 ? one : other).json()) as { share: number }).share).toBe(winner)
})

test('an etag does not come back with an earlier state', async () => {
  await router.order({ ...calm, generation: 1, stable: 'v1', candidate: null })
  const before = await router.state()
  await router.order({ ...calm, generation: 2, stable: 'v2', candidate: null })
  await router.order({ ...calm, generation: 1, stable: 'v1', candidate: null })
  expect((await router.state()).etag).not.toBe(before.etag)
})

test('a digest that is not loaded is refused with 422, a lost token with 401, a missing etag with 428', async () => {
  const before = await router.state()
  const wish = { ...calm, generation: 3, stable: 'f'.repeat(64), candidate: null }
  const put = async (body: unknown, headers: Record<string, string>) =>
    (await router.put('/admin/state', body, headers)).status
  expect(await put(wish, { 'if-match': before.etag })).toBe(422)
  expect(await put(wish, { 'if-match': before.etag, authorization: 'Bearer wrong' })).toBe(401)
  expect(await put(wish, {})).toBe(428)
  expect(await put({ ...wish, stable: manifests.v1.digest, share: 2 }, { 'if-match': before.etag })).toBe(400)
  expect(await router.state()).toEqual(before)
})

test('a router that comes back serves what it was last told', async () => {
  await router.order({ ...calm, generation: 7, stable: 'v1', candidate: 'v2', share: 0.25 })
  const before = await router.state()
  await router.stop()
  router = await startRouter(folder)
  expect(await router.state()).toEqual({ ...before, emitted: { emitted: 0 } })
})

test('each row is answered by the version of its unit, and told to Interlock once', async () => {
  await router.order({ ...calm, generation: 8, stable: 'v1', candidate: 'v2', share: 0.5 })
  router.events.length = 0
  const asked = rows(0)
  const first = (await (await router.predict(asked)).json()) as { predictions: { id: string; version: string }[] }
  const second = (await (await router.predict(asked)).json()) as { predictions: { id: string; version: string }[] }
  expect(first.predictions.map(({ version }) => version)).toEqual(second.predictions.map(({ version }) => version))
  expect(new Set(first.predictions.map(({ version }) => version))).toEqual(
    new Set(['flight-delay@v1', 'flight-delay@v2']),
  )
  expect(router.events.map(({ id }) => id)).toEqual([...first.predictions, ...second.predictions].map(({ id }) => id))
  expect(new Set(router.events.map(({ id }) => id)).size).toBe(128)
  expect(router.events.every(({ generation }) => generation === 8)).toBe(true)
})

test('a shadow scores a sample of what the stable answers and never answers itself', async () => {
  await router.order({ ...calm, generation: 9, stable: 'v1', candidate: 'v2', shadow: true })
  router.events.length = 0
  const answered = (await (await router.predict(rows(100))).json()) as { predictions: { version: string }[] }
  expect(answered.predictions.every(({ version }) => version === 'flight-delay@v1')).toBe(true)
  const shadows = router.events.filter(({ variant }) => variant === 'shadow')
  expect(shadows.length).toBeGreaterThan(10)
  expect(shadows.length).toBeLessThan(54)
  expect(shadows.every(({ version }) => version === 'flight-delay@v2')).toBe(true)
})

test('in fallback the declared rule answers everybody and no model is named', async () => {
  await router.order({ ...calm, generation: 10, stable: 'v1', candidate: 'v2', share: 0.5, fallback: true })
  router.events.length = 0
  const answered = (await (await router.predict(rows(200))).json()) as { predictions: { prediction: string }[] }
  expect(answered.predictions.every(({ prediction }) => prediction === 'on-time')).toBe(true)
  for (const event of router.events) {
    expect(event).toMatchObject({ status: 'fallback', version: 'flight-delay@rule', score: null, prediction: null })
  }
})

test('a body that is too long or lacks a field is refused, and the answer names the row and the field', async () => {
  const tooMany = await router.predict([...rows(0), ...rows(64)])
  expect(tooMany.status).toBe(400)
  const { distance: _, ...incomplete } = rows(0)[0]!
  const lacking = await router.predict([incomplete as FlightRequest])
  expect(lacking.status).toBe(400)
  expect(((await lacking.json()) as { error: string }).error).toContain('rows[0].distance')
})

test('readiness turns red once the artifact on disk is not what its digest says', async () => {
  const ask = async () =>
    (await fetch(`${router.url}/admin/ready?target=${manifests.v2.digest}`)).json() as Promise<Readiness>
  expect((await ask()).ready).toBe(true)
  appendFileSync(join(folder, manifests.v2.artifact), ' ')
  const red = await ask()
  expect(red.ready).toBe(false)
  expect(red.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['digest'])
})
