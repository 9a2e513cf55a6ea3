import { expect, test } from 'vitest'
import { ln } from './elementary.ts'
import { mixtureLogWealth, mixtureRadius, mixtureRho } from './normal-mixture.ts'

test('golden values of confseq: α = .05 two-sided, v = v_opt = 1000', () => {
  expect(mixtureRho(1000, 0.05)).toBeCloseTo(126.0056, 3)
  expect(mixtureRadius(1000, mixtureRho(1000, 0.05), 0.05)).toBeCloseTo(95.98174, 4)
})

test('the wealth reaches 1/α exactly where the interval ends', () => {
  const rho = mixtureRho(1000, 0.05)
  const z = mixtureRadius(400, rho, 0.05) / Math.sqrt(400)
  expect(mixtureLogWealth(z, 400, rho)).toBeCloseTo(ln(20), 10)
})
