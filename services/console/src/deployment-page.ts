import { say } from '@interlock/policy'
import type { DeploymentPage, DeploymentRow, Shadow } from './api.ts'
import { comparisonOf } from './comparison.ts'
import { warningsOf } from './early-warning.ts'
import { attentionNow, freshnessOf } from './freshness.ts'
import { candidateRows, evaluatedTo, type Projection, timesOf } from './projection.ts'
import { rulesByName, rulesInWords } from './rules-in-words.ts'

/** Decisions and alerts in one page's answer. */
const shownOnPage = 20

/** A deployment's line in the list, as of `now`: what is stale is not watched, whatever its last state said. */
export function rowOf(projection: Projection, now: number): DeploymentRow | null {
  const { state } = projection
  if (state === null) return null
  const to = evaluatedTo(projection)
  const attention = attentionNow(state.attention, freshnessOf(to, now, timesOf(projection)))
  const isOld = attention === 'not-watched' && state.attention !== 'not-watched'
  return {
    deployment: projection.deployment,
    attention,
    sentence: isOld ? say({ kind: 'not-watched', since: to, reason: 'late', stable: null }).text : state.sentence,
    stable: state.view.stable,
    candidate: state.view.candidate,
    share: state.view.share,
    stage: state.view.stage,
    at: new Date(state.at).toISOString(),
    evaluatedTo: to === null ? null : new Date(to).toISOString(),
    warning: isOld ? null : (warningsOf(projection)[0] ?? null),
    exceptions: state.exceptions ?? [],
  }
}

/** All that the page shows, charts aside; null before the governor's first word about the deployment. */
export function pageOf(projection: Projection): DeploymentPage | null {
  const { state, policy, decisions, document } = projection
  if (state === null) return null
  const because = decisions.find(({ out }) => out.id === state.command?.decision)?.out ?? null
  return {
    deployment: projection.deployment,
    environment: document?.environment ?? decisions[0]?.out.environment ?? '',
    owner: document?.owner ?? '',
    onCall: document?.onCall ?? '',
    approver: document?.approver ?? '',
    state,
    policy:
      policy === null ? null : { ...policy, rules: rulesInWords(policy.policy), names: rulesByName(policy.policy) },
    evidence: projection.recent.at(-1)?.out ?? null,
    served: projection.served,
    classes: projection.classes,
    decisions: decisions.slice(0, shownOnPage).map(({ out }) => out),
    decisionsTotal: projection.decisionsTotal,
    alerts: projection.alerts.slice(0, shownOnPage),
    comparison: comparisonOf(projection.recent),
    stageRows: stageRowsOf(projection),
    because,
  }
}

/** What became of a policy on trial. */
export function shadowOf({ state, policy, disagreements }: Projection): Shadow | null {
  if (state === null) return null
  const inForce = policy === null ? null : { policy: policy.hash, name: policy.policy.name }
  return { onTrial: state.shadow ?? null, inForce, disagreements }
}

function stageRowsOf({ stage, recent, state }: Projection): number | null {
  const last = recent.at(-1)?.out
  if (stage === null || stage.rowsBefore === null || last === undefined || state === null) return null
  if (last.generation !== state.view.generation) return 0
  return Math.max(0, candidateRows(last, state.view.candidate) - stage.rowsBefore)
}

/** What an answer about these deployments lacks, a sentence each; empty where it is whole. */
export function missingOf(projections: readonly Projection[], now: number): readonly string[] {
  return projections.map((projection) => lackOf(projection, now)).filter((lack) => lack !== null)
}

function lackOf(projection: Projection, now: number): string | null {
  const { deployment } = projection
  const to = evaluatedTo(projection)
  const coverage = projection.recent.at(-1)?.out.coverage ?? 0
  if (to === null) return `${deployment}: nothing was evaluated yet`
  if (freshnessOf(to, now, timesOf(projection)) !== 'fresh') {
    return `${deployment}: the last evaluation ended ${Math.round((now - to) / 1_000)} s ago`
  }
  return coverage < 1 ? `${deployment}: only ${Math.floor(coverage * 100)} % of the last window was seen` : null
}
