import { expect, test } from 'vitest'
import { ln } from '../elementary.ts'
import { rowsIn, seeded } from '../seeded.ts'
import { dirichletTwoSample } from './dirichlet-two-sample.ts'
import { cell, paneMs, run, setupOf } from './panes.ts'

const setup = setupOf('distribution(origin)', {
  detector: 'dirichlet-two-sample',
  tolerance: { harm: 0.02, safe: 0 },
})
const usual = [0.5, 0.3, 0.2]
const shifted = [0.2, 0.3, 0.2, 0, 0.3]

type Law = readonly number[]
function panesOf(seed: number, laws: readonly (readonly [now: Law, reference: Law])[], rows = [60, 60]) {
  const next = seeded(seed)
  return laws.map(([now, reference]) => {
    const drawn = rowsIn(rows[0] as number, now, next)
    const held = rowsIn(rows[1] as number, reference, next)
    return { now: cell(rows[0] as number, 0, drawn), reference: cell(rows[1] as number, 0, held) }
  })
}
const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

test('a lasting difference is found within a few panes, with the bin that drives it', () => {
  const { readings } = run(dirichletTwoSample, setup, panesOf(1, repeat(10, [shifted, usual] as const)))
  const found = readings.findIndex(({ logE }) => logE.harm > ln(1000))
  expect(found).toBeGreaterThan(0)
  expect(found).toBeLessThan(5)
  const last = readings.at(-1)
  expect(last?.drivers[0]).toMatchObject({ dimension: 'distribution(origin)', value: 'missing' })
  expect(last?.drivers[0]?.share).toBeGreaterThan(0.75)
  expect(last?.effect.low).toBeGreaterThan(0.02)
})

test('a difference that begins after 400 healthy panes is found as soon, with its onset', () => {
  const laws = [...repeat(400, [usual, usual] as const), ...repeat(15, [shifted, usual] as const)]
  const { readings } = run(dirichletTwoSample, setup, panesOf(2, laws))
  const found = readings.findIndex(({ logE }) => logE.harm > ln(1000))
  expect(found).toBeGreaterThanOrEqual(400)
  expect(found).toBeLessThan(408)
  const onset = readings.at(-1)?.onset
  expect(onset?.from).toBeLessThanOrEqual(401 * paneMs)
  expect(onset?.to).toBeGreaterThanOrEqual(400 * paneMs)
})

test('a change that hits both arms alike is no harm of the candidate', () => {
  const laws = [...repeat(60, [usual, usual] as const), ...repeat(60, [shifted, shifted] as const)]
  const worst = Math.max(...run(dirichletTwoSample, setup, panesOf(3, laws)).readings.map(({ logE }) => logE.harm))
  expect(worst).toBeLessThan(ln(100))
})

test('nor is it while the share is ramped up through the change', () => {
  const before = panesOf(4, repeat(60, [usual, usual] as const), [10, 400])
  const after = panesOf(5, repeat(60, [shifted, shifted] as const), [200, 200])
  const { readings } = run(dirichletTwoSample, setup, [...before, ...after])
  expect(Math.max(...readings.map(({ logE }) => logE.harm))).toBeLessThan(ln(100))
  expect(readings.at(-1)?.effect.low).toBe(0)
})

test('a difference within the tolerance never acts, however much data', () => {
  const slightly = [0.45, 0.33, 0.22]
  const { readings } = run(dirichletTwoSample, setup, panesOf(6, repeat(200, [slightly, usual] as const), [400, 400]))
  expect(readings.at(-1)?.logE.harm).toBeLessThan(0)
  const strict = { ...setup, guardrail: { ...setup.guardrail, tolerance: { harm: 0, safe: 0 } } }
  const sharp = run(dirichletTwoSample, strict, panesOf(6, repeat(200, [slightly, usual] as const), [400, 400]))
  expect(sharp.readings.at(-1)?.logE.harm).toBeGreaterThan(ln(1000))
})

test('of 300 canaries equal to stable, watched at every pane, none to four reach e-value 20', () => {
  let stopped = 0
  const strict = { ...setup, guardrail: { ...setup.guardrail, tolerance: { harm: 0, safe: 0 } } }
  for (let seed = 0; seed < 300; seed++) {
    const panes = panesOf(1000 + seed, repeat(30, [usual, usual] as const), [40, 60])
    if (run(dirichletTwoSample, strict, panes).readings.some(({ logE }) => logE.harm > ln(20))) stopped++
  }
  expect(stopped).toBeLessThanOrEqual(15)
})
