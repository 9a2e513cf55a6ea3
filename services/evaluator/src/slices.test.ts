import type { DetectorReading, DetectorSetup, SignalView } from '@interlock/contracts'
import { exp, ln } from '@interlock/statistics'
import { describe, expect, test } from 'vitest'
import { sliceKey } from './panes.ts'
import type { Sight } from './plan.ts'
import { joinSlices } from './slices.ts'
import { guardrail } from './testing/flights.ts'
import { toyMethods } from './testing/toy.ts'

const reading = (logE: number, fields: Partial<DetectorReading> = {}): DetectorReading => ({
  status: 'ok',
  logE: { harm: logE, safe: 0.5 },
  effect: { estimate: 1, low: 0.5, high: 2 },
  n: 100,
  m: 100,
  events: { now: 10, reference: 10 },
  phi: 1,
  onset: null,
  drivers: [],
  ...fields,
})

const signal: SignalView = { kind: 'rate', id: 'errors', read: () => ({ events: 0, trials: 0 }) }
const setup: DetectorSetup = { guardrail: guardrail('errors'), signal, baseline: null, phi: 1, paneMs: 1_000 }

function join(whole: DetectorReading, slices: Readonly<Record<string, DetectorReading>>, sliceCount: number) {
  const keyed = Object.entries(slices).map(([name, each]) => [sliceKey('producer', name), each] as const)
  const tracks = new Map(keyed.map(([key, each]) => [key, { state: null, reading: each }]))
  const silent = Array.from({ length: sliceCount - keyed.length }, (_, index) =>
    sliceKey('producer', `silent ${index}`),
  )
  const sight: Sight = {
    detector: toyMethods.detectorFor('conditional-beta-binomial'),
    setup,
    slices: new Map(keyed.map(([key]) => [key, setup])),
    sliceOrder: [...keyed.map(([key]) => key), ...silent],
    turns: 1,
    sources: [],
    edges: null,
    volume: null,
  }
  return joinSlices(sight, whole, tracks)
}

describe('joining the whole with its slices', () => {
  test('averages e-values: half for the whole, half in equal parts for all slices, silent ones counting as 1', () => {
    const { logE } = join(reading(ln(4)), { east: reading(ln(30)), west: reading(ln(2)) }, 10)
    expect(exp(logE.harm)).toBeCloseTo(4 / 2 + (30 + 2 + 8) / 20, 12)
    expect(logE.safe).toBe(0.5)
  })

  test('leaves a slice with too few rows at 1, whatever it says', () => {
    const { logE } = join(reading(0), { east: reading(20, { status: 'too-few' }) }, 2)
    expect(logE.harm).toBeCloseTo(0, 12)
  })

  test('costs one harmed slice of many no more than the logarithm of their number, and lets it lead and be named', () => {
    const odd = reading(12, { effect: { estimate: 6, low: 4, high: 9 }, n: 50, events: { now: 30, reference: 5 } })
    const { logE, leadSlice, lead, drivers } = join(reading(1), { east: reading(-2), west: odd }, 230)
    expect(logE.harm).toBeGreaterThan(12 - ln(460))
    expect(leadSlice).toEqual({ dimension: 'producer', value: 'west' })
    expect(lead.n).toBe(50)
    expect(drivers).toEqual([
      { dimension: 'producer', value: 'west', share: 1, now: 0.6, reference: 0.05, traffic: 0.5 },
    ])
  })

  test('leads with the whole while no slice holds most of the evidence', () => {
    const { leadSlice } = join(reading(9), { east: reading(9), west: reading(9) }, 2)
    expect(leadSlice).toBeNull()
  })

  test('names only slices that are surely beyond tolerance, by their part of all that is too much', () => {
    const above = (now: number, low = 2): DetectorReading =>
      reading(9, { effect: { estimate: 3, low, high: 9 }, n: 100, events: { now, reference: 10 } })
    const { drivers } = join(reading(20), { a: above(40), b: above(20), c: above(70, 1.1), d: above(5) }, 4)
    expect(drivers.map(({ value, share }) => [value, Math.round(share * 1e9) / 1e9])).toEqual([
      ['a', 0.315789474],
      ['b', 0.105263158],
    ])
  })
})
