import {
  type Action,
  type Evidence,
  type EvidenceOut,
  type Guardrail,
  type GuardrailEvidence,
  type Policy,
  riskClasses,
  type Verdict,
  type VersionId,
} from '@interlock/contracts'
import { ln, logSumExp } from '@interlock/statistics'

/** ln of the evidence that a gate needs to be Safe: it wrongly opens in at most `safeAlpha` of harmful rollouts of the class. */
export function safeLimitOf({ riskClass }: Pick<Policy, 'riskClass'>): number {
  return ln(1 / riskClasses[riskClass].safeAlpha)
}
/** Part of the limit, in ln, at which a guardrail is shown as moving towards it (√A, docs/statistics.md "Decision layer"). */
export const watchPart = 1 / 2
/** Part of the limit, in ln, below which a guardrail is calm again, and for how many panes in a row (hysteresis). */
export const calmPart = 1 / 4
export const calmPanes = 12

/** Evidence beside the rule that it is held against. */
export interface Judged {
  readonly guardrail: Guardrail
  readonly evidence: GuardrailEvidence
  readonly verdict: Verdict
  /** Part of the limit that is reached, in ln: 1 and more is a breach of its own. */
  readonly progress: number
}

/** Guardrails of one action, version and kind of budget whose average evidence passes the budget. */
export interface Breach {
  readonly action: Action
  readonly version: VersionId
  /** The one with the largest part of the evidence; it names the breach. */
  readonly leading: Judged
  readonly members: readonly Judged[]
  /** The one small source that it is all about (`Evidence.alone`); null where the harm stands without any one source. */
  readonly source: string | null
}

/**
 * The versions that have traffic now: nobody else can be silent, and old evidence of a version that answers nobody
 * neither passes nor breaches. A candidate's evidence counts from its shadow stage on: one product a generation.
 */
export interface Watched {
  readonly stable: VersionId | null
  readonly candidate: VersionId | null
}

/**
 * Judges all evidence of one closed pane, or what open panes would add to it.
 *
 * A budget is shared: with e-values E_k of the guardrails of one action and weights w_k (Σ w_k = 1), the average
 * Σ w_k E_k is an e-value under any dependence, and the budget α is spent when it reaches 1/α. The evidence carries
 * limit_k = ln(1/(α w_k)), so the rule is Σ exp(ln E_k − limit_k) ≥ 1. A guardrail takes part only where its rows
 * suffice (its status says so) and its effect lies beyond what is tolerated; leaving one out can only lower the sum.
 *
 * @source Vovk & Wang, E-values: calibration, combination and applications (2021), §3: averaging
 */
export function judge(
  policy: Policy,
  evidence: Pick<EvidenceOut, 'guardrails'>,
  watched: Watched,
): { readonly judged: readonly Judged[]; readonly breaches: readonly Breach[] } {
  const rules = new Map(policy.guardrails.map((guardrail) => [guardrail.id, guardrail]))
  const single: Judged[] = []
  for (const entry of evidence.guardrails) {
    const guardrail = rules.get(entry.guardrail)
    if (guardrail === undefined || !isWatched(entry, watched)) continue
    single.push({
      guardrail,
      evidence: entry,
      verdict: alone(guardrail, entry, safeLimitOf(policy)),
      progress: progressOf(entry),
    })
  }
  const breaches = [...pool(single), ...single.flatMap(ofOneSource)]
  const inBreach = new Set(
    breaches.flatMap(({ leading, members }) => [leading, ...members.filter((one) => one.progress >= 1)]),
  )
  const judged = single.map((one) => (inBreach.has(one) ? { ...one, verdict: 'breach' as const } : one))
  return { judged, breaches }
}

function isWatched(entry: GuardrailEvidence, { stable, candidate }: Watched): boolean {
  return entry.version === (entry.variant === 'stable' ? stable : candidate)
}

function progressOf({ evidence, limit }: GuardrailEvidence): number {
  return limit > 0 ? Math.max(0, evidence.logE.harm / limit, (evidence.alone?.logE ?? 0) / limit) : 0
}

/** A guardrail that one small source alone brings beyond its limit: a breach of its own, for the owner of the data. */
function ofOneSource(one: Judged): readonly Breach[] {
  const { guardrail, evidence } = one
  const { status, alone } = evidence.evidence
  if (alone === undefined || status !== 'ok' || !isBeyondTolerance(guardrail, evidence.evidence)) return []
  const { action } = guardrail
  return [{ action, version: evidence.version, leading: one, members: [one], source: alone.source }]
}

/** Verdict of one guardrail without the others. Only evidence that is whole and sufficient can pass. */
function alone(guardrail: Guardrail, entry: GuardrailEvidence, safeLimit: number): Verdict {
  const { status, logE } = entry.evidence
  if (status === 'no-data' || status === 'incomplete') return 'no-data'
  if (status === 'too-few') return 'inconclusive'
  if (progressOf(entry) >= watchPart) return 'watch'
  // Held against itself a gate has nothing to prove: only the candidate must show that it is safe.
  if (guardrail.role === 'gate' && entry.variant !== 'stable') return logE.safe >= safeLimit ? 'pass' : 'inconclusive'
  return 'pass'
}

/** Whether the whole interval of the effect lies beyond the tolerance. Silence has no effect size: its evidence decides. */
export function isBeyondTolerance(guardrail: Guardrail, { effect }: Pick<Evidence, 'effect'>): boolean {
  switch (guardrail.detector) {
    case 'conditional-beta-binomial':
    case 'binomial-shiryaev-roberts':
      return effect.low > 1 + guardrail.tolerance.harm
    case 'dirichlet-two-sample':
    case 'dirichlet-baseline':
      return effect.low > guardrail.tolerance.harm
    case 'binned-betting':
      return effect.low > guardrail.tolerance.harm || effect.high < -guardrail.tolerance.harm
    case 'poisson-shiryaev-roberts':
      return effect.low > 1 + guardrail.tolerance.harm || effect.high < 1 - guardrail.tolerance.harm
    case 'gap':
      return true
  }
}

function pool(judged: readonly Judged[]): readonly Breach[] {
  const pools = new Map<string, Judged[]>()
  for (const one of judged) {
    const { guardrail, evidence } = one
    if (evidence.evidence.status !== 'ok' || !isBeyondTolerance(guardrail, evidence.evidence)) continue
    const key = [guardrail.action, Object.keys(guardrail.budget)[0], evidence.version, evidence.variant].join(' ')
    const members = pools.get(key)
    if (members === undefined) pools.set(key, [one])
    else members.push(one)
  }
  const breaches: Breach[] = []
  for (const members of pools.values()) {
    const excess = (one: Judged): number => one.evidence.evidence.logE.harm - one.evidence.limit
    if (logSumExp(members.map(excess)) < 0) continue
    const leading = members.reduce((best, one) => (excess(one) > excess(best) ? one : best))
    breaches.push({
      action: leading.guardrail.action,
      version: leading.evidence.version,
      leading,
      members,
      source: null,
    })
  }
  return breaches
}
