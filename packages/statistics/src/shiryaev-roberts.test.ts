import { expect, test } from 'vitest'
import { exp, ln, log1p } from './elementary.ts'
import { hits, seeded } from './seeded.ts'
import { bestDelay, stepShiryaevRoberts } from './shiryaev-roberts.ts'

test('eight bets on a coin give the golden value 10.44140625', () => {
  let log: number | null = null
  for (const x of [1, 0, 0, 1, 1, 1, 0, 1]) log = stepShiryaevRoberts(log, log1p(x - 0.5))
  expect(exp(log as number)).toBeCloseTo(10.441_406_25, 10)
})

test('the best delay is that of the published table (run length 1,000, 1 % of 100 requests)', () => {
  const delays = [0.0292, 0.1095, 0.391, 1.316, 4.13].map((information) => bestDelay(1000, information))
  for (const [i, want] of [87.2, 34.3, 12.8, 4.7, 1.77].entries())
    expect(delays[i]).toBeCloseTo(want, want > 20 ? 0 : 1)
})

test('the run length until A while nothing changed is at least A', () => {
  const next = seeded(11)
  const [rate, n, limit] = [0.01, 100, ln(200)]
  const runs = Array.from({ length: 120 }, () => {
    let log: number | null = null
    for (let pane = 1; ; pane++) {
      const events = hits(n, rate, next)
      log = stepShiryaevRoberts(log, events * ln(2) + (n - events) * ln((1 - 2 * rate) / (1 - rate)))
      if (log >= limit || pane === 4000) return pane
    }
  })
  const mean = runs.reduce((a, b) => a + b, 0) / runs.length
  expect(mean).toBeGreaterThan(200)
})
