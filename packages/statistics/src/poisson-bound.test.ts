import { expect, test } from 'vitest'
import { poissonUpper } from './poisson-bound.ts'

test('upper bounds are those of the published table (Garwood 1936; χ² quantiles over 2)', () => {
  for (const [events, bound] of [
    [0, 2.9957],
    [1, 4.7439],
    [2, 6.2958],
    [10, 16.9622],
    [100, 118.0792],
  ] as const)
    expect(poissonUpper(events, 0.95)).toBeCloseTo(bound, 3)
})
