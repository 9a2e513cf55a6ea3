import type { DetectorReading, DetectorSetup, Json } from '@interlock/contracts'
import { canonicalJson } from '@interlock/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ln } from '../elementary.ts'
import { detectorFor } from './detectors.ts'
import { cell, meanOfOrigins, run, setupOf } from './panes.ts'
import { whyNot } from './setup.ts'

/** What every detector owes, whatever its method. */
const setups: Readonly<Record<string, DetectorSetup>> = {
  'conditional-beta-binomial': setupOf('errors', {
    detector: 'conditional-beta-binomial',
    tolerance: { harm: 0.1, safe: 0.5, absolute: 0.001 },
    minimumSample: 50,
  }),
  'binomial-shiryaev-roberts': setupOf(
    'errors',
    {
      detector: 'binomial-shiryaev-roberts',
      reference: 'baseline',
      minimumSample: 50,
      tolerance: { harm: 0.1, safe: 0.5, absolute: 0.001 },
      budget: { falsePerYear: 1 },
    },
    { baseline: cell(100_000, 1_000) },
  ),
  'dirichlet-two-sample': setupOf('distribution(origin)', { detector: 'dirichlet-two-sample', minimumSample: 50 }),
  'dirichlet-baseline': setupOf(
    'distribution(origin)',
    { detector: 'dirichlet-baseline', reference: 'baseline', minimumSample: 50, tolerance: { harm: 0.02, safe: 0 } },
    { baseline: cell(1000, 10, [500, 300, 200]) },
  ),
  'poisson-shiryaev-roberts': setupOf('volume', {
    detector: 'poisson-shiryaev-roberts',
    reference: 'history',
    minimumSample: 50,
    tolerance: { harm: 0.3, safe: 0 },
    budget: { falsePerYear: 1 },
  }),
  'binned-betting': setupOf(
    'distribution(origin)',
    {
      detector: 'binned-betting',
      reference: 'baseline',
      minimumSample: 50,
      tolerance: { harm: 0.02, safe: 0 },
      budget: { falsePerYear: 1 },
    },
    { baseline: cell(1000, 10, [500, 300, 200]), signal: meanOfOrigins },
  ),
  gap: setupOf('volume', { detector: 'gap', reference: 'history', minimumSample: 50, budget: { falsePerYear: 1 } }),
}

function isFinitePlain(value: Json | DetectorReading): boolean {
  // canonicalJson refuses NaN and infinities.
  return canonicalJson(JSON.parse(canonicalJson(value))) === canonicalJson(value)
}

describe.each(Object.entries(setups))('%s', (id, setup) => {
  const detector = detectorFor(id as DetectorSetup['guardrail']['detector'])
  const healthy = Array.from({ length: 40 }, () => ({
    now: cell(100, 1, [50, 30, 20]),
    reference: cell(100, 1, [50, 30, 20]),
  }))

  test('before any pane there is no data and no evidence', () => {
    const reading = detector.read(setup, detector.start(setup))
    expect(reading.status).toBe('no-data')
    expect(reading.logE.harm).toBe(0)
    expect(reading.logE.safe).toBeLessThanOrEqual(1e-12)
  })

  test('panes without rows are no data, not health', () => {
    const empty = { now: cell(0), reference: cell(0) }
    expect(run(detector, setup, [empty, empty]).readings.map(({ status }) => status)).toEqual(['no-data', 'no-data'])
  })

  test('below the minimum sample it is too few', () => {
    const few = { now: cell(20, 0, [10, 6, 4]), reference: cell(20, 0, [10, 6, 4]) }
    expect(run(detector, setup, [few]).readings[0]?.status).toBe('too-few')
  })

  test('a pane that not every shard reported moves nothing and says so, until a whole one comes', () => {
    const bad = { now: cell(100, 100, [0, 0, 100]), reference: cell(100, 0, [100]), coverage: 0.5 }
    const { readings } = run(detector, setup, [...healthy, bad, ...healthy.slice(0, 1)])
    expect(readings[40]?.status).toBe('incomplete')
    expect(readings[40]).toEqual({ ...readings[39], status: 'incomplete' })
    expect(readings[41]?.status).toBe('ok')
  })

  test('healthy data are ok and raise nothing', () => {
    const last = run(detector, setup, healthy).readings.at(-1)
    expect(last?.status).toBe('ok')
    // An endless watch sums up one process a pane, each with mean 1: 40 healthy panes are worth 40 and no alarm.
    expect(last?.logE.harm).toBeLessThan(ln(40))
    expect(last?.onset).toBeNull()
  })

  test('any counts give plain finite state and readings, and the same ones again', () => {
    const count = fc.oneof(fc.constant(0), fc.nat(300), fc.integer({ min: 2 ** 50, max: 2 ** 51 }))
    const cells = fc.array(count, { minLength: 6, maxLength: 6 }).chain((origins) => {
      const rows = origins.reduce((a, b) => a + b, 0)
      return fc.nat(100).map((part) => cell(rows, Math.floor((rows * part) / 100), origins))
    })
    const pane = fc.record({ now: cells, reference: cells, coverage: fc.constantFrom(1, 1, 1, 0.9) })
    fc.assert(
      fc.property(fc.array(pane, { maxLength: 45 }), (panes) => {
        const { state, readings } = run(detector, setup, panes)
        expect(isFinitePlain(state)).toBe(true)
        for (const reading of readings) {
          expect(isFinitePlain(reading)).toBe(true)
          expect(reading.effect.low).toBeLessThanOrEqual(reading.effect.estimate)
          expect(reading.effect.estimate).toBeLessThanOrEqual(reading.effect.high)
        }
        expect(canonicalJson(run(detector, setup, panes).state)).toBe(canonicalJson(state))
      }),
      { numRuns: 60 },
    )
  })
})

test('a detector refuses a signal or reference that it cannot judge', () => {
  expect(whyNot('gap', 'rate', 'history')).toContain('reads a volume')
  expect(whyNot('conditional-beta-binomial', 'rate', 'baseline')).toContain('compares with stable')
  expect(whyNot('dirichlet-baseline', 'histogram', 'baseline')).toBeNull()
  const wrong = setupOf('errors', { detector: 'dirichlet-two-sample' })
  expect(() => detectorFor('dirichlet-two-sample').start(wrong)).toThrow('guardrail "rule"')
})
