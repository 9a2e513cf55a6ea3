import { defaultTimes, type Policy, type PolicyWords, riskClasses, type Stage } from '@interlock/contracts'
import { looserThanClass } from './class-floor.ts'
import { compileGuardrails } from './compile-guardrails.ts'
import { compileBlind, compileExceptions } from './exceptions.ts'
import type { Known } from './known.ts'
import { readDuration, readRatio, writeDuration } from './measures.ts'
import { shown, suggest } from './problem.ts'
import type { Path } from './read-yaml.ts'
import type { Finding, Report } from './shape-problems.ts'
import type { PolicySource, StageSource } from './source.ts'

/** What holds where a policy says nothing (docs/policy-reference.md). */
export const policyDefaults = {
  /** Stretches of missing data that are still taken for a pause: three lateness-and-pane rounds. */
  noDataPanes: 3,
  /** A last stage may stay open so long before it asks a person. */
  lastStageMs: 86_400_000,
  brakes: { rollbacksPerHour: 2, fleetShare: 0.2, fleetWindowMs: 300_000 },
} as const

/**
 * Makes a policy of what was written, every default filled in. `findings` is empty exactly if it may be used.
 *
 * @param now when it is checked, for the ends of exceptions
 */
export function compile(
  source: PolicySource,
  known?: Known,
  now?: number,
): { readonly policy: Policy; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const report = (finding: Finding): void => {
    findings.push(finding)
  }
  const time = (written: string | undefined, fallback: number, path: Path, least = 1): number => {
    if (written === undefined) return fallback
    const ms = readDuration(written)
    if (ms !== null && ms >= least) return ms
    report({
      path,
      code: 'times',
      happened: `${shown(path.at(-1))} is ${shown(written)}`,
      why: 'So short a time cannot be kept.',
      instead: `Write at least "${least}ms".`,
    })
    return fallback
  }
  const paneMs = time(source.times?.pane, defaultTimes.paneMs, ['times', 'pane'], 100)
  const latenessMs = time(source.times?.lateness, defaultTimes.latenessMs, ['times', 'lateness'], 0)
  const stallTimeoutMs = time(source.times?.stall, defaultTimes.stallTimeoutMs, ['times', 'stall'], 1_000)
  const noDataDefault = policyDefaults.noDataPanes * (paneMs + latenessMs)
  const noDataAfterMs = time(source['no-data'], noDataDefault, ['no-data'], 1)
  if (noDataAfterMs < paneMs + latenessMs) {
    report({
      path: ['no-data'],
      code: 'times',
      happened: `"no-data" is shorter than one pane and its lateness (${paneMs + latenessMs} ms)`,
      why: 'A healthy stream would count as silent between two panes.',
      instead: `Write at least "no-data: ${noDataDefault / 1_000}s".`,
    })
  }
  const stages = compileStages(source, time, report)
  const guardrails = compileGuardrails(source, known, report)
  if (!Object.values(source.guardrails).some(({ role }) => role === 'gate')) {
    report({
      path: ['guardrails'],
      part: 'key',
      code: 'gates',
      happened: 'no guardrail is a gate',
      why: 'Without proof of safety only time would promote a new version.',
      instead: 'Make a rate such as errors the gate: "role: gate" with "safe: 50%".',
    })
  }
  const brakes = source.brakes
  const policy: Policy = {
    v: 1,
    name: source.policy,
    riskClass: source.class,
    stages,
    guardrails,
    noDataAfterMs,
    onGuardrailLoss: compileLoss(source, time, report),
    grantMs: time(source.grant, defaultTimes.grantMs, ['grant'], 1_000),
    times: { paneMs, latenessMs, stallTimeoutMs },
    brakes: {
      rollbacksPerHour: brakes?.['rollbacks-an-hour'] ?? policyDefaults.brakes.rollbacksPerHour,
      fleetShare: Math.min(1, readRatio(brakes?.['share-of-fleet'] ?? policyDefaults.brakes.fleetShare) ?? 1),
      fleetWindowMs: time(brakes?.within, policyDefaults.brakes.fleetWindowMs, ['brakes', 'within'], 1_000),
    },
    ...compileWords(source, known, report),
  }
  const exceptions = compileExceptions(source, policy, known, now, report)
  const blind = compileBlind(source, policy, report)
  // What is wrong in itself is told first: its stand-ins would be held against the class.
  if (findings.length === 0) looserThanClass(policy, report)
  const whole = {
    ...policy,
    ...(exceptions.length === 0 ? {} : { exceptions }),
    ...(blind.length === 0 ? {} : { blind }),
  }
  return { policy: whole, findings }
}

type ReadTime = (written: string | undefined, fallback: number, path: Path, least?: number) => number

function compileStages(
  { stages: written, class: riskClass }: PolicySource,
  time: ReadTime,
  report: Report,
): readonly Stage[] {
  const { defaults } = riskClasses[riskClass]
  const names = new Set<string>()
  let highest = -1
  const stages = written.map((stage, index): Stage => {
    const path = ['stages', index]
    const fault = (key: keyof StageSource, happened: string, why: string, instead: string): void =>
      report({
        path: [...path, key],
        code: 'stages',
        happened: `stage ${index + 1}: ${happened}`,
        why,
        instead,
      })
    const shadow = stage.share === 'shadow'
    const share = shadow ? 0 : (readRatio(stage.share) ?? 0)
    const last = index === written.length - 1
    if (share > 1) fault('share', `the share is ${stage.share}`, 'All traffic is 100%.', 'Write at most "100%".')
    else if (!shadow && share === 0)
      fault('share', 'the share is 0%', 'Nobody would be answered by the new version.', 'Write "share: shadow".')
    else if (share <= highest)
      fault(
        'share',
        `${shown(stage.share)} is not above the stage before`,
        'A rollout only ever rises.',
        'Order the stages by share.',
      )
    if (last && share !== 1) {
      fault(
        'share',
        `the last share is ${shown(stage.share)}`,
        'A rollout that never reaches everybody never ends.',
        'Add a last stage "- share: 100%".',
      )
    }
    const least = last ? { rows: 0, minimumMs: 0, maximumMs: policyDefaults.lastStageMs } : defaults
    const minimumMs = time(stage['at-least'], least.minimumMs, [...path, 'at-least'], 0)
    const maximumMs = time(stage['at-most'], Math.max(least.maximumMs, minimumMs + 1), [...path, 'at-most'])
    if (stage['at-most'] !== undefined && maximumMs <= minimumMs) {
      const from = stage['at-least'] === undefined ? ` (by class ${writeDuration(minimumMs)})` : ''
      const happened = `"at-most" is not above "at-least"${from}`
      fault('at-most', happened, 'Nothing could be shown in time.', 'Raise "at-most", or lower "at-least".')
    }
    const name = stage.name ?? (shadow ? 'shadow' : stage.share.replace(/ /g, ''))
    if (names.has(name))
      fault(
        stage.name === undefined ? 'share' : 'name',
        `the name ${shown(name)} stands twice`,
        'Stages are told apart by name.',
        'Give it a "name" of its own.',
      )
    names.add(name)
    highest = Math.max(highest, share)
    return { name, share: Math.min(share, 1), shadow, minimumSample: stage.rows ?? least.rows, minimumMs, maximumMs }
  })
  return stages
}

function compileLoss(source: PolicySource, time: ReadTime, report: Report): Policy['onGuardrailLoss'] {
  const written = source['loss-of-guardrail']
  if (written === undefined) {
    const byClass: Policy['onGuardrailLoss'] | null = riskClasses[source.class].defaults.onGuardrailLoss
    if (byClass !== null) return byClass
    report({
      path: ['class'],
      code: 'loss-of-guardrail',
      happened: `class "${source.class}" without "loss-of-guardrail"`,
      why: 'What happens when nobody watches a critical model is for its author to choose, not for a default.',
      instead: 'Add "loss-of-guardrail: [{ after: 30s, action: hold }, { after: 5m, action: roll back }]".',
    })
    return []
  }
  let before = -1
  return written.map((step, index) => {
    const path = ['loss-of-guardrail', index, 'after']
    const afterMs = time(step.after, 0, path, 0)
    if (afterMs <= before) {
      report({
        path,
        code: 'loss-of-guardrail',
        happened: `loss-of-guardrail: "after: ${step.after}" is not later than the step before`,
        why: 'The steps follow one another.',
        instead: 'Order them by "after".',
      })
    }
    before = afterMs
    return { afterMs, action: step.action.replace(' ', '-') as 'hold' | 'halt' | 'roll-back' }
  })
}

function compileWords(
  source: PolicySource,
  known: Known | undefined,
  report: Report,
): { readonly words?: PolicyWords } {
  if (source.words === undefined) return {}
  const { rows, features = {} } = source.words
  for (const [feature, called] of Object.entries(features)) {
    if (known !== undefined && !known.features.includes(feature)) {
      report({
        path: ['words', 'features', feature],
        part: 'key',
        code: 'unknown-feature',
        happened: `words: unknown feature ${shown(feature)}`,
        why: 'The model has no such feature.',
        instead: suggest(feature, known.features, 'Features'),
      })
    }
    plainWord(called.name, ['words', 'features', feature, 'name'], report)
    if (called.unit !== undefined) plainWord(called.unit, ['words', 'features', feature, 'unit'], report)
  }
  if (rows !== undefined) plainWord(rows, ['words', 'rows'], report)
  const units = Object.entries(features).map(
    ([feature, { name, unit }]) => [feature, unit === undefined ? { name } : { name, unit }] as const,
  )
  return { words: { ...(rows === undefined ? {} : { rows }), features: Object.fromEntries(units) } }
}

/** Most words in a name: sentences of `say` stay below 25 words with it. */
const longestName = 4

function plainWord(text: string, path: Path, report: Report): void {
  if (/^[\p{L}\p{N}][\p{L}\p{N} %/°'’-]*$/u.test(text) && text.split(' ').length <= longestName) return
  report({
    path,
    code: 'wording',
    happened: `${shown(text)} does not fit into a sentence`,
    why: 'It stands in the middle of what people read.',
    instead: `Write at most ${longestName} words of letters and digits, without a full stop.`,
  })
}
