import { expect, test } from 'vitest'
import { eBenjaminiHochberg, logEOfP } from './e-bh.ts'
import { exp, ln } from './elementary.ts'
import { seeded } from './seeded.ts'

test('the k largest are listed when the k-th of K is at least K/(kα)', () => {
  const logs = (values: readonly number[]) => values.map(ln)
  // K/(kα) at α = .1 and K = 4: 40, 20, 13.3, 10.
  expect(eBenjaminiHochberg(logs([19, 21, 1, 0]), 0.1)).toEqual([])
  expect(eBenjaminiHochberg(logs([25, 21, 1, 0]), 0.1)).toEqual([0, 1])
  expect(eBenjaminiHochberg(logs([14, 14, 9, 14]), 0.1)).toEqual([0, 1, 3])
  expect(eBenjaminiHochberg(logs([10, 11, 12, 13]), 0.1)).toEqual([3, 2, 1, 0])
  expect(eBenjaminiHochberg([], 0.1)).toEqual([])
})

test('at most a tenth of what is listed is false on average, also when the false ones move together (seed 61)', () => {
  const next = seeded(61)
  const proportions = Array.from({ length: 3_000 }, () => {
    // Twelve null e-values that are one and the same: 1/(2√u), mean 1. Three true ones, large nearly always.
    const common = logEOfP(Math.max(1e-12, next()))
    const logE = [
      ...Array.from({ length: 12 }, () => common),
      ...Array.from({ length: 3 }, () => ln(30 + 100 * next())),
    ]
    const listed = eBenjaminiHochberg(logE, 0.1)
    return listed.length === 0 ? 0 : listed.filter((index) => index < 12).length / listed.length
  })
  const rate = proportions.reduce((a, b) => a + b, 0) / proportions.length
  expect(rate).toBeLessThan(0.1)
})

test('a p-value becomes ½/√p, whose mean is 1 over a uniform p', () => {
  expect(exp(logEOfP(0.0001))).toBeCloseTo(50, 10)
  // ∫ ½p^(−½) dp = √p between the ends of each strip.
  let sum = 0
  for (let i = 1; i <= 1_000; i++) sum += (exp(logEOfP(((i - 0.5) / 1_000) ** 2)) * (2 * (i - 0.5))) / 1e6
  expect(sum).toBeCloseTo(1, 9)
  expect(() => logEOfP(0)).toThrow(RangeError)
})
