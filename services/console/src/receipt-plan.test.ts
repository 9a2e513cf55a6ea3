import type { DecisionOut, GuardrailEvidence, Hash } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { emptyProjection, type Projection } from './projection.ts'
import { receiptPlanOf } from './receipt-plan.ts'

const place = { topic: 'log.governor', shard: 0, offset: '0' }

interface Made {
  readonly outcome: DecisionOut['outcome']
  readonly facts?: DecisionOut['facts']
  readonly generation?: number
  readonly candidate?: string | null
  readonly guardrail?: {
    readonly version: string
    readonly onset: { readonly from: number; readonly to: number } | null
  }
}

/** Decisions in their order, at 1,000, 2,000 … ms; each raises the revision of the order. */
function projectionOf(made: readonly Made[]): ReadonlyMap<string, Projection> {
  const decisions = made.map(({ outcome, facts = {}, generation = 1, candidate = null, guardrail }, index) => {
    const view = { stable: 'm@v1', candidate, order: [generation, 0, outcome === 'rolled-back' ? 3 : 0, index] }
    const evidence =
      guardrail === undefined
        ? null
        : ({
            guardrail: 'errors',
            version: guardrail.version,
            evidence: { onset: guardrail.onset },
          } as GuardrailEvidence)
    return {
      ...{ kind: 'decision', id: String(index).padStart(64, '0') as Hash, deployment: 'toy', environment: 'prod' },
      ...{ generation, sequence: index, at: (index + 1) * 1_000, outcome, rule: 'errors', facts, text: outcome },
      ...{ evidence: null, guardrail: evidence, policy: '', by: 'governor', before: view, after: view },
    } as unknown as DecisionOut
  })
  const projection: Projection = {
    ...emptyProjection('toy'),
    decisions: decisions.toReversed().map((out) => ({ out, place })),
  }
  return new Map([['toy', projection]])
}

const rolledBack = { outcome: 'rolled-back', facts: { from: 'm@v2', to: 'm@v1' } } as const
const verified = { outcome: 'verified', facts: { what: 'roll-back', by: 'traffic' } } as const
const started = { outcome: 'rollout-started', candidate: 'm@v2' } as const

test('the onset is that of the decision’s own evidence, and the end is the proof that followed', () => {
  const { plan } = receiptPlanOf(
    projectionOf([
      started,
      { ...rolledBack, guardrail: { version: 'm@v2', onset: { from: 1_500, to: 1_700 } } },
      verified,
    ]),
    'toy',
  )
  expect(plan).toMatchObject({
    from: 'm@v2',
    to: 'm@v1',
    decidedAt: 2_000,
    onset: { from: 1_500, to: 1_700, source: 'evidence', guardrail: 'errors' },
    verified: { at: 3_000, by: 'traffic' },
    until: null,
  })
})

test('a person’s rollback takes the onset of an earlier decision about the version, else all that it can have answered', () => {
  const held = { outcome: 'held', guardrail: { version: 'm@v2', onset: { from: 1_200, to: 1_300 } } } as const
  expect(receiptPlanOf(projectionOf([started, held, rolledBack]), 'toy').plan.onset).toMatchObject({
    from: 1_200,
    source: 'earlier-evidence',
  })
  const ofAnother = { outcome: 'held', guardrail: { version: 'm@v1', onset: { from: 1_200, to: 1_300 } } } as const
  const before = { ...held, generation: 0 } as const
  for (const other of [ofAnother, before]) {
    expect(receiptPlanOf(projectionOf([other, started, rolledBack]), 'toy').plan.onset).toMatchObject({
      from: 2_000,
      source: 'whole-exposure',
    })
  }
})

test('not yet verified is said; what was asked for goes before the evidence; a restore ends the exposure', () => {
  const { plan } = receiptPlanOf(projectionOf([started, rolledBack]), 'toy', 42)
  expect([plan.verified, plan.onset]).toMatchObject([null, { from: 42, source: 'asked' }])
  const again = receiptPlanOf(projectionOf([started, rolledBack, verified, { outcome: 'restored' }, verified]), 'toy')
  expect([again.plan.verified?.at, again.plan.until]).toEqual([3_000, 4_000])
})

test('a deployment names its last withdrawal; a decision and an order name theirs', () => {
  const known = projectionOf([
    started,
    rolledBack,
    verified,
    { ...started, generation: 2 },
    { ...rolledBack, generation: 2 },
  ])
  expect(receiptPlanOf(known, 'toy').plan.generation).toBe(2)
  expect(receiptPlanOf(known, '1'.padStart(64, '0')).plan.generation).toBe(1)
  expect(receiptPlanOf(known, 'toy/1.0.3.1').plan.decidedAt).toBe(2_000)
  expect(() => receiptPlanOf(known, '2'.padStart(64, '0'))).toThrow(/took no version away/)
  expect(() => receiptPlanOf(known, 'toy/7.0.3.1')).toThrow(/has the order 7\.0\.3\.1/)
  expect(() => receiptPlanOf(known, 'nobody')).toThrow(/is no deployment/)
})
