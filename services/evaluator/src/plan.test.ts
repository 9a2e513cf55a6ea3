import { detectorFor, ln, resolveSignal, whyNot } from '@interlock/statistics'
import { expect, test } from 'vitest'
import { sumPane } from './closed-pane.ts'
import { addCounts, emptyPane, sliceKey } from './panes.ts'
import { planOf } from './plan.ts'
import { summariesOf } from './summaries.ts'
import {
  baselineOf,
  countsOf,
  guardrail,
  layout,
  policyOf,
  rowsOf,
  seeded,
  v1,
  v2,
  watchOf,
} from './testing/flights.ts'
import { moveTrack, startTrack } from './tracks.ts'

const methods = { detectorFor, resolveSignal, whyNot }
const distance = { signal: 'distribution(distance)', slices: ['producer'] }
const policy = policyOf([
  guardrail('errors', { slices: ['producer'] }),
  guardrail('distance', { ...distance, detector: 'dirichlet-two-sample' }),
  guardrail('training', {
    ...distance,
    detector: 'dirichlet-baseline',
    reference: 'baseline',
    budget: { falsePerYear: 1 },
    action: 'hold',
  }),
])
const rows = rowsOf(seeded(4), 1, 200)
const baselines = [v1, v2].map((version) => ({ ...baselineOf(version, rows), phi: { 'distribution(distance)': 7 } }))
const watch = watchOf({ policy, baselines })
const plan = planOf(watch, methods)
const of = (id: string, version = v2) =>
  plan.subjects.find((each) => each.guardrail.id === id && each.version === version)

test('against stable only the candidate is judged, against a baseline each version by its own', () => {
  expect(plan.subjects.map(({ guardrail: { id }, version, against }) => [id, version, against])).toEqual([
    ['errors', v2, v1],
    ['distance', v2, v1],
    ['training', v2, null],
    ['training', v1, null],
  ])
})

test('the design effect of days tempers what is held against a baseline, not what is compared in one pane', () => {
  expect(of('training')?.sight?.setup.phi).toBe(7)
  expect(of('distance')?.sight?.setup.phi).toBe(1)
})

test('a slice is held against its own baseline, and one that the baseline never saw is not looked into', () => {
  const { setup, slices, sliceOrder } = of('training', v1)!.sight!
  expect(sliceOrder).toEqual(['east', 'west', 'other'].map((producer) => sliceKey('producer', producer)))
  expect([...slices.keys()]).toEqual(sliceOrder.slice(0, 2))
  const [east, west] = [...slices.values()].map(({ baseline }) => baseline![layout.rows]!)
  expect(east).toBe(rows.filter(({ producer }) => producer === 'east').length)
  expect(east! + west!).toBe(setup.baseline![layout.rows])
})

test('guardrails that share an action and a kind of budget share it in equal parts', () => {
  expect(of('errors')?.limit).toBeCloseTo(ln(1_000) + ln(2), 12)
  expect(of('training')?.limit).toBeCloseTo(ln(31_536_000), 12)
})

test('a history is known by what it depends on: not by the generation where a baseline is the reference', () => {
  const next = planOf({ ...watch, generation: 2 }, methods)
  const same = plan.subjects.map(({ key }, index) => key === next.subjects[index]?.key)
  expect(same).toEqual([false, false, true, true])
})

test('an amount is one subject, of all versions together; its history outlives a change of the stable one', () => {
  const amount = guardrail('amount', {
    signal: 'volume',
    reference: 'history',
    detector: 'poisson-shiryaev-roberts',
    tolerance: { harm: 0.5, safe: 0 },
    budget: { falsePerYear: 1 },
    action: 'hold',
  })
  const before = watchOf({ policy: policyOf([amount]), baselines })
  const ramp = planOf(before, methods)
  expect(ramp.subjects.map(({ version, role, against }) => [version, role, against])).toEqual([[v1, 'stable', null]])
  const done = planOf({ ...before, stable: v2, candidate: null }, methods)
  expect(done.subjects[0]).toMatchObject({ version: v2, key: ramp.subjects[0]!.key })
  // Hours of the week change the unit of what is usual, and so its history; other hours do not.
  const hours = (rows: number) => ({ utcOffsetMinutes: 0, rows: Array(168).fill(rows), scale: [], weeks: [] })
  const hourly = (rows: number) =>
    planOf({ ...before, baselines: baselines.map((each) => ({ ...each, volume: hours(rows) })) }, methods).subjects[0]!
  expect(hourly(3_600_000).key).not.toBe(ramp.subjects[0]!.key)
  expect(hourly(3_600_000).key).toBe(hourly(7_200_000).key)
  expect(hourly(3_600_000).sight?.volume?.rows[0]).toBe(3_600_000)
  // Rows of both versions count, shadow copies do not.
  const counts = countsOf(rows.map((row, i) => ({ ...row, variant: i % 4 === 1 ? ('shadow' as const) : row.variant })))
  const pane = sumPane(ramp, addCounts(emptyPane, counts), 0, 1)
  const subject = ramp.subjects[0]!
  const track = moveTrack(ramp, subject, startTrack(subject, 0), [], pane)
  const shadows = rows.filter((_, i) => i % 4 === 1).length
  expect((track.whole as { n: number }).n).toBe(rows.length - shadows)
})

test('a mean is tempered by the design effect of its shape', () => {
  const mean = guardrail('mean', {
    signal: 'mean(distance)',
    reference: 'baseline',
    detector: 'binned-betting',
    budget: { falsePerYear: 1 },
    action: 'hold',
  })
  const { subjects } = planOf(watchOf({ policy: policyOf([mean]), baselines }), methods)
  expect(subjects.map(({ sight }) => sight?.setup.phi)).toEqual([7, 7])
})

test('a slice that the spec does not know counts as other, and an error is no fallback', () => {
  const strange = rows.map((row, index) => ({ ...row, producer: index < 30 ? 'moon' : row.producer }))
  const pane = sumPane(plan, addCounts(emptyPane, countsOf(strange)), 0, 1)
  const other = [...pane.groups.values()].map(({ slices }) => slices.get(sliceKey('producer', 'other'))?.[layout.rows])
  expect(other).toEqual([15, 15])
  const [one] = pane.variants
  one!.counts.set([100, 7, 5, 900], layout.status)
  expect(summariesOf(plan, watch, pane)[0]?.errors).toBe(12)
})
