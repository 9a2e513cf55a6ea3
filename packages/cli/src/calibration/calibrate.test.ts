import { buildBaseline } from '@interlock/columns'
import type { Guardrail, GuardrailEvidence, Policy, VersionId } from '@interlock/contracts'
import { seededRandom } from '@interlock/runtime'
import { expect, test } from 'vitest'
import { calibrate } from './calibrate.ts'
import { Bystander, yearly, yearsNeeded } from './false-actions.ts'

const hourMs = 3_600_000
const rule: Guardrail = {
  id: 'lost',
  signal: 'missing(origin)',
  reference: 'baseline',
  detector: 'binomial-shiryaev-roberts',
  tolerance: { harm: 0.2, safe: 0.5 },
  budget: { falsePerYear: 4 },
  role: 'guard',
  action: 'hold',
  protects: 'travellers',
  slices: ['producer'],
  minimumSample: 0,
}
const policy: Policy = {
  v: 1,
  name: 'flights',
  riskClass: 'low',
  stages: [],
  guardrails: [
    rule,
    {
      ...rule,
      id: 'errors',
      reference: 'stable',
      budget: { alpha: 0.001 },
      detector: 'conditional-beta-binomial',
      action: 'roll-back',
    },
  ],
  noDataAfterMs: hourMs,
  onGuardrailLoss: [],
  grantMs: hourMs,
  times: { paneMs: hourMs, latenessMs: 0, stallTimeoutMs: hourMs },
  brakes: { rollbacksPerHour: 2, fleetShare: 0.2, fleetWindowMs: 300_000 },
}

/** Sixty rows an hour from 1970 on, of which a part that the day decides lacks its origin. */
function rowsOf(seed: number, days: number, missing: (day: number) => number) {
  const random = seededRandom(seed)
  const rows = Array.from({ length: days * 24 * 60 }, (_, minute) => minute)
  const day = (minute: number): number => Math.floor(minute / 1_440)
  return {
    features: { origin: rows.map((minute) => (random() < missing(day(minute)) ? null : 'ORD')) },
    prediction: rows.map(() => 'late'),
    producer: rows.map((minute) => (minute % 2 === 0 ? 'east' : 'west')),
    segments: {},
    latencyMs: Float64Array.from(rows, () => 1 + random()),
    timeMs: Float64Array.from(rows, (minute) => minute * 60_000),
  }
}
const past = rowsOf(1, 20, () => 0.05)
const baseline = buildBaseline({ version: 'm@v1' as VersionId, from: 'past', batches: [past] })
const request = { policy, baseline, paneMs: hourMs, utcOffsetMinutes: 0, bootstrapMs: 0, random: seededRandom(9) }

test('healthy history makes nothing act, and its days bound how often it may', () => {
  const found = calibrate({ ...request, batches: [rowsOf(2, 20, () => 0.05)], bootstrapMs: 40 * 24 * hourMs })
  if ('refused' in found) throw new Error(found.refused)
  expect(found.seen.actions).toEqual([{ action: 'hold', count: 0, at: [], part: 0 }])
  expect(yearly(0, found.seen.ms).atMost).toBeCloseTo((2.9957 * 365) / 20, 1)
  expect(found.drawn?.ms).toBe(40 * 24 * hourMs)
  expect(found.baseline.volume?.rows).toEqual(Array.from({ length: 168 }, () => 60))
  expect(found.tolerances.map(({ guardrail }) => guardrail)).toEqual(['lost'])
})

test('days that differ are told by action, tolerance and design effect, for the whole and its slices', () => {
  const batches = [rowsOf(3, 20, (day) => (day === 10 ? 0.25 : 0.05))]
  const found = calibrate({ ...request, batches })
  if ('refused' in found) throw new Error(found.refused)
  const [hold] = found.seen.actions
  expect(hold?.count).toBe(1)
  expect(Math.floor(hold!.at[0]! / (24 * hourMs))).toBe(10)
  expect(hold?.part).toBeGreaterThan(0)
  const [lost] = found.tolerances
  expect(lost?.largest?.block).toMatch(/^1970-01-11/)
  expect(lost?.proposed).toBeGreaterThan(4)
  expect(found.baseline.phi['missing(origin)']).toBeGreaterThan(10)
  const east = found.baseline.slices.find(({ dimension, value }) => dimension === 'producer' && value === 'east')
  expect(east?.phi?.['missing(origin)']).toBeGreaterThan(5)
})

test('a history without times is refused, and so is one of a million panes', () => {
  const { timeMs, ...timeless } = rowsOf(4, 1, () => 0)
  expect(calibrate({ ...request, batches: [timeless] })).toEqual({ refused: 'no row of the history has a time' })
  const far = { ...timeless, timeMs: timeMs.map((time, row) => (row === 0 ? time - 2e9 * 3_600 : time)) }
  expect(calibrate({ ...request, batches: [far] })).toMatchObject({ refused: /choose longer ones with --pane/ })
})

test('an action that lasts is one, and one that comes again after twelve calm panes is another', () => {
  const seen = new Bystander(policy, { stable: 'm@v1' as VersionId, candidate: null })
  const at = (harm: number): readonly GuardrailEvidence[] => [
    {
      guardrail: 'lost',
      version: 'm@v1' as VersionId,
      variant: 'stable',
      limit: 8,
      evidence: {
        status: 'ok',
        logE: { harm, safe: 0 },
        effect: { estimate: 2, low: 1.5, high: 3 },
        n: 100,
        m: 100,
        events: { now: 1, reference: 1 },
        phi: 1,
        onset: null,
        drivers: [],
        dataTo: 0,
        window: '' as GuardrailEvidence['evidence']['window'],
      },
    },
  ]
  const course = [0, 9, 9, ...Array(11).fill(1), 3, 9, ...Array(12).fill(1), 9]
  for (const [index, harm] of course.entries()) seen.see(index, at(harm))
  expect(seen.actions()).toMatchObject([
    { action: 'hold', count: 2, at: [1, course.length - 1] },
    { action: 'roll-back', count: 0 },
  ])
})

test('three years without an event are needed to say: at most one a year', () => {
  expect(yearsNeeded(1)).toBeCloseTo(3, 2)
})
