import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { decodeModel, encodeModel, loadArtifacts, writeArtifacts } from './artifacts.ts'
import { marchRows } from './baseline-rows.ts'
import { loadFlights, rowsOfDay } from './data.ts'
import { score } from './models.ts'
import { healthyFeatures, train } from './training.ts'
import { requestOf } from './units.ts'

const fourWeeks = { everyNth: 10, days: { from: 0, to: 28 }, heldOutDays: { from: 80, to: 85 } }
const small = await train(fourWeeks)
const april = await loadFlights({ from: 90, to: 92 })

test('training twice gives the same artifacts to the byte', async () => {
  const again = await train(fourWeeks)
  for (const version of ['v1', 'v2'] as const) {
    expect(sha256(encodeModel(again.models[version]))).toBe(sha256(encodeModel(small.models[version])))
  }
})

test('v2 sorts the held-out days of March better than v1, and v1 better than chance', () => {
  const { v1, v2 } = small.report.auc
  expect(v1).toBeGreaterThan(0.6)
  expect(v2).toBeGreaterThan(v1 + 0.005)
})

test('a model read back from its artifact scores flights as before', async () => {
  for (const version of ['v1', 'v2'] as const) {
    const model = small.models[version]
    const readBack = decodeModel(encodeModel(model), 'here')
    for (let row = 0; row < april.rows; row += 100) {
      const features = healthyFeatures(version, requestOf(april, row), model.rates)
      expect(score(readBack, features)).toBe(score(model, features))
    }
  }
})

test('artifacts load under the digest that their manifest names', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-flights-'))
  const manifests = await writeArtifacts(folder, small)
  const { loaded, refused } = loadArtifacts(folder)
  expect(refused).toEqual([])
  expect(loaded.map(({ manifest }) => manifest.digest)).toEqual([manifests.v1.digest, manifests.v2.digest])
})

test('the baseline has every sampled row of March once, in columns of one length', async () => {
  let rows = 0
  for await (const batch of marchRows(small.models.v2, 20)) {
    rows += batch.score.length
    const columns = [...Object.values(batch.features), batch.prediction, batch.producer, batch.segments.airport!]
    expect(columns.every((column) => column.length === batch.score.length)).toBe(true)
    expect(batch.score.every((value) => value > 0 && value < 1)).toBe(true)
  }
  expect(rows).toBe(Math.ceil(511_502 / 20))
})

test('a span holds the flights of its days only, in order of departure, under the names they have in the whole file', async () => {
  expect(april.firstRow).toBe(1_477_911)
  expect(rowsOfDay(april, 90)).toEqual({ from: 0, to: 16_373 })
  expect(april.rows).toBe(16_373 + 17_159)
  expect(april.departureMinute.every((minute, row) => row === 0 || minute >= april.departureMinute[row - 1]!)).toBe(
    true,
  )
})

test('a route has one distance, so that kilometres for miles cannot hide in the routes', async () => {
  const distances = new Map<number, number>()
  for (let row = 0; row < april.rows; row++) {
    const route = april.origin[row]! * 1_000 + april.destination[row]!
    expect(distances.get(route) ?? april.distanceMiles[row]).toBe(april.distanceMiles[row])
    distances.set(route, april.distanceMiles[row]!)
  }
})
