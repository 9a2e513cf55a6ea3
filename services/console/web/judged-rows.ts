import type { Guardrail, GuardrailEvidence, Verdict } from '@interlock/contracts'
import type { DeploymentPage } from '../src/api.ts'
import { type Freshness, verdictNow } from '../src/freshness.ts'

/** A rule about one version, as the ledger shows it. */
export interface JudgedRow {
  readonly key: string
  readonly rule: Guardrail
  /** What it looks at: "flight distance". */
  readonly name: string
  /** The rule in words. */
  readonly words: string
  readonly version: string
  readonly verdict: Verdict
  readonly sentence: string
  readonly evidence: GuardrailEvidence | null
}

const order: readonly Verdict[] = ['breach', 'watch', 'no-data', 'inconclusive', 'pass']

/** Rules of the versions that are judged, and the one that was breached by a version that left; worst first. */
export function judgedRows(page: DeploymentPage, freshness: Freshness): readonly JudgedRow[] {
  const { state, policy, evidence, because } = page
  if (policy === null) return []
  const rules = new Map(policy.policy.guardrails.map((rule) => [rule.id, rule]))
  const found = (guardrail: string, version: string): GuardrailEvidence | null =>
    evidence?.guardrails.find((one) => one.guardrail === guardrail && one.version === version) ?? null
  const row = (
    guardrail: string,
    version: string,
    verdict: Verdict,
    sentence: string,
    own: GuardrailEvidence | null = null,
  ): JudgedRow[] => {
    const rule = rules.get(guardrail)
    if (rule === undefined) return []
    const name = policy.names[guardrail] ?? guardrail
    const words = policy.rules[guardrail] ?? ''
    const key = `${guardrail} ${version}`
    return [{ key, rule, name, words, version, verdict, sentence, evidence: own ?? found(guardrail, version) }]
  }
  const judged = state.verdicts.flatMap(({ guardrail, version, verdict, sentence }) =>
    row(guardrail, version, verdictNow(verdict, freshness), toldNow(sentence, verdict, freshness)),
  )
  const cause = because?.guardrail ?? null
  const isListed = cause !== null && judged.some(({ key }) => key === `${cause.guardrail} ${cause.version}`)
  const reason = typeof because?.facts.because === 'string' ? because.facts.because : (because?.text ?? '')
  const left = cause === null || isListed ? [] : row(cause.guardrail, cause.version, 'breach', reason, cause)
  // Before the first verdict the rules stand there all the same, and nothing is said to be good.
  const waiting =
    state.verdicts.length > 0
      ? []
      : policy.policy.guardrails.flatMap(({ id }) =>
          row(id, state.view.candidate ?? state.view.stable ?? '', verdictNow('inconclusive', freshness), ''),
        )
  return [...left, ...judged, ...waiting].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
}

/** What was said of a rule before its evidence grew old is told as the past. */
function toldNow(sentence: string, verdict: Verdict, freshness: Freshness): string {
  return verdictNow(verdict, freshness) === verdict || sentence === '' ? sentence : `Last known: ${sentence}`
}
