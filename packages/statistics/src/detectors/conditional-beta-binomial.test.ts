import { expect, test } from 'vitest'
import { ln } from '../elementary.ts'
import { hits, seeded } from '../seeded.ts'
import { conditionalBetaBinomial } from './conditional-beta-binomial.ts'
import { cell, paneMs, run, setupOf } from './panes.ts'

const setup = setupOf('errors', { detector: 'conditional-beta-binomial' })

/** Panes of 200 rows, half of them the candidate's. */
function panesOf(seed: number, rates: readonly (readonly [candidate: number, stable: number])[]) {
  const next = seeded(seed)
  return rates.map(([candidate, stable]) => ({
    now: cell(100, hits(100, candidate, next)),
    reference: cell(100, hits(100, stable, next)),
  }))
}
const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

test('doubled errors are harm and never safe; equal errors are safe and never harm', () => {
  const worse = run(conditionalBetaBinomial, setup, panesOf(1, repeat(150, [0.1, 0.05] as const))).readings.at(-1)
  expect(worse?.logE.harm).toBeGreaterThan(ln(1000))
  expect(worse?.logE.safe).toBeLessThan(0)
  expect(worse?.effect.estimate).toBeGreaterThan(1.5)
  expect(worse?.effect.low).toBeGreaterThan(1)
  const equal = run(conditionalBetaBinomial, setup, panesOf(2, repeat(150, [0.05, 0.05] as const))).readings.at(-1)
  expect(equal?.logE.harm).toBeLessThan(1)
  expect(equal?.logE.safe).toBeGreaterThan(ln(20))
})

test('a burst that hits both arms is no harm of the candidate', () => {
  const rates = [...repeat(50, [0.02, 0.02] as const), ...repeat(50, [0.4, 0.4] as const)]
  expect(run(conditionalBetaBinomial, setup, panesOf(3, rates)).readings.at(-1)?.logE.harm).toBeLessThan(1)
})

test('harm that begins after 500 healthy panes is found soon, with its onset and its own factor', () => {
  const rates = [...repeat(500, [0.05, 0.05] as const), ...repeat(40, [0.25, 0.05] as const)]
  const { readings } = run(conditionalBetaBinomial, setup, panesOf(4, rates))
  const found = readings.findIndex(({ logE }) => logE.harm > ln(1000))
  expect(found).toBeGreaterThanOrEqual(500)
  expect(found).toBeLessThan(506)
  const last = readings.at(-1)
  expect(last?.onset?.from).toBeLessThanOrEqual(500 * paneMs)
  expect(last?.onset?.to).toBeGreaterThanOrEqual(500 * paneMs)
  expect(last?.effect.low).toBeGreaterThan(2)
  expect(last?.effect.estimate).toBeLessThan(8)
})

test('whenever harm stands at 40 or more, the interval lies beyond the tolerance', () => {
  let refuted = 0
  const tolerant = setupOf('errors', { detector: 'conditional-beta-binomial', tolerance: { harm: 0.2, safe: 0.5 } })
  for (let seed = 0; seed < 40; seed++) {
    const rates = [...repeat(seed, [0.05, 0.05] as const), ...repeat(60, [0.12, 0.05] as const)]
    for (const { logE, effect } of run(conditionalBetaBinomial, tolerant, panesOf(100 + seed, rates)).readings) {
      if (logE.harm < ln(40)) continue
      refuted++
      expect(effect.low).toBeGreaterThan(1.2)
      expect(effect.estimate).toBeLessThanOrEqual(effect.high)
    }
  }
  expect(refuted).toBeGreaterThan(500)
})

test('a rate below `absolute` is safe whatever the ratio, and no harm', () => {
  const absolute = setupOf('errors', {
    detector: 'conditional-beta-binomial',
    tolerance: { harm: 0, safe: 0.2, absolute: 0.01 },
  })
  const panes = repeat(60, { now: cell(1000, 2), reference: cell(10_000, 1) })
  const last = run(conditionalBetaBinomial, absolute, panes).readings.at(-1)
  expect(last?.logE.safe).toBeGreaterThan(ln(20))
  expect(last?.logE.harm).toBeLessThan(1)
  expect(run(conditionalBetaBinomial, setup, panes).readings.at(-1)?.logE.harm).toBeGreaterThan(ln(1000))
})

test('the tolerance is in the evidence: a fifth more is no harm where a third more is accepted', () => {
  const tolerant = setupOf('errors', { detector: 'conditional-beta-binomial', tolerance: { harm: 0.33, safe: 0.5 } })
  const panes = repeat(300, { now: cell(100, 12), reference: cell(100, 10) })
  expect(run(conditionalBetaBinomial, tolerant, panes).readings.at(-1)?.logE.harm).toBeLessThan(0.1)
  expect(run(conditionalBetaBinomial, setup, panes).readings.at(-1)?.logE.harm).toBeGreaterThan(ln(1000))
})

test('a design effect of 4 needs four times the data', () => {
  const clumped = setupOf('errors', { detector: 'conditional-beta-binomial' }, { phi: 4 })
  const panes = repeat(400, { now: cell(100, 10), reference: cell(100, 5) })
  const first = (of: typeof setup): number =>
    run(conditionalBetaBinomial, of, panes).readings.findIndex(({ logE }) => logE.harm > ln(1000))
  expect(first(clumped) / first(setup)).toBeGreaterThan(3)
  expect(first(clumped) / first(setup)).toBeLessThan(5.5)
})
