import type { Guardrail, Hash, Policy } from '@interlock/contracts'
import { contentHash } from '@interlock/contracts'

type Short = Pick<Guardrail, 'id' | 'signal' | 'reference' | 'detector' | 'action'> & Partial<Guardrail>

function rule(short: Short): Guardrail {
  return {
    tolerance: { harm: 0.2, safe: 1 },
    budget: short.reference === 'stable' ? { alpha: 0.001 } : { falsePerYear: 4 },
    role: 'guard',
    protects: 'travellers who get a wrong forecast',
    slices: [],
    minimumSample: 50,
    ...short,
  }
}

const rate = { reference: 'stable', detector: 'conditional-beta-binomial', action: 'roll-back' } as const
const shape = { detector: 'dirichlet-two-sample', reference: 'stable', action: 'roll-back' } as const
const training = { detector: 'dirichlet-baseline', reference: 'baseline', action: 'hold' } as const

/** Policy of the scripted rollout; shaped as `policy check` would compile it. */
export const flightsPolicy: Policy = {
  v: 1,
  name: 'flight-delay',
  riskClass: 'medium',
  stages: [
    stage('shadow', 0, 2_000, true),
    stage('5 %', 0.05, 500),
    stage('20 %', 0.2, 2_000),
    stage('50 %', 0.5, 5_000),
    stage('100 %', 1, 0),
  ],
  guardrails: [
    rule({ id: 'errors', signal: 'errors', ...rate, role: 'gate', protects: 'travellers who get no answer' }),
    rule({ id: 'slow', signal: 'latency-over(p90)', ...rate, role: 'gate', protects: 'travellers who wait' }),
    rule({ id: 'very-slow', signal: 'latency-over(p99)', ...rate, protects: 'travellers who wait' }),
    rule({ id: 'lost.distance', signal: 'missing(distance)', ...rate, protects: 'travellers who get a guess' }),
    rule({ id: 'inputs.distance', signal: 'distribution(distance)', ...shape }),
    rule({ id: 'inputs.origin', signal: 'distribution(origin)', ...shape }),
    rule({ id: 'since-training.distance', signal: 'distribution(distance)', ...training }),
    rule({ id: 'answers-since-training', signal: 'predictions', ...training }),
    rule({ id: 'silence', signal: 'volume', reference: 'history', detector: 'gap', action: 'hold' }),
  ],
  noDataAfterMs: 8_000,
  onGuardrailLoss: [{ afterMs: 0, action: 'hold' }],
  grantMs: 30_000,
  times: { paneMs: 1_000, latenessMs: 1_000, stallTimeoutMs: 5_000 },
  brakes: { rollbacksPerHour: 3, fleetShare: 0.2, fleetWindowMs: 600_000 },
  words: {
    rows: 'flights',
    features: { distance: { name: 'flight distance', unit: 'miles' }, origin: { name: 'origin' } },
  },
}

export const flightsPolicyHash: Hash = contentHash(flightsPolicy)

function stage(name: string, share: number, minimumSample: number, shadow = false): Policy['stages'][number] {
  return { name, share, shadow, minimumSample, minimumMs: 4_000, maximumMs: 60_000 }
}
