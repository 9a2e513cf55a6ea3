import type { Detector, DetectorId, Json } from '@interlock/contracts'
import { binnedBetting } from './binned-betting.ts'
import { binomialShiryaevRoberts } from './binomial-shiryaev-roberts.ts'
import { conditionalBetaBinomial } from './conditional-beta-binomial.ts'
import { dirichletBaseline } from './dirichlet-baseline.ts'
import { dirichletTwoSample } from './dirichlet-two-sample.ts'
import { gap } from './gap.ts'
import { poissonShiryaevRoberts } from './poisson-shiryaev-roberts.ts'

/** All detectors by id. Each keeps its own kind of state; outside, state is JSON that only its detector reads. */
const detectors = {
  'conditional-beta-binomial': conditionalBetaBinomial,
  'binomial-shiryaev-roberts': binomialShiryaevRoberts,
  'dirichlet-two-sample': dirichletTwoSample,
  'dirichlet-baseline': dirichletBaseline,
  gap,
  'poisson-shiryaev-roberts': poissonShiryaevRoberts,
  'binned-betting': binnedBetting,
} satisfies Record<DetectorId, unknown>

/** The detector that a guardrail names. */
export function detectorFor(id: DetectorId): Detector {
  return detectors[id] as Detector<Json> as Detector
}
