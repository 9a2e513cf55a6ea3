import type { Prediction } from '@interlock/contracts'

/** For tests: one prediction with every field. */
export const flight: Prediction = {
  id: 'p-1',
  environment: 'production',
  tenant: 'acme',
  deployment: 'flight-delay',
  generation: 3,
  version: 'flight-delay@v2',
  variant: 'candidate',
  unit: 'passenger-7',
  eventTimeMs: 1_700_000_000_000,
  features: { distance: 1_846, origin: 'ORD', hour: null },
  prediction: 'late',
  score: 0.81,
  latencyMs: 4.5,
  status: 'ok',
  segments: { airport: 'ORD' },
  producer: 'midwest',
}
