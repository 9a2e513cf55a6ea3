import { expect, test } from 'vitest'
import { ln } from './elementary.ts'
import { logShareMismatch } from './sample-ratio.ts'
import { hits, seeded } from './seeded.ts'
import { normalBelow } from './special.ts'

test('golden value: 5,200 of 10,000 at a declared half is ln E = 5.6136, where χ² says p = 6.33e-5', () => {
  expect(logShareMismatch(5_200, 4_800, 0.5)).toBeCloseTo(5.6136, 4)
  // χ² = 400²/10,000 with one degree of freedom: the square of a normal value of 4.
  expect(2 * normalBelow(-4)).toBeCloseTo(6.33e-5, 7)
})

test('it is a mean of likelihood ratios: summed over all outcomes of 60 rows its mean is 1', () => {
  for (const share of [0.05, 0.5]) {
    let sum = 0
    let chance = (1 - share) ** 60
    for (let rows = 0; rows <= 60; rows++) {
      sum += chance * Math.E ** logShareMismatch(rows, 60 - rows, share)
      chance *= ((60 - rows) / (rows + 1)) * (share / (1 - share))
    }
    expect(sum).toBeCloseTo(1, 9)
  }
})

test('a share that is kept is hardly ever called broken: 400 routers of 20,000 rows, looked at every 500 (seed 51)', () => {
  const next = seeded(51)
  let broken = 0
  for (let router = 0; router < 400; router++) {
    let ours = 0
    let wrong = false
    for (let look = 1; look <= 40; look++) {
      ours += hits(500, 0.2, next)
      wrong ||= logShareMismatch(ours, look * 500 - ours, 0.2) >= ln(20)
    }
    if (wrong) broken++
  }
  expect(broken).toBeLessThanOrEqual(400 * 0.05)
})

test('52 % instead of half is found at some 10,500 rows (median, limit 1,000, seed 52)', () => {
  const next = seeded(52)
  const found = Array.from({ length: 61 }, () => {
    let ours = 0
    for (let rows = 100; rows <= 60_000; rows += 100) {
      ours += hits(100, 0.52, next)
      if (logShareMismatch(ours, rows - ours, 0.5) >= ln(1000)) return rows
    }
    return Number.POSITIVE_INFINITY
  }).sort((a, b) => a - b)
  expect(found[30]).toBeGreaterThan(7_500)
  expect(found[30]).toBeLessThan(14_000)
})
