import type { SignalView } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { ln, logAddExp, logSumExp } from '../elementary.ts'
import { rowsIn, seeded } from '../seeded.ts'
import { logAside } from '../start-mixture.ts'
import { binnedBetting } from './binned-betting.ts'
import { type Pane, paneMs, run, setupOf } from './panes.ts'

/** Ten bins on [0, 1], whose counts are nothing else. */
const edges = Array.from({ length: 11 }, (_, i) => i / 10)
const signal: SignalView = {
  kind: 'mean',
  id: 'mean(score)',
  edges,
  bins: Array.from({ length: 12 }, (_, i) => String(i)),
  read: (counts) => counts,
}
const guardrail = {
  detector: 'binned-betting',
  reference: 'baseline',
  tolerance: { harm: 0.02, safe: 0 },
  budget: { falsePerYear: 1 },
} as const

/** Shares of a Beta-like hill around .3, tilted up (+) or down (−). */
function shares(tilt: number): number[] {
  const hill = Array.from({ length: 10 }, (_, i) => (i + 0.5) ** 2 * (9.5 - i) ** 6 * (1 + tilt) ** i)
  const total = hill.reduce((a, b) => a + b, 0)
  return [0, ...hill.map((weight) => weight / total), 0]
}
const meanOf = (of: readonly number[]) => of.reduce((sum, share, bin) => sum + share * (bin - 0.5), 0) / 10

const setupWith = (rows: number, more: Partial<typeof guardrail> | { budget: { alpha: number } } = {}) =>
  setupOf(
    'mean(score)',
    { ...guardrail, ...more },
    { signal, baseline: Float64Array.from(shares(0), (share) => Math.round(share * rows)) },
  )
const setup = setupWith(1_000_000)

const panesOf = (seed: number, laws: readonly (readonly number[])[], rows = 100): Pane[] => {
  const next = seeded(seed)
  return laws.map((law) => ({ now: Float64Array.from(rowsIn(rows, law, next)), reference: null }))
}
const repeat = <T>(length: number, value: T): T[] => Array.from({ length }, () => value)
/** Panes until the evidence is beyond so many nats, or null: as `read` says it, without the cost of its interval. */
function alarmAt(one: typeof setup, panes: readonly Pane[], nats: number): number | null {
  let state = binnedBetting.start(one)
  for (const [i, pane] of panes.entries()) {
    state = binnedBetting.update(one, state, { start: i * paneMs, ms: paneMs, coverage: 1, ...pane })
    const mixed = logSumExp(state.harm ?? []) - ln(8)
    const isEndless = 'falsePerYear' in one.guardrail.budget
    if ((isEndless ? mixed : logAddExp(logAside(state.panes), mixed)) > nats) return i + 1
  }
  return null
}
const firstBeyond = (readings: readonly { readonly logE: { readonly harm: number } }[], nats: number) =>
  readings.findIndex(({ logE }) => logE.harm > nats)

test('a mean that moved by a tenth of the range, up or down, is found, with onset and size', () => {
  for (const tilt of [0.5, -0.4]) {
    const { readings } = run(binnedBetting, setup, panesOf(1, [...repeat(200, shares(0)), ...repeat(25, shares(tilt))]))
    const moved = meanOf(shares(tilt)) - meanOf(shares(0))
    expect(Math.abs(moved)).toBeGreaterThan(0.08)
    const found = firstBeyond(readings, ln(3_155_760))
    expect(found).toBeGreaterThan(200)
    expect(found).toBeLessThan(225)
    const last = readings.at(-1)
    expect(last?.onset?.from).toBeLessThanOrEqual(200 * paneMs)
    expect(last?.onset?.to).toBeGreaterThanOrEqual(200 * paneMs)
    expect(last?.effect.estimate).toBeCloseTo(moved, 1)
    expect(moved > 0 ? last?.effect.low : -(last?.effect.high as number)).toBeGreaterThan(0.02)
  }
})

test('a mean that moved less than is tolerated does not alarm in 3,000 panes', () => {
  const law = shares(0.06)
  expect(meanOf(law) - meanOf(shares(0))).toBeGreaterThan(0.01)
  expect(meanOf(law) - meanOf(shares(0))).toBeLessThan(0.02)
  expect(alarmAt(setup, panesOf(2, repeat(3_000, law)), ln(100_000))).toBeNull()
})

test('with a known mean the chance of ever passing 1/α is at most α: 400 watches of 60 panes, α = .05 (seeds 1000 on)', () => {
  // No tolerance, and a baseline so large that its margin is nothing: the null holds with equality.
  const exact = setupWith(1e12, { tolerance: { harm: 0, safe: 0 }, budget: { alpha: 0.05 } } as never)
  let passed = 0
  for (let watch = 0; watch < 400; watch++)
    if (alarmAt(exact, panesOf(1_000 + watch, repeat(60, shares(0)), 20), ln(20)) !== null) passed++
  expect(passed).toBeLessThanOrEqual(20)
})

test('with a known mean the mean run length is at least A: 150 endless watches, A = 100 panes (seeds 2000 on)', () => {
  const exact = setupWith(1e12, { tolerance: { harm: 0, safe: 0 } } as never)
  const horizon = 600
  const lengths = Array.from(
    { length: 150 },
    (_, watch) => alarmAt(exact, panesOf(2_000 + watch, repeat(horizon, shares(0)), 20), ln(100)) ?? horizon,
  )
  expect(lengths.reduce((a, b) => a + b, 0) / lengths.length).toBeGreaterThan(100)
})

test('a baseline of few rows costs delay and not false alarms', () => {
  const small = setupWith(500)
  expect(alarmAt(small, panesOf(3, repeat(1_500, shares(0))), ln(1_500))).toBeNull()
  const found = (one: typeof setup) =>
    alarmAt(one, panesOf(4, repeat(300, shares(0.3))), ln(1e6)) ?? Number.POSITIVE_INFINITY
  expect(found(small)).toBeGreaterThan(found(setup))
})

test('rows beyond the edges count as the edge: ten in a hundred far above move the mean', () => {
  const law = shares(0).map((share) => share * 0.85)
  law[11] = 0.15
  const last = run(binnedBetting, setup, panesOf(5, repeat(60, law))).readings.at(-1)
  expect(last?.effect.low).toBeGreaterThan(0.02)
  expect(last?.drivers[0]).toMatchObject({ value: '11' })
})

test('a setup without a baseline is no data', () => {
  const blind = setupOf('mean(score)', guardrail, { signal })
  expect(run(binnedBetting, blind, panesOf(6, [shares(0)])).readings[0]).toMatchObject({
    status: 'no-data',
    logE: { harm: 0, safe: 0 },
    effect: { estimate: 0, low: -1, high: 1 },
  })
})
