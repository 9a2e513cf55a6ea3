import { exp, ln } from '@interlock/statistics'
import { expect, test } from 'vitest'
import { budgetLog } from './limit.ts'

test('an error budget is spent at 1/α, and each of several guardrails that share it needs as many times more', () => {
  expect(exp(budgetLog({ alpha: 0.001 }, 1_000, 1))).toBeCloseTo(1_000, 6)
  expect(budgetLog({ alpha: 0.001 }, 1_000, 4) - budgetLog({ alpha: 0.001 }, 1_000, 1)).toBeCloseTo(ln(4), 12)
})

test('a budget of false alarms a year is a mean run of as many panes', () => {
  expect(exp(budgetLog({ falsePerYear: 1 }, 300_000, 1))).toBeCloseTo(105_120, 3)
  expect(exp(budgetLog({ falsePerYear: 365 / 90 }, 300_000, 1))).toBeCloseTo(25_920, 3)
})
