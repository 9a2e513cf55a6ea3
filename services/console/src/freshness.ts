import type { Attention, Verdict } from '@interlock/contracts'

/** How old the evaluation is: docs/console.md "Live". `never`: nothing was evaluated yet. */
export type Freshness = 'fresh' | 'late' | 'stale' | 'never'

/** Time that evaluating and showing a closed pane may take. */
const graceMs = 5_000
/** From here on old values are not shown as if they held; longer panes get at least `staleBehindFreshMs` more. */
export const staleAfterMs = 45_000
const staleBehindFreshMs = 20_000

/**
 * @param evaluatedTo end of the last closed pane, ms; null where there is none
 * @param now         the server's clock, ms
 */
export function freshnessOf(
  evaluatedTo: number | null,
  now: number,
  times: { readonly paneMs: number; readonly latenessMs: number },
): Freshness {
  if (evaluatedTo === null) return 'never'
  const age = now - evaluatedTo
  const freshMs = times.paneMs + times.latenessMs + graceMs
  if (age <= freshMs) return 'fresh'
  return age <= Math.max(staleAfterMs, freshMs + staleBehindFreshMs) ? 'late' : 'stale'
}

/** What may still be said of a deployment: nothing late is healthy, nothing stale is watched, and a call to act stays. */
export function attentionNow(attention: Attention, freshness: Freshness): Attention {
  if (attention === 'act-now' || freshness === 'fresh') return attention
  if (freshness === 'late') return attention === 'healthy' ? 'watch' : attention
  return 'not-watched'
}

/** What may still be said of a rule. A breach stays a breach. */
export function verdictNow(verdict: Verdict, freshness: Freshness): Verdict {
  if (verdict === 'breach' || freshness === 'fresh') return verdict
  if (freshness === 'late') return verdict === 'pass' ? 'inconclusive' : verdict
  return 'no-data'
}
