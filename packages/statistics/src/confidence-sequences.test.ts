import { expect, test } from 'vitest'
import { asymptoticRadius, oneSidedLogWealth, oneSidedRadius, stitchedRadius } from './confidence-sequences.ts'
import { ln } from './elementary.ts'
import { mixtureRadius, mixtureRho } from './normal-mixture.ts'
import { seeded } from './seeded.ts'
import { normalQuantile } from './special.ts'

test('golden values: two-sided mixture 95.98174, stitched 124.1655, price of looking 3.035, 3.572, 4.206', () => {
  // docs/statistics.md §2.2; confseq (Howard et al.): α = .05, v = 1000.
  expect(mixtureRho(1000, 0.05)).toBeCloseTo(126.0056, 4)
  expect(mixtureRadius(1000, mixtureRho(1000, 0.05), 0.05)).toBeCloseTo(95.98174, 5)
  expect(stitchedRadius(1000, 1, 0, 0.05)).toBeCloseTo(124.1655, 4)
  for (const [alpha, price] of [
    [0.05, 3.035],
    [0.01, 3.572],
    [0.001, 4.206],
  ] as const)
    expect(mixtureRadius(1, mixtureRho(1, alpha), alpha)).toBeCloseTo(price, 3)
})

test('the one-sided mixture reaches 1/α at its radius, below the two-sided one', () => {
  const rho = mixtureRho(1000, 0.1)
  const radius = oneSidedRadius(1000, rho, 0.05)
  expect(oneSidedLogWealth(radius, 1000, rho)).toBeCloseTo(ln(20), 9)
  expect(radius).toBeLessThan(mixtureRadius(1000, mixtureRho(1000, 0.05), 0.05))
})

test('stitching stands still below its first time, and terms of a scale cost more', () => {
  expect(stitchedRadius(0.3, 1, 0, 0.05)).toBe(stitchedRadius(1, 1, 0, 0.05))
  expect(stitchedRadius(1000, 1, 1, 0.05)).toBeGreaterThan(stitchedRadius(1000, 1, 0, 0.05))
})

test('the asymptotic interval is narrowest, against one that looks once, near the number that it is tuned to', () => {
  const against = (n: number) => asymptoticRadius(n, 2, 500, 0.05) / ((2 * 1.96) / Math.sqrt(n))
  expect(against(500)).toBeCloseTo(1.55, 1)
  for (const n of [50, 100, 1_000, 5_000]) expect(against(n)).toBeGreaterThan(against(500))
})

test('none of the four is left more often than it says: 300 walks of 2,000 steps, α = .1 (seed 31)', () => {
  const next = seeded(31)
  const left = { two: 0, one: 0, stitched: 0, asymptotic: 0 }
  const alpha = 0.1
  const [rho, rhoOne] = [mixtureRho(500, alpha), mixtureRho(500, 2 * alpha)]
  const times = Array.from({ length: 40 }, (_, i) => (i + 1) * 50)
  const radii = times.map((t) => ({
    two: mixtureRadius(t, rho, alpha),
    one: oneSidedRadius(t, rhoOne, alpha),
    stitched: stitchedRadius(t, 50, 0, alpha),
    asymptotic: t * asymptoticRadius(t, 1, 500, alpha),
  }))
  for (let walk = 0; walk < 300; walk++) {
    let sum = 0
    const out = { two: false, one: false, stitched: false, asymptotic: false }
    for (const radius of radii) {
      for (let step = 0; step < 50; step++) sum += normalQuantile(next() * 0.999999 + 5e-7)
      out.two ||= Math.abs(sum) > radius.two
      out.one ||= sum > radius.one
      out.stitched ||= sum > radius.stitched
      out.asymptotic ||= Math.abs(sum) > radius.asymptotic
    }
    for (const key of ['two', 'one', 'stitched', 'asymptotic'] as const) if (out[key]) left[key]++
  }
  for (const count of Object.values(left)) expect(count).toBeLessThanOrEqual(300 * alpha + 10)
  expect(left.two).toBeGreaterThan(0)
})
