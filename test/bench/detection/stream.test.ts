import { bestDelay } from '@interlock/statistics'
import { expect, test } from 'vitest'
import { random } from '../sampling/random.ts'
import { families, feature, information, missing, sizeFor, surge } from './families.ts'
import { gamma, normal, poisson } from './gamma.ts'
import { dispersionOf, magnitudes } from './measure.ts'
import { courses, independent, type Noise, panesOf } from './stream.ts'

function moments(draws: readonly number[]): { mean: number; variance: number } {
  const mean = draws.reduce((a, b) => a + b, 0) / draws.length
  return { mean, variance: draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (draws.length - 1) }
}

test('normal, gamma and Poisson draws have the mean and variance of their laws', () => {
  const draw = random(1)
  const of = (make: () => number) => moments(Array.from({ length: 40_000 }, make))
  expect(of(() => normal(draw)).variance).toBeCloseTo(1, 1)
  for (const shape of [0.3, 2, 40]) {
    const { mean, variance } = of(() => gamma(draw, shape))
    expect(mean / shape).toBeCloseTo(1, 1)
    expect(variance / shape).toBeCloseTo(1, 1)
  }
  for (const rows of [0.5, 12, 400]) {
    const { mean, variance } = of(() => poisson(draw, rows))
    expect(mean / rows).toBeCloseTo(1, 1)
    expect(variance / rows).toBeCloseTo(1, 1)
  }
})

test('streams of one seed are the same, pane by pane, and of another differ', () => {
  const panes = (seed: number) => {
    const next = panesOf(
      { family: feature, noise: { kind: 'latent', phi: 2, rho: 0.5 }, size: 1, course: courses.gradual },
      random(seed),
    )
    return Array.from({ length: 20 }, (_, pane) => {
      const counts = new Float64Array(10)
      next(counts, pane - 5)
      return [...counts]
    })
  }
  expect(panes(1)).toEqual(panes(1))
  expect(panes(1)).not.toEqual(panes(2))
})

test.each([
  { kind: 'clumped', phi: 3 },
  { kind: 'latent', phi: 3, rho: 0.5 },
] as const satisfies readonly Noise[])(
  'panes of $kind streams are as dispersed as is said, in every family whose cells all fill',
  (noise) => {
    for (const family of families.filter(({ id }) => id !== 'loss')) {
      const phi = dispersionOf(family, noise, 'pane', 3)
      expect([family.id, phi > 2.4 && phi < 3.7, phi]).toEqual([family.id, true, phi])
    }
  },
)

test('independent panes have dispersion 1, and neighbours of a latent stream are alike', () => {
  for (const family of families) expect(dispersionOf(family, independent, 'pane', 4)).toBeLessThan(1.1)
  expect(dispersionOf(surge, { kind: 'latent', phi: 2, rho: 0.9 }, 'block', 5)).toBeGreaterThan(6)
})

test('magnitudes are those changes whose best delay is 200, 50, 10 and 2 panes', () => {
  for (const family of families)
    for (const delay of Object.values(magnitudes)) {
      const size = sizeFor(family, delay, 500)
      expect(size).toBeLessThan(family.most)
      expect(bestDelay(500, information(family, size))).toBeCloseTo(delay, 3)
    }
})

test('a change is not in force before it began, and then as its course says', () => {
  const events = (course: keyof typeof courses, since: number) => {
    const next = panesOf({ family: missing, noise: independent, size: 19, course: courses[course] }, random(6))
    const counts = new Float64Array(2)
    let sum = 0
    for (let i = 0; i < 200; i++) {
      next(counts, since)
      sum += counts[1]!
    }
    return sum / 200
  }
  expect(events('abrupt', -1)).toBeLessThan(6)
  expect(events('abrupt', 0)).toBeGreaterThan(95)
  expect(events('incremental', 24)).toBeGreaterThan(45)
  expect(events('incremental', 24)).toBeLessThan(60)
  expect(events('recurring', 30)).toBeLessThan(6)
  expect(events('gradual', 60)).toBeGreaterThan(95)
})
