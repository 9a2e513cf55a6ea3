import { expect, test } from 'vitest'
import { ln } from '../elementary.ts'
import { rowsIn, seeded } from '../seeded.ts'
import { dirichletBaseline } from './dirichlet-baseline.ts'
import { cell, paneMs, run, setupOf } from './panes.ts'

const setup = setupOf(
  'distribution(origin)',
  {
    detector: 'dirichlet-baseline',
    reference: 'baseline',
    tolerance: { harm: 0.02, safe: 0 },
    budget: { falsePerYear: 1 },
  },
  { baseline: cell(100_000, 0, [50_000, 30_000, 20_000]) },
)
const usual = [0.5, 0.3, 0.2]
const shifted = [0.2, 0.3, 0.5]
/** ln of the panes in a year: one false alarm a year. */
const limit = ln(3_155_760)

function panesOf(seed: number, laws: readonly (readonly number[])[], rows = 100) {
  const next = seeded(seed)
  return laws.map((law) => ({ now: cell(rows, 0, rowsIn(rows, law, next)), reference: null }))
}
const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

test('a shift after 1,000 healthy panes is found in a few, with onset, bin and size', () => {
  const { readings, state } = run(
    dirichletBaseline,
    setup,
    panesOf(1, [...repeat(1000, usual), ...repeat(12, shifted)]),
  )
  const found = readings.findIndex(({ logE }) => logE.harm > limit)
  expect(found).toBeGreaterThanOrEqual(1000)
  expect(found).toBeLessThan(1006)
  const last = readings.at(-1)
  expect(last?.onset?.from).toBeLessThanOrEqual(1000 * paneMs)
  expect(last?.onset?.to).toBeGreaterThanOrEqual(1000 * paneMs)
  expect(last?.drivers[0]).toMatchObject({ value: 'JFK' })
  expect(last?.effect.low).toBeGreaterThan(0.02)
  expect(state.starts.length).toBe(12)
})

test('a law within the tolerance never alarms, however long', () => {
  const { readings } = run(dirichletBaseline, setup, panesOf(2, repeat(1500, [0.45, 0.32, 0.23])))
  expect(Math.max(...readings.map(({ logE }) => logE.harm))).toBeLessThan(ln(100))
})

test('clumped rows with their design effect alarm no more than loose ones', () => {
  // Every row comes ten times: the same information, ten times the counts.
  const clumped = panesOf(3, repeat(300, usual), 20).map(({ now }) => ({
    now: now.map((count) => count * 10),
    reference: null,
  }))
  const worst = (phi: number): number =>
    Math.max(...run(dirichletBaseline, { ...setup, phi }, clumped).readings.map(({ logE }) => logE.harm))
  expect(worst(10)).toBeLessThan(ln(1000))
  expect(worst(1)).toBeGreaterThan(limit)
})

test('without a baseline there is no data, and no evidence', () => {
  const last = run(dirichletBaseline, { ...setup, baseline: null }, panesOf(4, repeat(5, shifted))).readings.at(-1)
  expect(last?.status).toBe('no-data')
  expect(last?.logE.harm).toBe(0)
})

test('with a budget for a generation the evidence is a mixture and lower', () => {
  const generation = { ...setup, guardrail: { ...setup.guardrail, budget: { alpha: 0.001 } } }
  const panes = panesOf(5, [...repeat(50, usual), ...repeat(5, shifted)])
  const [endless, mixed] = [setup, generation].map((of) => run(dirichletBaseline, of, panes).readings.at(-1)?.logE.harm)
  expect(mixed).toBeLessThan(endless as number)
  expect(mixed).toBeGreaterThan(ln(1000))
})
