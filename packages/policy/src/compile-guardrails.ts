import type { Action, Guardrail, Reference } from '@interlock/contracts'
import { type Budgets, type Compiled, oneBudgetAnAction, policyBudgets, ruleBudget } from './compile-budgets.ts'
import type { Known } from './known.ts'
import { readRatio } from './measures.ts'
import { shown, suggest } from './problem.ts'
import type { Path } from './read-yaml.ts'
import type { Finding, Report, ReportAt } from './shape-problems.ts'
import {
  amountDetector,
  isSignalKind,
  quantiles,
  readSignal,
  type SignalKind,
  type SignalShape,
  signalKinds,
  signalRule,
} from './signal-name.ts'
import type { GuardrailSource, PolicySource } from './source.ts'

/** Fewest rows before a rule may speak, where it says nothing (statistics: 200 samples). */
export const defaultMinimumSample = 200

/** What a shift against training, or silence, may do by itself: rolling back does not mend data. */
const mildActions: readonly Action[] = ['watch', 'hold', 'halt']

/** The rules with every default filled in. Reports what is wrong and leaves such rules out. */
export function compileGuardrails(
  source: PolicySource,
  known: Known | undefined,
  report: Report,
): readonly Guardrail[] {
  const budgets = policyBudgets(source, report)
  const all = Object.entries(source.guardrails).flatMap(([id, rule]) => compileRule(id, rule, budgets, known, report))
  oneBudgetAnAction(all, report)
  const ids = new Map<string, string>()
  for (const { guardrail, id } of all) {
    const other = ids.get(guardrail.id)
    if (other !== undefined) {
      report({
        path: ['guardrails', id],
        part: 'key',
        code: 'bad-key',
        happened: `guardrails ${shown(other)} and ${shown(id)} both make a rule "${guardrail.id}"`,
        why: 'A decision names its rule.',
        instead: 'Give one of them another name.',
      })
    }
    ids.set(guardrail.id, id)
  }
  return all.map(({ guardrail }) => guardrail)
}

function compileRule(
  id: string,
  rule: GuardrailSource,
  budgets: Budgets,
  known: Known | undefined,
  reportTo: Report,
): readonly Compiled[] {
  const path: Path = ['guardrails', id]
  let sound = true
  const report = (
    key: keyof GuardrailSource,
    code: Finding['code'],
    happened: string,
    why: string,
    instead: string,
  ): void => {
    sound = false
    const at = key in rule ? ({ path: [...path, key] } as const) : ({ path, part: 'key' } as const)
    reportTo({ ...at, code, happened: `guardrail ${shown(id)}: ${happened}`, why, instead })
  }

  const signal = readSignal(rule.signal)
  if (signal === null || !isSignalKind(signal.kind)) {
    const kind = signal?.kind ?? rule.signal
    report(
      'signal',
      'signal',
      `there is no signal ${shown(kind)}`,
      'A rule watches what is counted.',
      suggest(kind, signalKinds, 'Signals'),
    )
    return []
  }
  const kind = signal.kind
  const { shape, of, detectors, wholeOnly } = signalRule(kind)
  checkArguments(kind, of, signal.of, known, (code, happened, why, instead) =>
    report('signal', code, happened, why, instead),
  )

  const detector = detectors[rule.against]
  if (detector === undefined) {
    const there = Object.keys(detectors) as Reference[]
    report(
      'against',
      'against',
      `${kind} is not held against ${rule.against}`,
      againstWhy(kind),
      `Write "against: ${there.join('" or "')}".`,
    )
  }

  const tolerate = ratio(rule, 'tolerate', report)
  const safe = ratio(rule, 'safe', report)
  const absolute = ratio(rule, 'absolute', report)
  const role = rule.role ?? 'guard'
  if (shape !== 'volume' && rule.tolerate === undefined) {
    report(
      'tolerate',
      'tolerance',
      'nothing says what is harmless',
      'Two versions are never quite the same.',
      toleranceHelp(shape),
    )
  }
  if (shape === 'volume' && tolerate !== null && tolerate >= 1) {
    report(
      'tolerate',
      'tolerance',
      `"tolerate" is ${shown(rule.tolerate)}`,
      'It is a part of the usual rows, and to lack all of them is silence.',
      'Write less than 100%, or remove "tolerate" to look for silence alone.',
    )
  }
  if (shape === 'mean' && tolerate !== null && tolerate >= 1) {
    report(
      'tolerate',
      'tolerance',
      `"tolerate" is ${shown(rule.tolerate)}`,
      'It is a part of the range, and no mean moves further than that.',
      toleranceHelp(shape),
    )
  }
  if (shape === 'histogram' && typeof rule.tolerate === 'string') {
    report(
      'tolerate',
      'tolerance',
      `a distribution has no percentage ${shown(rule.tolerate)}`,
      'Its distance is a number from 0 (equal) upwards.',
      toleranceHelp(shape),
    )
  }
  if (role === 'gate' && shape !== 'rate') {
    report(
      'role',
      'role',
      `${kind} cannot be a gate`,
      'That two shapes are equal cannot be shown; a gate needs a rate.',
      'Write "role: guard", and make a rate such as errors the gate.',
    )
  }
  if (role === 'gate' && shape === 'rate' && safe === null) {
    report(
      'role',
      'tolerance',
      'a gate needs "safe"',
      'A gate opens only on proof that the new version is less than so much worse.',
      'Add a limit such as "safe: 50%", above "tolerate".',
    )
  }
  if (role === 'guard' && (rule.safe !== undefined || rule.absolute !== undefined)) {
    const key = rule.safe === undefined ? 'absolute' : 'safe'
    report(
      key,
      'role',
      `"${key}" is for gates, and this is a guard`,
      'A guard never opens anything.',
      `Write "role: gate", or remove "${key}".`,
    )
  }
  if (role === 'gate' && safe !== null && tolerate !== null && safe <= tolerate) {
    report(
      'safe',
      'tolerance',
      '"safe" is not above "tolerate"',
      'Between the two lies what is neither harm nor proof.',
      'Raise "safe" or lower "tolerate".',
    )
  }
  if (absolute !== null && (absolute <= 0 || absolute >= 1)) {
    report(
      'absolute',
      'tolerance',
      `"absolute" is ${shown(rule.absolute)}`,
      'It is a rate between 0% and 100%.',
      'Write a rate such as "absolute: 1%".',
    )
  }

  const action = rule.action.replace(' ', '-') as Action
  if (rule.against !== 'stable' && !mildActions.includes(action)) {
    report(
      'action',
      'action',
      `"${rule.action}" on a comparison with ${rule.against === 'baseline' ? 'training' : 'the past'}`,
      'Such a change may lie in the data and hit every version; going back would not help.',
      'Write "action: hold", and guard against stable for "roll back".',
    )
  }

  if (wholeOnly === true && rule.by !== undefined) {
    report(
      'by',
      'slices',
      `${kind} is counted of all rows only`,
      'Ids are drawn from everything that a version answered.',
      'Remove "by".',
    )
  }

  const budget = ruleBudget(rule, budgets, report)
  const slices = compileSlices(rule, known, report)
  if (!sound || detector === undefined || budget === null) return []
  const names = of === 'nothing' ? [''] : signal.of
  return names.map((name) => ({
    id,
    ownBudget: rule.budget !== undefined,
    guardrail: {
      id: names.length > 1 ? `${id}.${name}` : id,
      signal: name === '' ? kind : `${kind}(${name})`,
      reference: rule.against,
      detector: shape === 'volume' && tolerate !== null ? amountDetector : detector,
      tolerance: { harm: tolerate ?? 0, safe: safe ?? 0, ...(absolute === null ? {} : { absolute }) },
      budget,
      role,
      action,
      protects: rule.protects,
      slices,
      minimumSample: rule.rows ?? (shape === 'volume' ? 0 : defaultMinimumSample),
    },
  }))
}

function checkArguments(
  kind: SignalKind,
  of: ReturnType<typeof signalRule>['of'],
  names: readonly string[],
  known: Known | undefined,
  report: (code: Finding['code'], happened: string, why: string, instead: string) => void,
): void {
  if (of === 'nothing') {
    if (names.length > 0)
      report('signal', `${kind} takes nothing in brackets`, 'It is counted over all rows.', `Write "signal: ${kind}".`)
    return
  }
  const example = of === 'quantile' ? 'p99' : of === 'number' ? 'score' : 'distance'
  if (names.length === 0) {
    report(
      'signal',
      `${kind} does not say of what`,
      'It is counted for one thing at a time.',
      `Write such as "signal: ${kind}(${example})".`,
    )
  }
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) < index)
      report('signal', `${shown(name)} stands twice`, 'One rule for each name is enough.', 'Remove one.')
    if (of === 'quantile') {
      if (!(quantiles as readonly string[]).includes(name)) {
        report(
          'signal',
          `there is no latency limit ${shown(name)}`,
          'The baseline freezes three limits.',
          `Write p50, p90 or p99.`,
        )
      }
      continue
    }
    if (known === undefined || (name === 'latency' && (of === 'feature-or-latency' || of === 'number'))) continue
    if (of === 'number' && name === 'score') continue
    if (!known.features.includes(name)) {
      report(
        'unknown-feature',
        `unknown feature ${shown(name)}`,
        'The model has no such feature.',
        suggest(name, known.features, 'Features'),
      )
    }
  }
}

function ratio(rule: GuardrailSource, key: 'tolerate' | 'safe' | 'absolute', report: ReportAt): number | null {
  const written = rule[key]
  if (written === undefined) return null
  const value = readRatio(written)
  if (value === null)
    report(
      key,
      'tolerance',
      `"${key}" is ${shown(written)}`,
      'It is a share or a number from 0 upwards.',
      'Write such as "20%".',
    )
  return value
}

function compileSlices(rule: GuardrailSource, known: Known | undefined, report: ReportAt): readonly string[] {
  for (const slice of rule.by ?? []) {
    const segment = /^segment:(.+)$/.exec(slice)?.[1]
    if (slice !== 'producer' && segment === undefined) {
      report(
        'by',
        'slices',
        `there is no slice ${shown(slice)}`,
        'Rows are sliced by producer or by segment.',
        `Write "producer" or "segment:${slice}".`,
      )
    } else if (segment !== undefined && known !== undefined && !known.segments.includes(segment)) {
      report(
        'by',
        'unknown-segment',
        `unknown segment ${shown(segment)}`,
        'The deployment counts no such segment.',
        suggest(segment, known.segments, 'Segments'),
      )
    }
  }
  return [...new Set(rule.by ?? [])]
}

function againstWhy(kind: SignalKind): string {
  if (kind === 'predictions')
    return 'A new version answers differently on purpose; it is held against its own training.'
  if (kind === 'mean')
    return 'A new version may differ on purpose; a mean is held against the training of its own version.'
  if (kind === 'volume') return 'Traffic is held against its own past.'
  return 'Hours differ, so a rate is held against the stable version at the same time, or against the training data.'
}

function toleranceHelp(shape: SignalShape): string {
  if (shape === 'mean') return 'Write such as "tolerate: 2%": the part of the range by which the mean may move.'
  return shape === 'rate'
    ? 'Write such as "tolerate: 20%": so much more than what it is held against.'
    : 'Write such as "tolerate: 0.05"; 0 is equal, a change of units is above 0.2.'
}
