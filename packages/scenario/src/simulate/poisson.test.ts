import { expect, test } from 'vitest'
import { drawsOf } from '../draw.ts'
import { poisson } from './poisson.ts'

test.each([0.01, 0.7, 5, 39, 41, 3_000])('numbers around %d have that mean and that variance', (mean) => {
  const n = 20_000
  const next = drawsOf(1, Math.round(mean * 100))
  const numbers = Array.from({ length: n }, () => poisson(mean, next()))
  const found = numbers.reduce((a, b) => a + b, 0) / n
  const variance = numbers.reduce((sum, x) => sum + (x - found) ** 2, 0) / n
  // Five standard errors: √(λ/n), and of the variance √((2λ² + λ)/n).
  expect(Math.abs(found - mean)).toBeLessThan(5 * Math.sqrt(mean / n) + 1e-9)
  expect(Math.abs(variance - mean)).toBeLessThan(5 * Math.sqrt((2 * mean * mean + mean) / n) + 0.1)
})

test('where nothing is expected nothing comes, and the ends of the unit interval give finite numbers', () => {
  expect([poisson(0, 0.999), poisson(-1, 0.5), poisson(Number.NaN, 0.5)]).toEqual([0, 0, 0])
  for (const mean of [1, 1e6])
    for (const uniform of [0, 1 - 2 ** -32]) expect(Number.isFinite(poisson(mean, uniform))).toBe(true)
})
