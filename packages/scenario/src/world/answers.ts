import type { Observed } from '@interlock/contracts'
import { draw, keyOfText } from '../draw.ts'
import type { Row } from '../row.ts'
import type { Cast } from './cast.ts'

/**
 * The rows of one request as the platform's weights have it: a unit keeps its version, the share's part of all units gets
 * the candidate, a shadow sees a copy of each request. In fallback the rule answers, and no model does.
 *
 * @param seed another seed puts other units into the candidate's share
 */
export function answersTo(request: Row, observed: Observed, cast: Cast, seed: number): readonly Row[] {
  const { generation, share, shadow, fallback, candidate } = observed
  if (fallback) {
    return [
      {
        ...request,
        generation,
        version: 'fallback',
        status: 'fallback',
        prediction: null,
        score: null,
        variant: 'stable',
      },
    ]
  }
  const isCandidate = candidate !== null && share > 0 && draw(seed, keyOfText(request.unit)) < share
  const versionOf = (digest: string | null): string =>
    digest === cast.candidate.digest ? cast.candidate.version : cast.stable.version
  const answer: Row = {
    ...request,
    generation,
    version: versionOf(isCandidate ? candidate : observed.stable),
    variant: isCandidate ? 'candidate' : 'stable',
  }
  if (!shadow || candidate === null) return [answer]
  return [answer, { ...answer, id: `${request.id}-shadow`, version: versionOf(candidate), variant: 'shadow' }]
}
