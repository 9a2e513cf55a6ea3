import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attentionNow, freshnessOf, verdictNow } from './freshness.ts'

const times = { paneMs: 10_000, latenessMs: 10_000 }

test('an evaluation is fresh for a pane, its lateness and 5 s, then late, and stale after 45 s', () => {
  expect(freshnessOf(0, 25_000, times)).toBe('fresh')
  expect(freshnessOf(0, 25_001, times)).toBe('late')
  expect(freshnessOf(0, 45_000, times)).toBe('late')
  expect(freshnessOf(0, 45_001, times)).toBe('stale')
  expect(freshnessOf(null, 0, times)).toBe('never')
})

test('a long pane is never stale before it could have been fresh', () => {
  const long = { paneMs: 300_000, latenessMs: 30_000 }
  expect(freshnessOf(0, 335_000, long)).toBe('fresh')
  expect(freshnessOf(0, 355_000, long)).toBe('late')
  expect(freshnessOf(0, 355_001, long)).toBe('stale')
})

test('only what is fresh is healthy or passes, and no age hides a call to act or a breach', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('late', 'stale', 'never' as const),
      fc.constantFrom('act-now', 'not-watched', 'watch', 'handled', 'healthy' as const),
      fc.constantFrom('pass', 'watch', 'breach', 'inconclusive', 'no-data' as const),
      (freshness, attention, verdict) => {
        expect(attentionNow(attention, freshness)).not.toBe('healthy')
        expect(verdictNow(verdict, freshness)).not.toBe('pass')
        expect(attentionNow('act-now', freshness)).toBe('act-now')
        expect(verdictNow('breach', freshness)).toBe('breach')
      },
    ),
  )
})
