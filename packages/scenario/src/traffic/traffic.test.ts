import { expect, test } from 'vitest'
import type { Row } from '../row.ts'
import { sampleBaseline } from '../sample-baseline.ts'
import { startMs } from '../world/place.ts'
import { recordedTraffic } from './recorded.ts'
import { syntheticTraffic } from './synthetic.ts'

const options = { rowsPerHour: 36_000, errorRate: 0.02, seed: 1 }
const drawn = (seed = 1) => syntheticTraffic(sampleBaseline(), { ...options, seed })

test('drawn rows come at their rate and do not depend on how time is cut', () => {
  const whole = drawn().between(0, 60_000)
  const cut = [...drawn().between(0, 7_001), ...drawn().between(7_001, 60_000)]
  expect(whole).toHaveLength(600)
  expect(cut).toEqual(whole)
  expect(drawn(2).between(0, 60_000)).not.toEqual(whole)
})

test('drawn rows have the shape of the baseline, as a whole and by producer', () => {
  const rows = drawn().between(0, 2_000_000)
  const part = (of: readonly Row[], holds: (row: Row) => boolean) => of.filter(holds).length / of.length
  const west = rows.filter(({ producer }) => producer === 'west')
  const far = (row: Row) => (row.features.distance as number) >= 800
  // 20,000 rows: five standard errors of a half are 0.018.
  expect(part(rows, ({ producer }) => producer === 'west')).toBeCloseTo(0.5, 1)
  expect(part(west, far)).toBeCloseTo(0.4, 1)
  expect(part(rows, far)).toBeCloseTo(0.25, 1)
  expect(part(rows, ({ features }) => features.origin === 'JFK')).toBeCloseTo(0.1, 1)
  expect(part(rows, ({ status }) => status === 'error')).toBeCloseTo(0.02, 2)
  expect(part(rows, ({ segments }) => segments.airport === 'JFK')).toBeCloseTo(0.01, 2)
})

const recording = drawn().between(0, 10_000)

test('a recording is repeated with other people behind its units, at its own pace', () => {
  const traffic = recordedTraffic(recording)
  const rows = traffic.between(0, 25_000)
  expect(traffic.rowsPerHour).toBeCloseTo(36_000, 0)
  expect(rows).toHaveLength(250)
  expect(rows.map(({ eventTimeMs }) => eventTimeMs - startMs).slice(99, 102)).toEqual([9_900, 10_000, 10_100])
  expect(new Set(rows.map(({ id }) => id)).size).toBe(250)
  expect(rows[0]?.features).toEqual(rows[100]?.features)
  expect(rows[0]?.unit).not.toBe(rows[100]?.unit)
})

test('a recording may be played faster, and shadows and other versions are left out', () => {
  const [first] = recording as [Row]
  const mixed = [...recording, { ...first, variant: 'shadow' as const }, { ...first, version: 'delay@2' }]
  const traffic = recordedTraffic(mixed, { rowsPerHour: 360_000 })
  expect(traffic.between(0, 1_000)).toHaveLength(100)
  expect(() => recordedTraffic(mixed, { version: 'delay@3' })).toThrow('no answer of delay@3')
  expect(() => recordedTraffic([])).toThrow('no answer')
})
