import { expect, test } from 'vitest'
import { ln } from '../elementary.ts'
import { hits, seeded } from '../seeded.ts'
import { binomialShiryaevRoberts } from './binomial-shiryaev-roberts.ts'
import { cell, paneMs, run, setupOf } from './panes.ts'

const guardrail = {
  detector: 'binomial-shiryaev-roberts',
  reference: 'baseline',
  tolerance: { harm: 0, safe: 0.5 },
  budget: { falsePerYear: 1 },
} as const
/** 1 % of a million rows: the baseline is as good as known. */
const setup = setupOf('errors', guardrail, { baseline: cell(1_000_000, 10_000) })
const panesOf = (seed: number, rates: readonly number[], rows = 100) => {
  const next = seeded(seed)
  return rates.map((rate) => ({ now: cell(rows, hits(rows, rate, next)), reference: null }))
}
const repeat = (count: number, value: number): number[] => Array.from({ length: count }, () => value)

test('a doubled rate after 300 healthy panes is found, with its onset and its ratio', () => {
  const { readings } = run(binomialShiryaevRoberts, setup, panesOf(1, [...repeat(300, 0.01), ...repeat(60, 0.02)]))
  const limit = ln(3_155_760)
  const found = readings.findIndex(({ logE }) => logE.harm > limit)
  expect(found).toBeGreaterThan(300)
  expect(found).toBeLessThan(350)
  const last = readings.at(-1)
  expect(last?.onset?.from).toBeLessThanOrEqual(300 * paneMs)
  expect(last?.onset?.to).toBeGreaterThanOrEqual(300 * paneMs)
  expect(last?.effect.low).toBeGreaterThan(1)
  expect(last?.effect.estimate).toBeCloseTo(2, 0)
})

test('mean delays from a fresh start are those of the published mixture within a tenth (A = 1,000)', () => {
  // Published: 17.1 panes for twice, 6.42 for three times, 2.68 for five times the rate; a change from the first pane on.
  for (const [factor, published] of [
    [2, 17.1],
    [3, 6.42],
    [5, 2.68],
  ] as const) {
    const delays = Array.from({ length: 150 }, (_, i) => {
      const { readings } = run(binomialShiryaevRoberts, setup, panesOf(100 + i, repeat(80, 0.01 * factor)))
      return readings.findIndex(({ logE }) => logE.harm > ln(1000)) + 1
    })
    const mean = delays.reduce((a, b) => a + b, 0) / delays.length
    expect(mean).toBeGreaterThan(published * 0.9)
    expect(mean).toBeLessThan(published * 1.15)
  }
})

test('a baseline of few rows costs delay and not false alarms', () => {
  const small = setupOf('errors', guardrail, { baseline: cell(2_000, 20) })
  const healthy = run(binomialShiryaevRoberts, small, panesOf(3, repeat(2_000, 0.01))).readings
  expect(Math.max(...healthy.map(({ logE }) => logE.harm))).toBeLessThan(ln(2_000))
  const found = (one: typeof setup) =>
    run(binomialShiryaevRoberts, one, panesOf(4, repeat(200, 0.02))).readings.findIndex(
      ({ logE }) => logE.harm > ln(1000),
    )
  expect(found(small)).toBeGreaterThan(found(setup))
})

test('a gate opens on a rate that is shown to be below the tolerated one, and never on no rows', () => {
  const { readings } = run(binomialShiryaevRoberts, setup, [
    { now: cell(0), reference: null },
    ...panesOf(5, repeat(200, 0.005)),
  ])
  expect(readings[0]?.logE.safe).toBe(0)
  expect(readings.at(-1)?.logE.safe).toBeGreaterThan(ln(20))
})

test('a baseline without rows of its own is no data', () => {
  const blind = setupOf('errors', guardrail, { baseline: cell(0) })
  expect(run(binomialShiryaevRoberts, blind, panesOf(6, [0.5])).readings[0]).toMatchObject({
    status: 'no-data',
    logE: { safe: 0 },
  })
})
