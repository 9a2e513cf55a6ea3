import type { EngineState, GuardrailEvidence, PaneSummary, Variant, Verdict, VersionId } from '@interlock/contracts'
import { flightsPolicy } from './flights-policy.ts'

export const v1 = 'flight-delay@v1' as VersionId
export const v2 = 'flight-delay@v2' as VersionId
export const none = { now: 0, reference: 0 }

export const allEngines: readonly EngineState[] = [
  { engine: 'technical', state: 'ok', detail: 'the agent was heard 0.4 s ago; v1 is ready' },
  { engine: 'approvals', state: 'ok', detail: 'approved by a second person' },
  { engine: 'observability', state: 'ok', detail: 'data is complete' },
]

/** What a rule says of its evidence in the story. */
export function verdictOf({ guardrail, evidence, limit }: GuardrailEvidence): Verdict {
  if (evidence.status === 'no-data' || evidence.status === 'incomplete') return 'no-data'
  if (evidence.logE.harm >= limit) return 'breach'
  if (evidence.logE.harm >= limit / 2) return 'watch'
  const isGate = flightsPolicy.guardrails.find(({ id }) => id === guardrail)?.role === 'gate'
  return evidence.status === 'too-few' || (isGate && evidence.logE.safe < 3) ? 'inconclusive' : 'pass'
}

/** Rows of one version in one pane: late share, errors and latency with some chance. */
export function summary(
  version: VersionId,
  variant: Variant,
  rows: number,
  random: () => number,
  faulty: boolean,
): PaneSummary {
  const late = Math.round(rows * (0.2 + (faulty ? 0.14 : 0) + (random() - 0.5) * 0.04))
  const slow = version === v2 ? 4 : 0
  return {
    version,
    variant,
    rows,
    errors: Math.round(rows * 0.002 * (0.5 + random())),
    latencyMs:
      rows === 0
        ? { p50: 0, p90: 0, p99: 0 }
        : { p50: 11 + slow + random() * 2, p90: 22 + slow + random() * 4, p99: 48 + slow + random() * 22 },
    predictions: [late, rows - late, 0, 0, 0],
  }
}

/** Numbers from 0 to 1 that follow from the seed alone (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed * 0x9e3779b9
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
