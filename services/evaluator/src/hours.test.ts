import type { Detector } from '@interlock/contracts'
import { detectorFor, resolveSignal, whyNot } from '@interlock/statistics'
import { expect, test } from 'vitest'
import type { ClosedPane } from './closed-pane.ts'
import { groupKey } from './closed-pane.ts'
import { planOf } from './plan.ts'
import { baselineOf, guardrail, layout, policyOf, rowsOf, seeded, v1, v2, watchOf } from './testing/flights.ts'
import { moveTrack, startTrack } from './tracks.ts'

/** A gap test that remembers what was expected of each pane. */
const attentive: Detector = {
  ...detectorFor('gap'),
  start: () => [],
  update: (_, state, { expected }) => [...(state as (number | null)[]), expected ?? null],
}
const methods = { detectorFor: () => attentive, resolveSignal, whyNot }
const silence = guardrail('silence', {
  signal: 'volume',
  detector: 'gap',
  reference: 'history',
  budget: { falsePerYear: 1 },
})
const cells = Array.from({ length: 168 }, () => 0)
/** 1970 began with a Thursday: its first hour is cell 72. */
const volume = {
  utcOffsetMinutes: 0,
  rows: cells.map((_, cell) => (cell === 72 ? 360_000 : 0)),
  scale: cells,
  weeks: cells.map(() => 4),
}
const baselines = [v1, v2].map((version) => ({
  ...baselineOf(version, rowsOf(seeded(1), 1, 10)),
  volume,
  phi: { volume: 9 },
}))
const plan = planOf(watchOf({ policy: policyOf([silence]), baselines }), methods)

function pane(index: number, stable: number, candidate: number): ClosedPane {
  const group = (rows: number) => {
    const whole = new Float64Array(layout.width)
    whole[layout.rows] = rows
    return { whole, slices: new Map() }
  }
  const groups = new Map([
    [groupKey(v1, 'serving'), group(stable)],
    [groupKey(v2, 'serving'), group(candidate)],
    [groupKey(v2, 'shadow'), group(1_000)],
  ])
  return { start: index * 1_000, ms: 1_000, groups, coverage: 1, variants: [] }
}

function expectedOf(version: typeof v1, rows: readonly (readonly [stable: number, candidate: number])[], first = 0) {
  const subject = plan.subjects.find((each) => each.version === version)!
  const panes = rows.map(([stable, candidate], index) => pane(first + index, stable, candidate))
  return panes.reduce((track, each) => moveTrack(plan, subject, track, [], each), startTrack(subject, 0)).whole
}

test('a version is expected to answer its part of what the hour says, so a ramp is no change of volume', () => {
  expect(
    expectedOf(v1, [
      [120, 0],
      [60, 60],
      [20, 60],
    ]),
  ).toEqual([100, 50, 25])
})

test('a version that stops answering is held against the part that it had', () => {
  expect(
    expectedOf(v1, [
      [60, 60],
      [0, 120],
    ]),
  ).toEqual([50, 50])
  expect(
    expectedOf(v1, [
      [120, 0],
      [0, 0],
    ]),
  ).toEqual([100, 100])
})

test('in an hour that is always quiet nothing is expected', () => {
  expect(
    expectedOf(
      v1,
      [
        [120, 0],
        [0, 0],
      ],
      3_600,
    ),
  ).toEqual([0, 0])
})

test('the gap test is not tempered by how hours differ, and without hours it is told nothing', () => {
  expect(plan.subjects.map(({ sight }) => sight?.setup.phi)).toEqual([1, 1])
  const plain = planOf(watchOf({ policy: policyOf([silence]), baselines: [] }), methods)
  const [subject] = plain.subjects
  expect(moveTrack(plain, subject!, startTrack(subject!, 0), [], pane(0, 10, 10)).whole).toEqual([null])
})
