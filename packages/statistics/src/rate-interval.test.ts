import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rateRatio, ratioCeiling, ratioInterval } from './rate-interval.ts'
import { hits, seeded } from './seeded.ts'

test('in 300 comparisons watched at every pane, at most 5 % ever exclude the true ratio of 2', () => {
  let excluded = 0
  for (let run = 0; run < 300; run++) {
    const next = seeded(run)
    let now = 0
    let reference = 0
    for (let pane = 0; pane < 60; pane++) {
      now += hits(100, 0.04, next)
      reference += hits(100, 0.02, next)
      const { low, high } = ratioInterval({ now, reference, share: 0.5, alpha: 0.05 })
      if (low > 2 || high < 2) {
        excluded++
        break
      }
    }
  }
  expect(excluded).toBeLessThanOrEqual(15)
})

test('a ramp does not show as a difference: the hour with many errors had a small share', () => {
  // 1 % share at 10 % errors, then 50 % share at 1 % errors: pooled rates differ nine-fold, the arms not at all.
  const panes = [
    { n: 100, m: 9900, s: 10, f: 990 },
    { n: 5000, m: 5000, s: 50, f: 50 },
  ]
  const sum = (of: (pane: (typeof panes)[0]) => number): number => panes.reduce((total, pane) => total + of(pane), 0)
  const { estimate, low, high } = rateRatio({
    events: sum(({ s }) => s),
    referenceEvents: sum(({ f }) => f),
    weighted: sum(({ s, n, m }) => (s * m) / (n + m)),
    referenceWeighted: sum(({ f, n, m }) => (f * n) / (n + m)),
    share: 5100 / 20000,
    alpha: 0.05,
  })
  expect(estimate).toBeCloseTo(1, 10)
  expect(low).toBeLessThan(1)
  expect(high).toBeGreaterThan(1)
})

test('no events, no trials, one arm without events: always three ordered finite numbers', () => {
  expect(ratioInterval({ now: 0, reference: 0, share: 0.5, alpha: 0.05 })).toEqual({ low: 0, high: ratioCeiling })
  const count = fc.oneof(fc.constant(0), fc.nat(1000), fc.integer({ min: 2 ** 51, max: 2 ** 53 - 1 }))
  fc.assert(
    fc.property(count, count, fc.double({ min: 0, max: 1, noNaN: true }), (events, referenceEvents, share) => {
      const weighted = events * (1 - share)
      const referenceWeighted = referenceEvents * share
      const { estimate, low, high } = rateRatio({
        events,
        referenceEvents,
        weighted,
        referenceWeighted,
        share,
        alpha: 0.05,
      })
      expect([estimate, low, high].every(Number.isFinite)).toBe(true)
      expect(low).toBeLessThanOrEqual(estimate)
      expect(estimate).toBeLessThanOrEqual(high)
    }),
  )
})
