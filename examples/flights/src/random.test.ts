import { expect, test } from 'vitest'
import { keyedLogNormal, keyedUniform, shuffle, xoshiro128, xoshiro128From } from './random.ts'

test('xoshiro128** gives the words of the reference implementation from the state 1, 2, 3, 4', () => {
  const uniform = xoshiro128From(Uint32Array.of(1, 2, 3, 4))
  const words = Array.from({ length: 6 }, () => uniform() * 2 ** 32)
  expect(words).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492]) // vectors of Rust's rand_xoshiro
})

test('the same seed gives the same stream and another day another one', () => {
  expect(xoshiro128(1, 90)()).toBe(xoshiro128(1, 90)())
  expect(xoshiro128(1, 90)()).not.toBe(xoshiro128(1, 91)())
})

test('a shuffle keeps every row and leaves few where they were', () => {
  const shuffled = shuffle(
    Uint32Array.from({ length: 10_000 }, (_, row) => row),
    xoshiro128(7),
  )
  expect(Array.from(shuffled).sort((left, right) => left - right)).toEqual(
    Array.from({ length: 10_000 }, (_, row) => row),
  )
  expect(shuffled.filter((row, place) => row === place).length).toBeLessThan(10)
})

test('keyed draws are uniform, and unrelated between purposes', () => {
  const n = 50_000
  let both = 0
  let first = 0
  for (let key = 0; key < n; key++) {
    if (keyedUniform(1, key, 11) < 0.4) {
      first++
      if (keyedUniform(1, key, 12) < 0.2) both++
    }
  }
  expect(Math.abs(first / n - 0.4)).toBeLessThan(0.01)
  expect(Math.abs(both / first - 0.2)).toBeLessThan(0.01)
})

test('half of the lognormal draws lie below their median', () => {
  const draws = Array.from({ length: 20_000 }, (_, key) => keyedLogNormal(1, key, 0, 8, 0.4))
  expect(draws.every((draw) => draw > 0 && Number.isFinite(draw))).toBe(true)
  expect(Math.abs(draws.filter((draw) => draw < 8).length / draws.length - 0.5)).toBeLessThan(0.015)
})
