import { expect, test } from 'vitest'
import { ln } from '../elementary.ts'
import { seeded } from '../seeded.ts'
import { cell, type Pane, paneMs, run, setupOf } from './panes.ts'
import { type AmountState, poissonShiryaevRoberts } from './poisson-shiryaev-roberts.ts'

const guardrail = {
  detector: 'poisson-shiryaev-roberts',
  reference: 'history',
  tolerance: { harm: 0.2, safe: 0 },
  budget: { falsePerYear: 1 },
} as const
const setup = setupOf('volume', guardrail)
const limit = ln(3_155_760)

const count = (rows: number, more: Partial<Pane> = {}): Pane => ({ now: cell(rows), reference: null, ...more })

/** A Poisson number by the exponential gaps; its mean is multiplied by a unit gamma for clumps (φ = 1 + mean/shape). */
function poisson(mean: number, next: () => number): number {
  let rows = 0
  for (let left = mean; ; rows++) {
    left += ln(1 - next())
    if (left < 0) return rows
  }
}

/** Gamma with a whole shape and mean 1. */
function gamma(shape: number, next: () => number): number {
  let sum = 0
  for (let i = 0; i < shape; i++) sum -= ln(1 - next())
  return sum / shape
}

const panesOf = (seed: number, means: readonly number[], shape = 0) => {
  const next = seeded(seed)
  return means.map((mean) => count(poisson(shape === 0 ? mean : mean * gamma(shape, next), next)))
}
const repeat = (length: number, value: number): number[] => Array.from({ length }, () => value)
const firstBeyond = (readings: readonly { readonly logE: { readonly harm: number } }[], nats: number) =>
  readings.findIndex(({ logE }) => logE.harm > nats)

test('half of the rows, or twice as many, are found within six panes of 40, with onset and ratio', () => {
  for (const factor of [0.5, 2]) {
    const { readings } = run(
      poissonShiryaevRoberts,
      setup,
      panesOf(1, [...repeat(400, 40), ...repeat(40, 40 * factor)]),
    )
    const found = firstBeyond(readings, limit)
    expect(found, `${factor} times`).toBeGreaterThanOrEqual(400)
    expect(found, `${factor} times`).toBeLessThan(406)
    const last = readings.at(-1)
    expect(last?.onset?.from).toBeLessThanOrEqual(400 * paneMs)
    expect(last?.onset?.to).toBeGreaterThanOrEqual(400 * paneMs)
    expect(last?.effect.low).toBeLessThan(factor)
    expect(last?.effect.high).toBeGreaterThan(factor)
    expect(factor > 1 ? last?.effect.low : 2 - (last?.effect.high as number)).toBeGreaterThan(1.2)
  }
})

test('an amount that is tolerated never alarms, however long it lasts', () => {
  const { readings } = run(poissonShiryaevRoberts, setup, panesOf(2, [...repeat(400, 200), ...repeat(2_000, 230)]))
  expect(firstBeyond(readings, limit)).toBe(-1)
})

test('what is unusual is not learned: after 2,000 panes of twice the rows they are as unusual as at first', () => {
  const { state, readings } = run(poissonShiryaevRoberts, setup, panesOf(3, [...repeat(400, 40), ...repeat(2_000, 80)]))
  const usual = (state as AmountState).history.rows / (state as AmountState).history.exposure
  expect(usual).toBeGreaterThan(37)
  expect(usual).toBeLessThan(44)
  expect(readings.at(-1)?.effect.low).toBeGreaterThan(1.7)
})

test('rows in clumps of φ = 5 do not alarm in 20 streams of 1,500 panes at a run length of 20,000 (seeds 100 to 119)', () => {
  let alarms = 0
  for (let stream = 0; stream < 20; stream++) {
    const { readings } = run(poissonShiryaevRoberts, setup, panesOf(100 + stream, repeat(1_500, 40), 10))
    if (firstBeyond(readings, ln(20_000)) >= 0) alarms++
  }
  // 20 · 1,500/20,000 are 1.5 on average; without tolerance and clumps, promised.
  expect(alarms).toBeLessThanOrEqual(3)
})

test('what season and weekday let expect is held against: a wave is usual, its absence is not', () => {
  const wave = (pane: number) => 60 + 50 * sine(pane / 200)
  const next = seeded(5)
  const healthy = Array.from({ length: 1_000 }, (_, i) => count(poisson(wave(i) * 1.1, next), { expected: wave(i) }))
  const { readings } = run(poissonShiryaevRoberts, setup, healthy)
  expect(firstBeyond(readings, limit)).toBe(-1)
  const flat = Array.from({ length: 100 }, (_, i) => count(poisson(20, next), { expected: wave(1_000 + i) }))
  const found = firstBeyond(run(poissonShiryaevRoberts, setup, [...healthy, ...flat]).readings, limit)
  expect(found).toBeGreaterThanOrEqual(1_000)
  expect(found).toBeLessThan(1_030)
})

/** sin 2πx, near enough: a parabola a half wave. */
function sine(turns: number): number {
  const x = 2 * (turns - Math.floor(turns)) - 1
  return 4 * x * (Math.abs(x) - 1)
}

test('a single pane counted wrongly, a thousand times too large, does not act alone', () => {
  const { readings } = run(poissonShiryaevRoberts, setup, [...panesOf(6, repeat(400, 40)), count(40_000)])
  expect(readings.at(-1)?.logE.harm).toBeLessThan(limit)
})

test('before thirty panes it is too early to call an amount unusual', () => {
  const early = run(poissonShiryaevRoberts, setup, panesOf(7, [...repeat(29, 40), 400])).readings.at(-1)
  expect(early).toMatchObject({ status: 'too-few', logE: { harm: 0 } })
})

test('with a budget of rollouts the mixture over starts is exceeded in fewer than α of 200 healthy watches (seeds 300 on)', () => {
  const short = setupOf('volume', { ...guardrail, budget: { alpha: 0.05 } })
  let alarms = 0
  for (let watch = 0; watch < 200; watch++) {
    const { readings } = run(poissonShiryaevRoberts, short, panesOf(300 + watch, repeat(150, 25)))
    if (firstBeyond(readings, ln(20)) >= 0) alarms++
  }
  expect(alarms).toBeLessThanOrEqual(10)
})
