import { nameOfRule, say } from '@interlock/policy'
import { timeToBreach } from '@interlock/statistics'
import type { EarlyWarning } from './api.ts'
import type { Projection } from './projection.ts'

/** Verdicts that are still on this side of the limit. */
const before: readonly string[] = ['pass', 'watch', 'inconclusive']

/** Rules whose evidence has grown since its onset so that the limit is in sight, what may come first first. Reads no clock: times count from the last pane. */
export function warningsOf({ recent, state, policy }: Projection): readonly EarlyWarning[] {
  const last = recent.at(-1)?.out
  if (last === undefined || state === null || policy === null) return []
  const panes = recent.map(({ out }) => out).filter((out) => out.generation === last.generation && out.coverage === 1)
  return last.guardrails
    .flatMap(({ guardrail, version, variant, evidence, limit }): EarlyWarning[] => {
      const verdict = state.verdicts.find((one) => one.guardrail === guardrail && one.version === version)?.verdict
      const rule = policy.policy.guardrails.find(({ id }) => id === guardrail)
      const { since } = evidence
      if (verdict === undefined || !before.includes(verdict) || rule === undefined || since === undefined) return []
      // The pane before the onset is where the drift begins.
      const path = panes
        .filter(({ pane }) => pane >= since.from - last.paneMs)
        .flatMap(({ guardrails }) =>
          guardrails.filter((one) => one.guardrail === guardrail && one.version === version && one.variant === variant),
        )
        .map((one) => one.evidence.logE.harm)
      const time = timeToBreach(path, limit)
      if (time === null) return []
      const ms = (each: number): number => Math.round(each * last.paneMs)
      const times = { inMs: ms(time.estimate), lowMs: ms(time.low), highMs: ms(time.high) }
      const sentence = say({ kind: 'early-warning', rule: nameOfRule(rule, policy.policy), version, ...times }).text
      return [{ guardrail, version, ...times, sentence }]
    })
    .sort((a, b) => a.inMs - b.inMs)
}
