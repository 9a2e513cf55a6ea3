import { type Guardrail, type StateOut, severities, type VersionId } from '@interlock/contracts'
import { say } from '@interlock/policy'
import type { RollbackPlan } from './api.ts'
import type { Projection } from './projection.ts'

/** What a rollback would do now, whether it would help, and what is ready for it. Null where nothing is known yet. */
export function rollbackPlanOf(projection: Projection): RollbackPlan | null {
  const { state } = projection
  if (state === null) return null
  const { stable, candidate, share } = state.view
  const from = candidate ?? stable
  const to = candidate === null ? (projection.previous[0] ?? null) : stable
  return {
    deployment: projection.deployment,
    from,
    to,
    share: candidate === null ? 1 : share,
    help: helpOf(projection, state),
    ready: readyChecks(state),
    undo: 'Not alone: two people can restore the version that leaves, or a new rollout can begin.',
    touches: touchesOf(projection),
    time: timeOf(projection.rollbackMs),
    reason: leadingBreach(state)?.sentence ?? '',
    possible: possibleOf(state, to),
  }
}

function possibleOf({ view }: StateOut, to: VersionId | null): RollbackPlan['possible'] {
  const severity = view.order[2]
  if (severity > severities.rollBack) {
    return { ok: false, sentence: 'No model answers now: the fallback stands. Two people can end it.' }
  }
  if (severity === severities.rollBack) {
    return { ok: false, sentence: `It is rolled back to ${shortOf(view.stable)} already.` }
  }
  if (to === null) {
    return { ok: false, sentence: `There is no earlier version than ${shortOf(view.stable)} to go back to.` }
  }
  return { ok: true, sentence: '' }
}

/** Harm in the candidate alone is cured by a rollback; harm in both versions is not. */
function helpOf({ policy }: Projection, { verdicts, view }: StateOut): RollbackPlan['help'] {
  const { candidate, stable } = view
  const rules = new Map<string, Guardrail>(policy?.policy.guardrails.map((rule) => [rule.id, rule]))
  const breaches = verdicts.filter(({ verdict }) => verdict === 'breach')
  if (candidate === null || stable === null || breaches.length === 0) {
    return { word: 'unknown', sentence: 'No rule is past its limit now, so nothing says whether it would help.' }
  }
  const cause = { kind: 'cause', candidate, stable, since: null, source: null } as const
  // A rule against the stable version sees what is the candidate's own; elsewhere both versions must be looked at.
  const isOwn = breaches.some(({ guardrail }) => rules.get(guardrail)?.reference === 'stable')
  if (isOwn) return { word: 'should', sentence: say({ ...cause, scope: 'candidate' }).text }
  const hit = new Set(breaches.map(({ version }) => version))
  if (hit.has(candidate) && hit.has(stable)) {
    return { word: 'probably-not', sentence: say({ ...cause, scope: 'both' }).text }
  }
  return hit.has(candidate)
    ? {
        word: 'unknown',
        sentence: `${shortOf(candidate)} differs from its training; it is not known whether that is its own.`,
      }
    : { word: 'probably-not', sentence: `What is past its limit is ${shortOf(stable)}, which would take all traffic.` }
}

const engineNames = {
  technical: 'Router, agent and artefacts',
  approvals: 'Approvals',
  observability: 'Data to verify it with',
} as const

/** An engine that is silent is not known to be ready. */
function readyChecks({ engines }: StateOut): RollbackPlan['ready'] {
  return engines.map(({ engine, state, detail }) => ({
    name: engineNames[engine],
    state: state === 'ok' ? 'ok' : state === 'failed' ? 'failed' : 'unknown',
    detail,
  }))
}

function touchesOf({ recent }: Projection): string {
  const last = recent.at(-1)?.out
  const answers = last?.summaries.reduce((sum, { rows, variant }) => sum + (variant === 'shadow' ? 0 : rows), 0) ?? 0
  const traffic =
    last === undefined || answers === 0
      ? 'The traffic is not known now.'
      : `About ${twoDigits((answers * 60_000) / last.paneMs).toLocaleString('en-US')} requests a minute.`
  return `${traffic} It does not undo answers that were given, caches or feature tables.`
}

function timeOf(times: readonly number[]): string {
  if (times.length === 0) return 'Not measured yet: none was verified here before.'
  const seconds = times.map((ms) => Math.round(ms / 1_000)).sort((a, b) => a - b)
  const middle = seconds[Math.floor(seconds.length / 2)]
  return times.length === 1
    ? `About ${middle} s, as the last one took.`
    : `About ${middle} s (the last ${times.length}: ${seconds[0]} to ${seconds.at(-1)} s).`
}

function leadingBreach({ verdicts }: StateOut): StateOut['verdicts'][number] | undefined {
  return verdicts.find(({ verdict, sentence }) => verdict === 'breach' && sentence !== '')
}

function twoDigits(value: number): number {
  let ten = 1
  while (value / ten >= 100) ten *= 10
  return Math.round(value / ten) * ten
}

function shortOf(version: VersionId | null): string {
  return version === null ? 'nothing' : `${version.slice(version.indexOf('@') + 1)}`
}
