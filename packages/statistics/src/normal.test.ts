import { expect, test } from 'vitest'
import { exp } from './elementary.ts'
import { logNormalBelow } from './normal.ts'

/** Φ(x) to ten digits, Abramowitz & Stegun table 26.1, and ln Φ of far tails from 26.2.12. */
const golden = [
  [0, 0.5],
  [1, 0.8413447461],
  [-1, 0.1586552539],
  [1.96, 0.9750021049],
  [-3, 0.001349898032],
  [3, 0.998650102],
] as const

test('the normal law is that of the tables', () => {
  for (const [x, below] of golden) expect(exp(logNormalBelow(x)) / below).toBeCloseTo(1, 6)
})

test('far tails keep their relative accuracy: ln Φ(−10) and ln Φ(−30)', () => {
  expect(logNormalBelow(-10)).toBeCloseTo(-53.23128515, 5)
  expect(logNormalBelow(-30)).toBeCloseTo(-454.3212439, 5)
})
