import { type Action, canonicalJson, type Guardrail, type Policy, type Stage } from '@interlock/contracts'
import { nameOfFeature, nameOfRow } from './rule-name.ts'
import { capital, count, day, duration, percent, twoDigits, withStop } from './say/phrases.ts'
import { amountDetector, readSignal } from './signal-name.ts'

/**
 * A policy in plain sentences, for those who approve it: how a new version takes over, what stops it and whom that
 * protects, how often the rules may be wrong, and what happens when nobody watches. Deterministic; nothing of the policy
 * is left out but the rhythm of counting.
 */
export function explain(policy: Policy): string {
  return [
    ...opening(policy),
    '',
    'How a new version takes over',
    ...policy.stages.map((stage, index) => `${index + 1}. ${stageSentences(stage, policy)}`),
    'It moves on only when every gate is open, no limit is passed and nobody holds it. Time alone never moves it on.',
    '',
    'What stops it, and whom that protects',
    ...protection(policy),
    ...shapeNote(policy),
    '',
    'How often the rules may be wrong',
    ...budgets(policy),
    '',
    'When nobody watches',
    ...unwatched(policy),
    ...exceptions(policy),
    ...blind(policy),
    '',
  ].join('\n')
}

function opening({ name, riskClass, layers = [] }: Policy): readonly string[] {
  const harm = { low: 'little', medium: 'some', high: 'great', critical: 'the greatest' }[riskClass]
  return [
    `These are the rules for "${name}". A wrong answer can do ${harm} harm (class ${riskClass}).`,
    ...(layers.length === 0
      ? []
      : [
          `It must be as strict as ${layers.map((layer) => `"${layer.name}"`).join(' and ')}. Their rules hold here too.`,
        ]),
  ]
}

function stageSentences(stage: Stage, policy: Policy): string {
  const who = stage.shadow
    ? 'It sees a copy of the traffic and answers nobody.'
    : stage.share === 1
      ? 'It answers everybody.'
      : `It answers ${percent(stage.share).text} of the traffic.`
  const least = [
    stage.minimumMs > 0 ? duration(stage.minimumMs).text : '',
    stage.minimumSample > 0 ? `${count(stage.minimumSample).text} ${nameOfRow(policy)}` : '',
  ].filter((text) => text !== '')
  const stay = least.length === 0 ? '' : ` It stays for at least ${least.join(' and ')}.`
  return `${capital(stage.name)}: ${lowerFirst(who)}${stay} If it is not shown to be safe within ${duration(stage.maximumMs).text}, it waits for a person.`
}

/** Rules under what they protect, in the order in which it is named first. */
function protection(policy: Policy): readonly string[] {
  const groups = new Map<string, Guardrail[]>()
  for (const guardrail of policy.guardrails) {
    const group = groups.get(guardrail.protects) ?? []
    group.push(guardrail)
    groups.set(guardrail.protects, group)
  }
  return [...groups].flatMap(([protects, guardrails]) => [
    `For ${protects}:`,
    ...alike(guardrails, policy).map((rules) => `- ${ruleSentences(rules, policy)}`),
  ])
}

/** Rules that one entry of the source made differ in nothing but what they look at, and are told as one. */
function alike(guardrails: readonly Guardrail[], policy: Policy): readonly (readonly Guardrail[])[] {
  const groups = new Map<string, Guardrail[]>()
  for (const guardrail of guardrails) {
    const { id, signal, ...same } = guardrail
    const key = canonicalJson([groupName(guardrail), originOf(id, policy), signal.replace(/\(.*/, ''), same])
    const group = groups.get(key) ?? []
    group.push(guardrail)
    groups.set(key, group)
  }
  return [...groups.values()]
}

/** The layer that a rule came from; null for the policy's own. */
function originOf(id: string, { layers = [] }: Policy): string | null {
  return layers.find(({ guardrails }) => guardrails.includes(id))?.name ?? null
}

/** `inputs.distance` belongs to "inputs": names of entries hold no dot. */
function groupName({ id }: Guardrail): string {
  return id.split('.')[0]!
}

function ruleSentences(rules: readonly Guardrail[], policy: Policy): string {
  const guardrail = rules[0]!
  const of = rules.map(({ signal }) => readSignal(signal)?.of[0] ?? '')
  const sentences = [`If ${condition(guardrail, of, policy)}, ${actionWords[guardrail.action]}.`]
  if (guardrail.role === 'gate') sentences.push(gateSentence(guardrail))
  if (guardrail.slices.length > 0) {
    const slices = guardrail.slices.map((slice) => slice.replace(/^segment:/, ''))
    sentences.push(`Each ${slices.join(' and each ')} is looked at too.`)
  }
  if (guardrail.minimumSample > 0) {
    sentences.push(`It needs ${count(guardrail.minimumSample).text} ${nameOfRow(policy)} to speak.`)
  }
  const origin = originOf(guardrail.id, policy)
  if (origin !== null) sentences.push(`This rule is from "${origin}".`)
  return `${groupName(guardrail)}: ${sentences.join(' ')}`
}

function condition(guardrail: Guardrail, of: readonly string[], policy: Policy): string {
  const { kind } = readSignal(guardrail.signal) ?? { kind: guardrail.signal }
  const { harm } = guardrail.tolerance
  const feature = either(of.map((name) => nameOfFeature(name, policy)))
  const isTraining = guardrail.reference === 'baseline'
  const than = isTraining ? 'than in training' : 'than the old one'
  const more = harm === 0 ? `more often ${than}` : `over ${percent(harm).text} more often ${than}`
  const who = isTraining ? 'a version' : 'the new version'
  const apart = `by more than ${twoDigits(harm)}`
  switch (kind) {
    case 'errors':
      return `the new version fails ${more}`
    case 'duplicates':
      return `the new version gets ${nameOfRow(policy)} twice ${more}`
    case 'missing':
      return `${who} misses ${feature} ${more}`
    case 'unseen':
      return `${who} meets new values of ${feature} ${more}`
    case 'invalid':
      return `${who} gets broken values of ${feature} ${more}`
    case 'latency-over':
      return `${who} is as slow as the slowest ${either(of.map((name) => slowest[name] ?? name))} of training ${more}`
    case 'predictions':
      return `the answers of a version differ from those in its training ${apart}`
    case 'mean':
      return `the mean of ${either(of.map((name) => meanName(name, policy)))} is off its training by over ${percent(harm).text} of its range`
    case 'volume':
      if (guardrail.detector === amountDetector)
        return `all versions together get over ${percent(harm).text} more or fewer ${nameOfRow(policy)} than is usual`
      return `a version gets no ${nameOfRow(policy)} for longer than is usual`
    default:
      return guardrail.reference === 'stable'
        ? `${feature} in the new version differs from the old one ${apart}`
        : `${feature} differs from the training data ${apart}`
  }
}

function meanName(name: string, policy: Policy): string {
  return name === 'score' ? 'the scores' : nameOfFeature(name, policy)
}

/** "a", "a or b", "a, b or c". */
function either(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

/** Limits of latency by quantile: what part of healthy answers is as slow. */
const slowest: Readonly<Record<string, string>> = { p50: 'half', p90: '1 in 10', p99: '1 in 100' }

const actionWords: Readonly<Record<Action, string>> = {
  watch: 'people are told',
  hold: 'no version gets more traffic until it is clear',
  halt: 'the rollout is stopped until two people start it again',
  'ramp-down': 'it is led back step by step',
  'roll-back': 'the old version takes all traffic back at once',
  'fall-back': 'no model answers, and a simple rule does',
}

function gateSentence({ reference, tolerance: { safe, absolute } }: Guardrail): string {
  const than = reference === 'baseline' ? 'than in training' : 'than the old one'
  const worse = `less than ${percent(safe).text} worse ${than}`
  return absolute === undefined
    ? `This is a gate: it must first be shown to be ${worse}.`
    : `This is a gate: it must first be shown to be ${worse}, or below ${percent(absolute).text} in any case.`
}

function shapeNote(policy: Policy): readonly string[] {
  if (!policy.guardrails.some(({ detector }) => detector.startsWith('dirichlet'))) return []
  return [
    'How far two shapes are apart is a number: 0 is equal, and 0.2 is about what miles taken for kilometres make.',
  ]
}

function budgets({ guardrails }: Policy): readonly string[] {
  const told = new Map<string, string>()
  for (const { action, budget } of guardrails) {
    const [kind, how] =
      'alpha' in budget
        ? ['rollouts', `at most 1 in ${count(1 / budget.alpha).text} healthy rollouts`]
        : ['time', `at most ${rhythm(budget.falsePerYear)}`]
    told.set(
      `${action} ${kind}`,
      `- Rules that ${actionNames[action]}${kind === 'time' ? ' on healthy data' : ''}: all of them together, ${how}.`,
    )
  }
  return [...told.values()]
}

const actionNames: Readonly<Record<Action, string>> = {
  watch: 'tell people',
  hold: 'hold',
  halt: 'stop a rollout',
  'ramp-down': 'lead back',
  'roll-back': 'roll back',
  'fall-back': 'fall back',
}

/** Budgets below one a year are told in years, others in days. */
function rhythm(falsePerYear: number): string {
  if (falsePerYear < 1) return `one false alarm in ${twoDigits(1 / falsePerYear)} years`
  return falsePerYear === 1 ? 'one false alarm in a year' : `one false alarm in ${twoDigits(365 / falsePerYear)} days`
}

function unwatched(policy: Policy): readonly string[] {
  const { rollbacksPerHour, fleetShare, fleetWindowMs } = policy.brakes
  const lost = policy.onGuardrailLoss.map(
    ({ afterMs, action }) => `after ${duration(afterMs).text} it ${lossWords[action]}`,
  )
  return [
    `- Without data for ${duration(policy.noDataAfterMs).text} it counts as not watched, and no version gets more traffic.`,
    `- A new version may go on for ${duration(policy.grantMs).text} without a sign of life from the watch. Then it is alone: ${lost.join(', and ')}.`,
    `- After ${rollbacksPerHour} ${rollbacksPerHour === 1 ? 'rollback' : 'rollbacks'} in an hour the machine holds and asks a person.`,
    `- If over ${percent(fleetShare).text} of all models want to roll back within ${duration(fleetWindowMs).text}, our own data is suspected: no version gets more traffic.`,
  ]
}

const lossWords = {
  hold: 'stays where it is',
  halt: 'is stopped',
  'roll-back': 'gives all traffic back to the old version',
} as const

/** What is looser for a time, in the words of the rule as it is meanwhile. */
function exceptions(policy: Policy): readonly string[] {
  const { exceptions: all = [] } = policy
  if (all.length === 0) return []
  return [
    '',
    'What is looser for a time',
    ...all.map(({ until, reason, looser }) => {
      const rule = ruleSentences([looser], policy)
      return `- Until ${day(until).text}, ${rule} From that day on the strict rule holds again. The reason: ${withStop(reason)}`
    }),
  ]
}

/** Exceptions that hold at a moment, a sentence each: for those who look at the deployment. */
export function standingExceptions({ exceptions: all = [] }: Policy, at: number): readonly string[] {
  return all
    .filter(({ until }) => at < until)
    .map(({ until, reason, looser }) => `Rule "${looser.id}" is looser until ${day(until).text}: ${withStop(reason)}`)
}

function blind({ blind: all = [] }: Policy): readonly string[] {
  if (all.length === 0) return []
  return [
    '',
    'What may see nothing',
    'These rules need not see harm in each stage. The other rules must do without them.',
    ...all.map(({ guardrail, reason }) => `- ${guardrail}: ${withStop(reason)}`),
  ]
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
