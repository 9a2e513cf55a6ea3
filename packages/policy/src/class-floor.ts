import { type Guardrail, type Policy, type RiskClassRules, riskClasses } from '@interlock/contracts'
import { writeDuration } from './measures.ts'
import type { Path } from './read-yaml.ts'
import { percent } from './say/phrases.ts'
import type { Report } from './shape-problems.ts'

/**
 * Reports where a policy is looser than its class allows (`riskClasses`, docs/policy-reference.md). Exceptions are
 * not looked at: they are loose on purpose, and end.
 */
export function looserThanClass(policy: Policy, report: Report): void {
  const loosest: RiskClassRules['loosest'] = riskClasses[policy.riskClass].loosest
  const fault = (path: Path, happened: string, instead: string, part?: 'key'): void =>
    report({
      path,
      ...(part === undefined ? {} : { part }),
      code: 'class',
      happened: `class "${policy.riskClass}": ${happened}`,
      why: 'A policy may be stricter than its class, never looser.',
      instead,
    })
  stages(policy, loosest, fault)
  budgets(policy, loosest, fault)
  watching(policy, loosest, fault)
  rules(policy, loosest, fault)
}

type Fault = (path: Path, happened: string, instead: string, part?: 'key') => void
type Loosest = RiskClassRules['loosest']

function stages(policy: Policy, loosest: Loosest, fault: Fault): void {
  const first = policy.stages.findIndex(({ shadow }) => !shadow)
  const share = policy.stages[first]?.share ?? 0
  if (loosest.firstShare !== undefined && share > loosest.firstShare) {
    const most = percent(loosest.firstShare).text.replace(' ', '')
    fault(
      ['stages', first, 'share'],
      `the first users are ${percent(share).text} of all`,
      `Begin with a share of at most ${most}.`,
    )
  }
  if (loosest.shadow && policy.stages[0]?.shadow !== true) {
    fault(['stages', 0, 'share'], 'the first stage answers people', 'Begin with a stage "share: shadow".')
  }
  for (const [index, stage] of policy.stages.slice(0, -1).entries()) {
    const { rows = 0, minimumMs = 0 } = loosest
    if (stage.minimumSample < rows) {
      fault(
        ['stages', index, 'rows'],
        `stage "${stage.name}" needs ${stage.minimumSample} rows`,
        `Write "rows: ${rows}" or more.`,
      )
    }
    if (stage.minimumMs < minimumMs) {
      const least = writeDuration(minimumMs)
      fault(
        ['stages', index, 'at-least'],
        `stage "${stage.name}" may end after ${writeDuration(stage.minimumMs)}`,
        `Write "at-least: ${least}" or longer.`,
      )
    }
  }
}

function budgets({ guardrails }: Policy, loosest: Loosest, fault: Fault): void {
  const told = new Set<string>()
  for (const { id, budget } of guardrails) {
    const [kind, size, least] =
      'alpha' in budget
        ? (['rollouts', budget.alpha, loosest.alpha ?? 0] as const)
        : (['watching', budget.falsePerYear, loosest.falsePerYear ?? 0] as const)
    // Both numbers come from words such as "90 days", by other roundings.
    if (size >= least * (1 - 1e-9) || told.has(kind)) continue
    told.add(kind)
    const write =
      kind === 'rollouts'
        ? `1 in ${Math.round(1 / least)} rollouts`
        : `1 false alarm in ${Math.floor(365 / least)} days`
    fault(
      ['budgets', kind],
      `rule "${id}" has so small a budget of false alarms that it acts too late`,
      `Write "${kind}: ${write}", or a larger budget.`,
    )
  }
}

function watching(policy: Policy, loosest: Loosest, fault: Fault): void {
  const none = Number.MAX_SAFE_INTEGER
  const { noDataAfterMs = none, grantMs = none, stoppedAfterMs = none } = loosest
  if (policy.noDataAfterMs > noDataAfterMs) {
    fault(
      ['no-data'],
      `without data for ${writeDuration(policy.noDataAfterMs)} it still counts as watched`,
      `Write "no-data: ${writeDuration(noDataAfterMs)}" or shorter.`,
    )
  }
  if (policy.grantMs > grantMs) {
    fault(
      ['grant'],
      `a new version may go on alone for ${writeDuration(policy.grantMs)}`,
      `Write "grant: ${writeDuration(grantMs)}" or shorter.`,
    )
  }
  const stops = policy.onGuardrailLoss.some(({ action, afterMs }) => action !== 'hold' && afterMs <= stoppedAfterMs)
  if (loosest.stoppedAfterMs !== undefined && !stops) {
    const after = writeDuration(stoppedAfterMs)
    fault(
      ['loss-of-guardrail'],
      `a new version that nobody watches is not stopped within ${after}`,
      `Add a step such as "{ after: ${after}, action: roll back }".`,
    )
  }
}

/** What an errors gate must do in a class that asks for one: a hold leaves the harm where it is. */
const stopping: readonly Guardrail['action'][] = ['halt', 'ramp-down', 'roll-back', 'fall-back']

function rules({ guardrails }: Policy, loosest: Loosest, fault: Fault): void {
  const isErrorsGate = ({ signal, role, action }: Guardrail): boolean =>
    signal === 'errors' && role === 'gate' && stopping.includes(action)
  if (loosest.errorsGate && !guardrails.some(isErrorsGate)) {
    fault(
      ['guardrails'],
      'no gate on errors stops a rollout',
      'Add a rule with "signal: errors", "role: gate" and "action: roll back" or "halt".',
      'key',
    )
  }
  if (loosest.silence && !guardrails.some(({ signal }) => signal === 'volume')) {
    fault(
      ['guardrails'],
      'no rule watches for silence',
      'Add "silence: { signal: volume, against: history, action: hold, protects: … }".',
      'key',
    )
  }
}
