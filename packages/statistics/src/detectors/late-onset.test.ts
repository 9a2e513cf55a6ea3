import type { CountSpec, DetectorReading, DetectorSetup } from '@interlock/contracts'
import { layoutOf } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { ln } from '../elementary.ts'
import { hits, rowsIn, seeded } from '../seeded.ts'
import { resolveSignal } from '../signal.ts'
import { conditionalBetaBinomial } from './conditional-beta-binomial.ts'
import { dirichletBaseline } from './dirichlet-baseline.ts'
import { dirichletTwoSample } from './dirichlet-two-sample.ts'
import { paneMs, run, setupOf } from './panes.ts'

/** A canary at 5 % of 1,500 rows a pane whose feature code takes kilometres for miles after twenty healthy panes. */
const bins = 20
const spec: CountSpec = {
  v: 1,
  features: [{ kind: 'numeric', name: 'distance', edges: Array.from({ length: bins + 1 }, (_, i) => i), scale: 1 }],
  latencyEdgesMs: [0, 10],
  scoreEdges: [],
  classes: [],
  segments: [],
  producers: [],
}
const layout = layoutOf(spec)
const [distance] = layout.features as [(typeof layout.features)[0]]
const missingAt = distance.at + distance.bins + distance.specials.indexOf('missing')
const usual = Array.from({ length: bins }, () => 1 / bins)
/** Flight distances in kilometres in equal-mass bins of miles: 0.224 nats away. */
const kilometres = [
  0.0081, 0.0367, 0.0085, 0.0134, 0.0304, 0.0183, 0.0607, 0.0362, 0.0469, 0.0781, 0.0407, 0.0593, 0.0477, 0.0428,
  0.0416, 0.0482, 0.0612, 0.0964, 0.0937, 0.1311,
]

function setupFor(signal: string, detector: DetectorSetup['guardrail']['detector']): DetectorSetup {
  const against = detector === 'dirichlet-baseline' ? ({ reference: 'baseline' } as const) : {}
  return setupOf(
    signal,
    { detector, tolerance: { harm: 0.05, safe: 0 }, ...against },
    {
      signal: resolveSignal(signal, spec, { p50: 10, p90: 10, p99: 10 }),
      baseline: cell(usual.map((share) => share * 100_000)),
    },
  )
}

function cell(rows: readonly number[], missing = 0, failed = 0): Float64Array {
  const counts = new Float64Array(layout.width)
  const all = rows.reduce((a, b) => a + b, missing)
  counts[layout.rows] = all
  counts[layout.status] = all - failed
  counts[layout.status + 1] = failed
  counts.set(rows, distance.at)
  counts[missingAt] = missing
  return counts
}

type Draw = () => number
const healthyPanes = 20
const changedAt = healthyPanes * paneMs

/** Panes before and after the change; `now` draws the candidate's cell. */
function panesOf(seed: number, after: number, now: (draw: Draw, changed: boolean) => Float64Array) {
  const draw = seeded(seed)
  return Array.from({ length: healthyPanes + after }, (_, pane) => ({
    now: now(draw, pane >= healthyPanes),
    reference: cell(rowsIn(1_425, usual, draw), 0, hits(1_425, 0.001, draw)),
  }))
}
const converted = (seed: number, after: number, rows = 75) =>
  panesOf(seed, after, (draw, changed) => cell(rowsIn(rows, changed ? kilometres : usual, draw)))

const limit = ln(10_000)
const quartiles = (values: readonly number[]): { readonly median: number; readonly most: number } => {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: sorted[sorted.length >> 1] as number, most: sorted.at(-1) as number }
}

test('kilometres for miles after twenty healthy panes are found in four panes of 75 rows, median of 31 canaries', () => {
  const setup = setupFor('distribution(distance)', 'dirichlet-two-sample')
  const delays = Array.from({ length: 31 }, (_, seed) => {
    const { readings } = run(dirichletTwoSample, setup, converted(seed, 15))
    const found = readings.findIndex(({ logE, effect }) => logE.harm >= limit && effect.low > 0.05)
    return found < 0 ? 16 : found + 1 - healthyPanes
  })
  expect(Math.min(...delays)).toBeGreaterThan(0)
  expect(quartiles(delays).median).toBeLessThanOrEqual(4)
  expect(quartiles(delays).most).toBeLessThanOrEqual(10)
})

test('at half of the traffic they are found in the very pane in which they begin: numbers need no pane to learn from', () => {
  const setup = setupFor('distribution(distance)', 'dirichlet-two-sample')
  const delays = Array.from({ length: 15 }, (_, seed) => {
    const { readings } = run(dirichletTwoSample, setup, converted(700 + seed, 3, 750))
    return readings.findIndex(({ logE, effect }) => logE.harm >= limit && effect.low > 0.05) + 1 - healthyPanes
  })
  expect(quartiles(delays).median).toBe(1)
})

test('a law as far away as is tolerated reaches an e-value of 20 in at most 5 % of 100 canaries watched for 60 panes', () => {
  const setup = setupFor('distribution(distance)', 'dirichlet-two-sample')
  // 0.532 of the way to kilometres lies 0.05 nats away.
  const border = usual.map((share, bin) => share + 0.532 * ((kilometres[bin] as number) - share))
  const nats = usual.reduce((sum, share, bin) => sum + share * ln(share / (border[bin] as number)), 0)
  expect(nats).toBeGreaterThan(0.045)
  expect(nats).toBeLessThan(0.05)
  let reached = 0
  for (let seed = 0; seed < 100; seed++) {
    const draw = seeded(500 + seed)
    const panes = Array.from({ length: 60 }, () => ({
      now: cell(rowsIn(75, border, draw)),
      reference: cell(rowsIn(300, usual, draw)),
    }))
    if (run(dirichletTwoSample, setup, panes).readings.some(({ logE }) => logE.harm >= ln(20))) reached++
  }
  expect(reached).toBeLessThanOrEqual(5)
})

describe('five panes after a change its pane is named within one, and what is counted is counted since then', () => {
  const expectSince = (last: DetectorReading | undefined, spread: number, rows = 75): void => {
    expect(Math.abs((last?.since?.from ?? 0) - changedAt)).toBeLessThanOrEqual(paneMs)
    expect(last?.onset?.from).toBeGreaterThanOrEqual(changedAt - spread * paneMs)
    expect(last?.onset?.from).toBeLessThanOrEqual(changedAt + paneMs)
    expect(last?.onset?.to).toBeGreaterThanOrEqual(changedAt)
    expect(last?.onset?.to).toBeLessThanOrEqual(changedAt + 2 * paneMs)
    expect(last?.since?.n).toBeLessThanOrEqual(6 * rows)
    expect(last?.n).toBe(rows * (healthyPanes + 5))
  }

  test('missing values that there were none of before', () => {
    const setup = setupFor('missing(distance)', 'conditional-beta-binomial')
    for (let seed = 0; seed < 20; seed++) {
      const panes = panesOf(100 + seed, 5, (draw, changed) => {
        const missing = changed ? hits(75, 0.2, draw) : 0
        return cell(rowsIn(75 - missing, usual, draw), missing)
      })
      const last = run(conditionalBetaBinomial, setup, panes).readings.at(-1)
      expectSince(last, 0)
      expect(last?.since?.from).toBe(changedAt)
      expect(Math.abs((last?.since?.events.now ?? 0) / (last?.since?.n ?? 1) - 0.2)).toBeLessThan(0.08)
    }
  })

  test('errors that both arms had a few of', () => {
    const setup = setupFor('errors', 'conditional-beta-binomial')
    for (let seed = 0; seed < 20; seed++) {
      const panes = panesOf(200 + seed, 5, (draw, changed) =>
        cell(rowsIn(75, usual, draw), 0, hits(75, changed ? 0.15 : 0.001, draw)),
      )
      expectSince(run(conditionalBetaBinomial, setup, panes).readings.at(-1), 2)
    }
  })

  test('a distribution against stable', () => {
    const setup = setupFor('distribution(distance)', 'dirichlet-two-sample')
    for (let seed = 0; seed < 20; seed++) {
      const last = run(dirichletTwoSample, setup, converted(300 + seed, 5)).readings.at(-1)
      expectSince(last, 3)
      const { now = [], reference = [] } = last?.since?.bins ?? {}
      expect(now.reduce((a, b) => a + b, 0)).toBe(last?.since?.n)
      expect(reference.reduce((a, b) => a + b, 0)).toBeCloseTo(last?.since?.n ?? 0, 3)
    }
  })

  test('a distribution against its baseline', () => {
    const setup = setupFor('distribution(distance)', 'dirichlet-baseline')
    for (let seed = 0; seed < 20; seed++)
      expectSince(run(dirichletBaseline, setup, converted(400 + seed, 5, 300)).readings.at(-1), 1, 300)
  })
})

test('while nothing changes no onset is named, so nothing is counted since one', () => {
  const setup = setupFor('missing(distance)', 'conditional-beta-binomial')
  const panes = panesOf(9, 5, (draw) => cell(rowsIn(75, usual, draw)))
  const last = run(conditionalBetaBinomial, setup, panes).readings.at(-1)
  expect(last?.onset).toBeNull()
  expect(last).not.toHaveProperty('since')
})

test('whenever harm against stable stands at 40 or more, the interval of a distribution lies beyond the tolerance', () => {
  const setup = setupFor('distribution(distance)', 'dirichlet-two-sample')
  let refuted = 0
  for (let seed = 0; seed < 10; seed++) {
    for (const { logE, effect } of run(dirichletTwoSample, setup, converted(600 + seed, 12)).readings) {
      if (logE.harm < ln(40)) continue
      refuted++
      expect(effect.low).toBeGreaterThan(0.05)
      expect(effect.estimate).toBeLessThanOrEqual(effect.high)
    }
  }
  expect(refuted).toBeGreaterThan(50)
})
