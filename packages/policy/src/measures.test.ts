import { expect, test } from 'vitest'
import { readBudget, readDuration, readRatio } from './measures.ts'

test('durations are whole milliseconds', () => {
  const read = ['5s', '5 s', '1.5s', '250ms', '2m', '2 min', '24h', '7d'].map(readDuration)
  expect(read).toEqual([5_000, 5_000, 1_500, 250, 120_000, 120_000, 86_400_000, 604_800_000])
  for (const wrong of ['5', 's', '-5s', '5 hours', '1e3s', '5s ', '', '99999999s'])
    expect(readDuration(wrong), wrong).toBeNull()
})

test('percentages are the nearest number to what was written', () => {
  expect(['5%', '0.1 %', '100%', '12.5%', '20%'].map(readRatio)).toEqual([0.05, 0.001, 1, 0.125, 0.2])
  expect([0.05, 0, -1, Number.NaN, Number.POSITIVE_INFINITY].map(readRatio)).toEqual([0.05, 0, null, null, null])
  for (const wrong of ['5', '5 percent', '-3%', '%', '1e2%']) expect(readRatio(wrong), wrong).toBeNull()
})

test('a budget of rollouts is a chance, a budget of time a number a year', () => {
  expect(readBudget('1 in 1000 rollouts')).toEqual({ alpha: 0.001 })
  expect(readBudget('1 in 1,000')).toEqual({ alpha: 0.001 })
  expect(readBudget('1 false alarm a year')).toEqual({ falsePerYear: 1 })
  expect(readBudget('2 a month')).toEqual({ falsePerYear: 24 })
  expect(readBudget('1 false action in 90 days')).toEqual({ falsePerYear: 365 / 90 })
  expect(readBudget('1 per week')).toEqual({ falsePerYear: 365 / 7 })
  for (const wrong of [
    '0 a year',
    '1 in 0 days',
    'never',
    '1 in 10 flights',
    '1 in 1,00 rollouts',
    '2 in 10 rollouts',
    '1',
  ]) {
    expect(readBudget(wrong), wrong).toBeNull()
  }
})

test('nothing less than nothing is nothing: a ratio of -0 is 0', () => {
  expect(Object.is(readRatio(-0), 0)).toBe(true)
})
