import type { BaselineDocument, CountSpec, DetectorSetup } from '@interlock/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cell, meanOfOrigins, run, setupOf, spec } from './detectors/panes.ts'
import * as statistics from './index.ts'
import { detectorFor, whyNot } from './index.ts'

/**
 * What goes wrong in streams: no rows, one bin, ties, NaN, infinities, counts beyond 2^53, equal edges, counts under another
 * spec, unknown signals. Every public function answers with numbers or refuses with an error that says why.
 */

const odd = fc.constantFrom(
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, -1, -0.5, 0.5, 1, 1.5, 2, 7, 1_000],
  ...[Number.MIN_VALUE, 1e-300, 2 ** -60, 2 ** 53, 2 ** 60, 1e18, Number.MAX_SAFE_INTEGER],
)
const count = fc.oneof(fc.constantFrom(0, 1, 2, 2 ** 53, 2 ** 60), fc.nat(1_000))
const level = fc.oneof(odd, fc.constantFrom(0.001, 0.05, 0.5))
const vector = fc.array(fc.oneof({ weight: 5, arbitrary: count }, { weight: 1, arbitrary: odd }), { maxLength: 6 })
const weights = fc.array(fc.record({ weight: odd, logE: odd }), { maxLength: 4 })
const starts = fc.array(fc.record({ at: fc.nat(1_000), sums: fc.constant([1]) }), { maxLength: 4 })

/** Functions by name, each with what it is called with. Those that take something other than numbers are below. */
const calls: Readonly<Record<string, fc.Arbitrary<readonly unknown[]>>> = {
  averageEvidence: fc.tuple(weights),
  wholeAndSlices: fc.tuple(odd, fc.array(odd, { maxLength: 3 }), odd),
  logAmountIncrement: fc.tuple(odd, odd, odd, odd),
  logWealth: fc.tuple(vector, vector, odd, odd),
  endsOf: fc.tuple(fc.array(odd, { maxLength: 4 })),
  bettingInterval: fc.tuple(vector, fc.constant(statistics.endsOf([0, 1, 2, 5])), level, odd),
  oneSidedRadius: fc.tuple(odd, odd, level),
  oneSidedLogWealth: fc.tuple(odd, odd, odd),
  stitchedRadius: fc.tuple(odd, odd, odd, level),
  asymptoticRadius: fc.tuple(odd, odd, odd, level),
  distancesOf: fc.tuple(vector, vector),
  orderedDistancesOf: fc.tuple(vector, vector, vector),
  eBenjaminiHochberg: fc.tuple(fc.array(odd, { maxLength: 5 }), level),
  logEOfP: fc.tuple(odd),
  logShareMismatch: fc.tuple(odd, odd, level),
  lgamma: fc.tuple(odd),
  logBeta: fc.tuple(odd, odd),
  logBetaBelow: fc.tuple(level, fc.nat(50), fc.nat(50)),
  logBetaAbove: fc.tuple(level, fc.nat(50), fc.nat(50)),
  betaQuantile: fc.tuple(level, fc.nat(50), fc.nat(50)),
  normalBelow: fc.tuple(odd),
  normalQuantile: fc.tuple(level),
  keepStart: fc.tuple(starts, fc.constant({ at: 2_000, sums: [1] }), fc.integer({ min: 2, max: 4 })),
}

/** Every number within a value, whatever it is made of. */
function numbersIn(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap(numbersIn)
}

describe('a public function answers odd numbers with numbers, or refuses them', () => {
  test.each(Object.keys(calls))('%s', (name) => {
    const called = (statistics as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[name]
    expect(called, 'no such function').toBeTypeOf('function')
    fc.assert(
      fc.property(calls[name] as fc.Arbitrary<readonly unknown[]>, (args) => {
        let answer: unknown
        try {
          answer = called?.(...args)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
          expect((error as Error).message.length).toBeGreaterThan(15)
          return
        }
        expect(numbersIn(answer)).not.toContain(Number.NaN)
      }),
      { numRuns: 300 },
    )
  })
})

const endless = { budget: { falsePerYear: 1 }, reference: 'baseline' } as const
/** Each detector with a baseline, and without one where it needs it. */
const setups: readonly (readonly [string, DetectorSetup])[] = [
  setupOf('errors', { detector: 'conditional-beta-binomial' }),
  setupOf('errors', { detector: 'binomial-shiryaev-roberts', ...endless }, { baseline: cell(1_000, 10) }),
  setupOf('errors', { detector: 'binomial-shiryaev-roberts', ...endless }),
  setupOf('distribution(origin)', { detector: 'dirichlet-two-sample' }),
  setupOf('distribution(origin)', { detector: 'dirichlet-baseline', ...endless }, { baseline: cell(10, 0, [10]) }),
  setupOf('distribution(origin)', { detector: 'dirichlet-baseline', ...endless }),
  setupOf('volume', { detector: 'gap', ...endless, reference: 'history' }),
  setupOf('volume', { detector: 'poisson-shiryaev-roberts', ...endless, reference: 'history' }),
  setupOf('x', { detector: 'binned-betting', ...endless }, { signal: meanOfOrigins, baseline: cell(10, 0, [10]) }),
  setupOf('x', { detector: 'binned-betting', ...endless }, { signal: meanOfOrigins }),
].map((setup) => [`${setup.guardrail.detector}${setup.baseline === null ? ', no baseline' : ''}`, setup] as const)

describe('a detector stays finite', () => {
  test.each(setups)('%s', (_, setup) => {
    const one = fc.array(count, { minLength: 1, maxLength: 6 }).map((origins) => {
      const rows = origins.reduce((a, b) => a + b, 0)
      return cell(rows, Math.min(rows, origins[0] as number), origins)
    })
    const pane = fc.record({ now: one, reference: one, expected: fc.constantFrom(undefined, 0, 1e-300, 1, 1e18) })
    fc.assert(
      fc.property(fc.array(pane, { maxLength: 50 }), (panes) => {
        const steps = panes.map(({ now, reference, expected }) => ({
          now,
          reference,
          ...(expected === undefined ? {} : { expected }),
        }))
        const { state, readings } = run(detectorFor(setup.guardrail.detector), setup, steps)
        for (const number of numbersIn([state, readings])) expect(Number.isFinite(number)).toBe(true)
        for (const { effect, status, n } of readings) {
          expect(effect.low).toBeLessThanOrEqual(effect.estimate)
          expect(effect.estimate).toBeLessThanOrEqual(effect.high)
          if (n === 0) expect(status).toBe('no-data')
        }
      }),
      { numRuns: 40 },
    )
  })

  test('without a baseline that it needs, a detector says that it has no data and brings no evidence', () => {
    const blind = setups.filter(
      ([name]) => name.includes('no baseline') && !/two-sample|conditional|gap|poisson/.test(name),
    )
    expect(blind.length).toBe(3)
    for (const [name, setup] of blind) {
      const busy = Array.from({ length: 30 }, () => ({
        now: cell(1_000, 900, [0, 0, 0, 0, 0, 1_000]),
        reference: null,
      }))
      const last = run(detectorFor(setup.guardrail.detector), setup, busy).readings.at(-1)
      expect(last?.status, name).toBe('no-data')
    }
  })
})

describe('a signal that these counts do not have is refused by name', () => {
  const limits: BaselineDocument['latencyLimitsMs'] = { p50: 10, p90: 20, p99: 50 }
  const unknown = [
    '',
    'eror',
    'mean',
    'mean(origin)',
    'mean(score)',
    'mean(nothing)',
    'distribution()',
    'latency-over(p42)',
  ]
  test.each(unknown)('"%s"', (signal) => {
    expect(() => statistics.resolveSignal(signal, spec, limits)).toThrow(statistics.UnknownSignalError)
  })

  test('a latency limit that is no edge of the histogram is refused: the baseline is of another spec', () => {
    for (const signal of ['latency-over(p99)', 'mean(latency)'])
      expect(() => statistics.resolveSignal(signal, spec, { ...limits, p99: 51 })).toThrow('build the baseline again')
  })

  test('a histogram whose edges are equal has no mean, and its detector refuses to start', () => {
    const flat: CountSpec = { ...spec, features: [{ kind: 'numeric', name: 'flat', edges: [3, 3], scale: 1 }] }
    const signal = statistics.resolveSignal('mean(flat)', flat, limits)
    const setup = setupOf('mean(flat)', { detector: 'binned-betting', ...endless }, { signal })
    expect(() => detectorFor('binned-betting').start(setup)).toThrow('strictly increasing')
  })

  test('a detector that does not fit the signal or the reference says so', () => {
    expect(whyNot('poisson-shiryaev-roberts', 'volume', 'stable')).toContain('compares with history')
    expect(whyNot('binned-betting', 'histogram', 'baseline')).toContain('reads a mean')
  })
})
