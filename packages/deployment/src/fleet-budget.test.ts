import type { Action, DeploymentId, Guardrail, Policy } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accountOf, type Claim, shrinkToFit, spentBy } from './fleet-budget.ts'

function rule(action: Action, budget: Guardrail['budget']): Guardrail {
  return {
    id: `${action} ${Object.keys(budget)[0]}`,
    signal: 'errors',
    reference: 'alpha' in budget ? 'stable' : 'baseline',
    detector: 'alpha' in budget ? 'conditional-beta-binomial' : 'binomial-shiryaev-roberts',
    tolerance: { harm: 0, safe: 0.5 },
    budget,
    role: 'guard',
    action,
    protects: 'travellers',
    slices: [],
    minimumSample: 0,
  }
}
function policyOf(guardrails: readonly Guardrail[]): Policy {
  return {
    v: 1,
    name: 'p',
    riskClass: 'medium',
    stages: [],
    guardrails,
    noDataAfterMs: 10_000,
    onGuardrailLoss: [],
    grantMs: 30_000,
    times: { paneMs: 10_000, latenessMs: 1_000, stallTimeoutMs: 5_000 },
    brakes: { rollbacksPerHour: 2, fleetShare: 0.2, fleetWindowMs: 300_000 },
  }
}
const alpha = (action: Action, of: number): Guardrail => rule(action, { alpha: of })
const yearly = (action: Action, of: number): Guardrail => rule(action, { falsePerYear: of })
const claim = (name: string, policy: Policy, weight = 1): Claim => {
  return { deployment: name as DeploymentId, policy, weight, rolloutsPerYear: 100 }
}

test('a policy spends α a rollout and two versions’ false alarms, once an action however many rules share it', () => {
  const policy = policyOf([
    alpha('roll-back', 0.001),
    alpha('roll-back', 0.001),
    alpha('hold', 0.002),
    yearly('hold', 4),
    yearly('hold', 4),
    yearly('halt', 1),
    yearly('watch', 300),
  ])
  const { rollbacks, holds } = spentBy(policy, 50)
  expect(rollbacks).toBeCloseTo(0.05, 12)
  expect(holds).toBeCloseTo(0.1 + 8 + 2, 12)
})

test('while every deployment is within its part, all together are within what was stated', () => {
  const claims = fc.array(
    fc.record({ weight: fc.integer({ min: 1, max: 9 }), falsePerYear: fc.double({ min: 0.01, max: 20, noNaN: true }) }),
    { minLength: 1, maxLength: 12 },
  )
  fc.assert(
    fc.property(claims, fc.double({ min: 0.1, max: 50, noNaN: true }), (all, holds) => {
      const accounts = accountOf(
        { rollbacks: 1, holds },
        all.map(({ weight, falsePerYear }, i) => claim(`d${i}`, policyOf([yearly('hold', falsePerYear)]), weight)),
      )
      expect(accounts.reduce((sum, { part }) => sum + part.holds, 0)).toBeCloseTo(holds, 9)
      const spent = accounts.reduce((sum, one) => sum + (one.fits ? one.spent.holds : one.part.holds), 0)
      expect(spent).toBeLessThanOrEqual(holds * (1 + 1e-6))
    }),
  )
})

test('a policy that exceeds its part is told, and by how much it must be stricter', () => {
  const [small, large] = accountOf({ rollbacks: 1, holds: 6 }, [
    claim('small', policyOf([yearly('hold', 2)]), 1),
    claim('large', policyOf([yearly('hold', 2)]), 2),
  ])
  expect([small?.fits, large?.fits]).toEqual([false, true])
  expect(shrinkToFit(small!, 'holds')).toBeCloseTo(0.5, 12)
  expect([shrinkToFit(large!, 'holds'), shrinkToFit(small!, 'rollbacks')]).toEqual([1, 1])
})
