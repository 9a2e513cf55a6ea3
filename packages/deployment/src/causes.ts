import type { Driver, GuardrailEvidence, RankedCause } from '@interlock/contracts'
import { averageEvidence } from '@interlock/statistics'
import type { Judged } from './judgement.ts'
import { subjectOf } from './remedy.ts'

/** Causes that a decision names at most. */
const causesNamed = 8

/** A slice with a lesser part of the excess explains nothing. */
const leastShare = 0.2

/** A slice is named where its odds of holding an excess row are so many times those of holding any row. */
const surprise = 3

/**
 * What explains a decision, over all guardrails about the same version as the one that decides, the largest share first.
 *
 * Each guardrail weighs w = exp(ln E − limit)/Σ exp(ln E − limit): the posterior share of "this is what changed" with the
 * budget's parts as the prior. Features and signals have the sum of w over their guardrails; a bin, segment or source has Σ w · its share of
 * the guardrail's excess. Segments and sources are named only where they explain: at least a fifth of the excess, and far more of
 * it than of the rows. Among equals the one with fewer rows stands first, for it says more.
 *
 * @param judged all judged evidence of the pane
 * @param about the evidence that decides
 * @source Bhagwan et al., Adtributor (NSDI 2014): explanatory power and surprise
 */
export function causesOf(
  judged: readonly Judged[],
  about: Pick<GuardrailEvidence, 'version' | 'variant'>,
): readonly RankedCause[] {
  const parts = judged.filter(
    ({ evidence }) =>
      evidence.version === about.version &&
      evidence.variant === about.variant &&
      evidence.evidence.status === 'ok' &&
      harmOf(evidence) > 0,
  )
  if (parts.length === 0) return []
  const { shares } = averageEvidence(
    parts.map(({ evidence }) => ({ weight: 1, logE: harmOf(evidence) - evidence.limit })),
  )
  const causes = new Map<string, RankedCause>()
  const add = (cause: RankedCause): void => {
    const key = [cause.dimension, cause.of ?? '', cause.value].join('\u0000')
    const old = causes.get(key)
    const traffic = Math.max(old?.traffic ?? 0, cause.traffic ?? 0)
    const share = Math.min(1, (old?.share ?? 0) + cause.share)
    causes.set(key, { ...cause, share, ...(cause.traffic === undefined ? {} : { traffic }) })
  }
  for (const [index, { guardrail, evidence }] of parts.entries()) {
    const weight = shares[index] ?? 0
    const subject = subjectOf(guardrail.signal)
    add({ dimension: isFeature(guardrail.signal) ? 'feature' : 'signal', value: subject, share: weight })
    for (const driver of evidence.evidence.drivers) add(causeOf(driver, subject, weight))
  }
  return [...causes.values()].filter(explains).sort(byShare).slice(0, causesNamed)
}

/** What one small source shows counts as much as what many do: it is what is decided about. */
function harmOf({ evidence: { logE, alone } }: GuardrailEvidence): number {
  return Math.max(logE.harm, alone?.logE ?? 0)
}

function isFeature(signal: string): boolean {
  return signal.includes('(') && !signal.includes('latency')
}

function causeOf({ dimension, value, share, traffic }: Driver, of: string, weight: number): RankedCause {
  return {
    dimension,
    value,
    ...(dimension === 'bin' ? { of } : {}),
    share: weight * share,
    ...(traffic === undefined ? {} : { traffic }),
  }
}

function explains({ dimension, share, traffic = 0 }: RankedCause): boolean {
  if (dimension === 'feature' || dimension === 'signal') return share > leastNamed
  if (share < leastShare) return false
  return dimension === 'bin' || share * (1 - traffic) >= surprise * traffic * (1 - share)
}

/** A feature with less than this part of the evidence is not worth a line. */
const leastNamed = 0.01

function byShare(a: RankedCause, b: RankedCause): number {
  if (a.share !== b.share) return b.share - a.share
  if (a.traffic !== b.traffic) return (a.traffic ?? 1) - (b.traffic ?? 1)
  return `${a.dimension} ${a.value}` < `${b.dimension} ${b.value}` ? -1 : 1
}
