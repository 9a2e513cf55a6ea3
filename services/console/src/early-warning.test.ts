import type { Evidence, EvidenceOut, GuardrailEvidence, StateOut } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { warningsOf } from './early-warning.ts'
import { emptyProjection, type Projection } from './projection.ts'
import { flightsPolicy } from './testing/flights-policy.ts'

const paneMs = 10_000
const [rule, other] = flightsPolicy.guardrails.map(({ id }) => id) as [string, string]

/** Evidence that has risen by `slopes` nats a pane for 40 panes, of one rule each. */
function projection(slopes: Readonly<Record<string, number>>, verdict: StateOut['verdicts'][0]['verdict']): Projection {
  const entry = (guardrail: string, slope: number, pane: number): GuardrailEvidence => ({
    guardrail,
    version: 'm@v2' as GuardrailEvidence['version'],
    variant: 'candidate',
    limit: 8,
    evidence: {
      logE: { harm: slope * pane + (pane % 2) * 0.05, safe: 0 },
      since: { from: 0, n: 1, m: 1, events: { now: 1, reference: 1 } },
    } as Evidence,
  })
  const recent = Array.from({ length: 40 }, (_, pane) => ({
    out: {
      generation: 1,
      pane: pane * paneMs,
      paneMs,
      coverage: 1,
      guardrails: Object.entries(slopes).map(([guardrail, slope]) => entry(guardrail, slope, pane)),
    } as unknown as EvidenceOut,
    place: { topic: 'log.evaluator', shard: 0, offset: '0' },
  }))
  const verdicts = Object.keys(slopes).map((guardrail) => ({ guardrail, version: 'm@v2', verdict, sentence: '' }))
  return {
    ...emptyProjection('d'),
    recent,
    state: { verdicts } as unknown as StateOut,
    policy: { hash: 'x' as never, policy: flightsPolicy },
  }
}

test('rules that head for their limits are told with time and interval, what may come first first', () => {
  const found = warningsOf(projection({ [rule]: 0.1, [other]: 0.15 }, 'watch'))
  expect(found.map(({ guardrail }) => guardrail)).toEqual([other, rule])
  const [first] = found
  expect(first?.sentence).toMatch(/may pass its limit for .* in about .* \(.* to .*\) if it goes on\.$/)
  expect(first?.lowMs).toBeLessThan(first?.inMs ?? 0)
  expect(first?.highMs).toBeGreaterThan(first?.inMs ?? Number.POSITIVE_INFINITY)
})

test('what stands still, is past its limit or is not watched is no early warning', () => {
  expect(warningsOf(projection({ [rule]: 0 }, 'pass'))).toEqual([])
  expect(warningsOf(projection({ [rule]: 0.1 }, 'breach'))).toEqual([])
  expect(warningsOf(projection({ [rule]: 0.1 }, 'no-data'))).toEqual([])
  expect(warningsOf(emptyProjection('d'))).toEqual([])
})
