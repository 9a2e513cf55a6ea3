import type { Guardrail, Policy } from '@interlock/contracts'
import { readSignal } from './signal-name.ts'

/** What the rows are called in the plural. */
export function nameOfRow(policy: Pick<Policy, 'words'>): string {
  return policy.words?.rows ?? 'requests'
}

/** A feature's name for people: from the policy's words, else its id in quotes. */
export function nameOfFeature(feature: string, policy: Pick<Policy, 'words'>): string {
  if (feature === 'latency') return 'answer time'
  const features = policy.words?.features ?? {}
  return Object.hasOwn(features, feature) ? features[feature]!.name : `"${feature}"`
}

/** What a rule looks at, in words that fit after "its limit for": "errors", "missing origin", "very slow answers". */
export function nameOfRule(guardrail: Pick<Guardrail, 'signal' | 'reference'>, policy: Pick<Policy, 'words'>): string {
  const { kind, of } = readSignal(guardrail.signal) ?? { kind: guardrail.signal, of: [] }
  const feature = nameOfFeature(of[0] ?? '', policy)
  const training = guardrail.reference === 'baseline' ? ' since training' : ''
  switch (kind) {
    case 'errors':
      return 'errors'
    case 'duplicates':
      return `${nameOfRow(policy)} that came twice`
    case 'missing':
      return `missing ${feature}`
    case 'unseen':
      return `new values of ${feature}`
    case 'invalid':
      return `broken values of ${feature}`
    case 'latency-over':
      return latencyNames[of[0] ?? ''] ?? 'slow answers'
    case 'predictions':
      return `answers${training}`
    case 'mean':
      return `mean ${of[0] === 'score' ? 'score' : feature}${training}`
    case 'volume':
      return 'traffic'
    default:
      return `${feature}${training}`
  }
}

const latencyNames: Readonly<Record<string, string>> = {
  p50: 'answer time',
  p90: 'slow answers',
  p99: 'very slow answers',
}
