import type { Detector, DetectorId, Json } from '@interlock/contracts'
import { binomialShiryaevRoberts } from './binomial-shiryaev-roberts.ts'
import { conditionalBetaBinomial } from './conditional-beta-binomial.ts'
import { dirichletBaseline } from './dirichlet-baseline.ts'
import { dirichletTwoSample } from './dirichlet-two-sample.ts'
import { gap } from './gap.ts'

/** All detectors by id. Each keeps its own kind of state; outside, state is JSON that only its detector reads. */
const detectors = {
  'conditional-beta-binomial': conditionalBetaBinomial,
  'binomial-shiryaev-roberts': binomialShiryaevRoberts,
  'dirichlet-two-sample': dirichletTwoSample,
  'dirichlet-baseline': dirichletBaseline,
  gap,
} satisfies Record<DetectorId, unknown>

/** The detector that a guardrail names. */
export function detectorFor(id: DetectorId): Detector {
  return detectors[id] as Detector<Json> as Detector
}
