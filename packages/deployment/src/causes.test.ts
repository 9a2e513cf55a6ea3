import type { Driver } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { causesOf } from './causes.ts'
import { judge } from './judgement.ts'
import { entry, evidence, guardrail, policy, v1, v2 } from './sample.ts'

const rules = policy([
  guardrail('errors'),
  guardrail('distance', { signal: 'distribution(distance)', detector: 'dirichlet-two-sample' }),
  guardrail('distance-missing', { signal: 'missing(distance)' }),
  guardrail('speed', { signal: 'distribution(speed)', detector: 'dirichlet-two-sample' }),
])
const about = { version: v2, variant: 'candidate' } as const

function causes(harms: Readonly<Record<string, number>>, drivers: Readonly<Record<string, readonly Driver[]>> = {}) {
  const entries = Object.entries(harms).map(([id, harm]) =>
    entry(id, 'candidate', { logE: { harm, safe: 0 }, drivers: drivers[id] ?? [] }),
  )
  return causesOf(judge(rules, evidence(entries), { stable: v1, candidate: v2 }).judged, about)
}
const driver = (dimension: string, value: string, share: number, traffic?: number): Driver => ({
  dimension,
  value,
  share,
  now: 0.5,
  reference: 0.1,
  ...(traffic === undefined ? {} : { traffic }),
})

test('a feature has the evidence of all its rules, and shares of features and signals add to one', () => {
  const found = causes({ errors: 8, distance: 9, 'distance-missing': 9, speed: 8 })
  expect(found.map(({ dimension, value }) => [dimension, value])).toEqual([
    ['feature', 'distance'],
    ['feature', 'speed'],
    ['signal', 'errors'],
  ])
  // e⁹ twice against e⁸ twice.
  expect(found[0]?.share).toBeCloseTo(Math.E / (Math.E + 1), 12)
  expect(found.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
})

test('a segment with 83 % of the excess and 4 % of the traffic is named, with both figures', () => {
  const found = causes({ errors: 20, speed: 1 }, { errors: [driver('segment:airport', 'ATL', 0.83, 0.04)] })
  expect(found[1]).toMatchObject({ dimension: 'segment:airport', value: 'ATL', traffic: 0.04 })
  expect(found[1]?.share).toBeCloseTo(0.83, 6)
})

test('a segment or source with about as much of the excess as of the rows explains nothing, nor does a small part', () => {
  const drivers = [driver('segment:airport', 'ATL', 0.5, 0.4), driver('producer', 'east', 0.1, 0.001)]
  expect(causes({ errors: 20 }, { errors: drivers })).toEqual([{ dimension: 'signal', value: 'errors', share: 1 }])
})

test('of two with the same share the one with fewer rows stands first', () => {
  const drivers = [driver('segment:airport', 'ATL', 0.9, 0.2), driver('producer', 'east', 0.9, 0.04)]
  expect(causes({ errors: 20 }, { errors: drivers }).map(({ value }) => value)).toEqual(['errors', 'east', 'ATL'])
})

test('evidence about another version, or too little of it, explains nothing', () => {
  const entries = [
    entry('errors', 'stable', { logE: { harm: 30, safe: 0 } }),
    entry('speed', 'candidate', { logE: { harm: 30, safe: 0 }, status: 'too-few' }),
  ]
  const { judged } = judge(rules, evidence(entries), { stable: v1, candidate: v2 })
  expect(causesOf(judged, about)).toEqual([])
})

test('whatever the evidence: at most eight causes, every share above 0 and at most 1, the largest first', () => {
  const harm = fc.double({ min: -50, max: 5_000, noNaN: true })
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const drivers = fc.array(
    fc.tuple(fc.constantFrom('bin', 'producer', 'segment:airport'), fc.constantFrom('a', 'b', 'c', 'd'), share, share),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(harm, harm, drivers, (errors, speed, found) => {
      const list = found.map(([dimension, value, part, traffic]) => driver(dimension, value, part, traffic))
      const named = causes({ errors, speed }, { errors: list, speed: list })
      expect(named.length).toBeLessThanOrEqual(8)
      for (const [index, { share: part }] of named.entries()) {
        expect(part > 0 && part <= 1).toBe(true)
        expect(part).toBeLessThanOrEqual(named[index - 1]?.share ?? 1)
      }
    }),
  )
})
