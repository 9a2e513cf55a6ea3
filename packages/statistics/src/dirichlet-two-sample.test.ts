import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { logDealIncrement, predictedOdds, tiltedOdds } from './dirichlet-two-sample.ts'
import { exp, ln } from './elementary.ts'
import { lgamma } from './special.ts'

/** All ways to put n rows into three bins. */
function* compositions(n: number): Generator<[number, number, number]> {
  for (let a = 0; a <= n; a++) for (let b = 0; a + b <= n; b++) yield [a, b, n - a - b]
}
function logChance(counts: readonly number[], p: readonly number[]): number {
  return counts.reduce(
    (sum, count, bin) => sum + count * ln(p[bin] as number) - lgamma(count + 1),
    lgamma(counts.reduce((a, b) => a + b, 0) + 1),
  )
}

describe('the expected e-value of a pane is at most 1', () => {
  const odds = [
    [1, 1, 1],
    [2, 0.5, 1],
    [0.2, 1, 6],
    [1.1, 0.9, 1],
    [...tiltedOdds([3, 5, 2], [0, 1, 2], { slope: 1.25, bend: 0 })],
    [...tiltedOdds([3, 5, 2], [0, 1, 2], { slope: 0, bend: -1 })],
  ]
  test('when both arms draw from one law, whatever it is', () => {
    for (const p of [
      [0.2, 0.3, 0.5],
      [0.9, 0.05, 0.05],
    ])
      for (const theta of odds)
        for (const [n, m] of [
          [3, 9],
          [6, 6],
          [8, 2],
        ] as const) {
          let sum = 0
          for (const now of compositions(n))
            for (const reference of compositions(m))
              sum += exp(logChance(now, p) + logChance(reference, p) + logDealIncrement(now, reference, theta))
          expect(sum).toBeLessThanOrEqual(1 + 1e-12)
        }
  })

  test('when fixed rows are dealt to the arms at random', () => {
    const choose = (n: number, k: number): number => lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    for (const both of [
      [20, 10, 10],
      [4, 30, 6],
      [8, 8, 24],
    ])
      for (const theta of odds)
        for (const n of [6, 20, 34]) {
          let sum = 0
          for (const now of compositions(n)) {
            if (now.some((count, bin) => count > (both[bin] as number))) continue
            const deal = now.reduce((log, count, bin) => log + choose(both[bin] as number, count), -choose(40, n))
            const rest = now.map((count, bin) => (both[bin] as number) - count)
            sum += exp(deal + logDealIncrement(now, rest, theta))
          }
          expect(sum, `${both} ${theta} ${n}`).toBeLessThanOrEqual(1.02)
        }
  })

  test('and it grows when the arms differ as foreseen', () => {
    expect(logDealIncrement([60, 20, 20], [30, 35, 35], [2, 0.57, 0.57])).toBeGreaterThan(4)
  })
})

test('without a past nothing is staked', () => {
  const odds = predictedOdds([0, 0, 0], [0, 0, 0], 50)
  expect([...odds]).toEqual([1, 1, 1])
  expect(logDealIncrement([9, 1, 0], [1, 9, 0], odds)).toBe(0)
})

test("tilted odds keep the stable arm's rows in all, rise along the order, and leave bins without a place alone", () => {
  const reference = [10, 30, 20, 25, 15]
  const odds = tiltedOdds(reference, [4, 0, 1, 2], { slope: 1.2, bend: 0 })
  const inOrder = [4, 0, 1, 2].map((bin) => odds[bin] as number)
  expect([...inOrder].sort((a, b) => a - b)).toEqual(inOrder)
  expect(odds[3]).toBe(1)
  const moved = reference.reduce((sum, rows, bin) => sum + rows * (odds[bin] as number), 0)
  expect(moved).toBeCloseTo(100, 10)
  const bent = tiltedOdds([25, 25, 25, 25], [0, 1, 2, 3], { slope: 0, bend: 1 })
  expect(bent[0]).toBeCloseTo(bent[3] as number, 12)
  expect(bent[0]).toBeGreaterThan(bent[1] as number)
  expect([...tiltedOdds([0, 0], [0, 1], { slope: 2, bend: 0 })]).toEqual([1, 1])
})

test('an empty arm moves nothing', () => {
  expect(logDealIncrement([0, 0], [5, 5], [2, 0.5])).toBe(0)
  expect(logDealIncrement([5, 5], [0, 0], [2, 0.5])).toBe(0)
})

test('the order of the bins does not matter', () => {
  const counts = fc.array(fc.tuple(fc.nat(200), fc.nat(200), fc.nat(200), fc.nat(200)), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(counts, (bins) => {
      const evidence = (rows: typeof bins): number => {
        const column = (i: number): number[] => rows.map((row) => row[i] as number)
        return logDealIncrement(column(0), column(1), predictedOdds(column(2), column(3), 50))
      }
      expect(evidence([...bins].reverse())).toBeCloseTo(evidence(bins), 8)
    }),
  )
})
