import {
  type Action,
  canonicalJson,
  type Guardrail,
  type Policy,
  type PolicyException,
  riskClassOrder,
  type Stage,
} from '@interlock/contracts'
import { nameOfRow } from './rule-name.ts'
import { count, day, duration, percent, twoDigits, withStop } from './say/phrases.ts'

/** What a change does to those whom the policy protects. `other`: neither, or not to be told from the policy alone. */
export type Direction = 'looser' | 'stricter' | 'other'

export interface PolicyChange {
  readonly direction: Direction
  /** Place in the policy, such as `guardrails.failures.tolerance.harm`. */
  readonly path: string
  /** The change in words. */
  readonly sentence: string
}

/**
 * What becomes looser or stricter from one policy to the next, in words, in the order of the policy. Looser is whatever lets
 * more harm pass, or lets it pass for longer, or lets a new version go on with less proof. Complete: two policies
 * without a change are equal but for names and words.
 */
export function diff(before: Policy, after: Policy): readonly PolicyChange[] {
  return [
    ...general(before, after),
    ...stages(before, after),
    ...guardrails(before, after),
    ...watch(before, after),
    ...exceptions(before, after),
    ...blind(before, after),
  ]
}

type Side = 'more is looser' | 'more is stricter'

/** A number that changed: its words, and what more of it means. */
function number(
  path: string,
  what: string,
  [from, to]: readonly [number | undefined, number | undefined],
  write: (value: number) => string,
  side: Side,
): readonly PolicyChange[] {
  if (from === to) return []
  const word = (value: number | undefined): string => (value === undefined ? 'none' : write(value))
  // A bound that is not there bounds nothing.
  const [a, b] = [from ?? Number.POSITIVE_INFINITY, to ?? Number.POSITIVE_INFINITY]
  const isMore = b > a
  const direction = isMore === (side === 'more is looser') ? 'looser' : 'stricter'
  return [{ direction, path, sentence: `${what}: ${word(to)} instead of ${word(from)}.` }]
}

const milliseconds = (value: number): string => duration(value).text
const share = (value: number): string => percent(value).text
const whole = (value: number): string => count(value).text
const plain = (value: number): string => twoDigits(value)

function general(before: Policy, after: Policy): readonly PolicyChange[] {
  if (before.riskClass === after.riskClass) return []
  const direction =
    riskClassOrder.indexOf(after.riskClass) < riskClassOrder.indexOf(before.riskClass) ? 'looser' : 'stricter'
  const sentence = `The risk class is ${after.riskClass} instead of ${before.riskClass}.`
  return [{ direction, path: 'riskClass', sentence }]
}

function stages(before: Policy, after: Policy): readonly PolicyChange[] {
  const names = [...new Set([...before.stages, ...after.stages].map(({ name }) => name))]
  const order = ({ stages }: Policy): string =>
    stages.flatMap(({ name }) => (names.every((one) => has(before, one) && has(after, one)) ? [name] : [])).join(' ')
  const moved: readonly PolicyChange[] =
    order(before) === order(after)
      ? []
      : [{ direction: 'other', path: 'stages', sentence: 'The stages stand in another order.' }]
  return [...moved, ...names.flatMap((name) => stage(name, before, after))]
}

const has = ({ stages }: Policy, name: string): boolean => stages.some((one) => one.name === name)

function stage(name: string, before: Policy, after: Policy): readonly PolicyChange[] {
  const path = `stages.${name}`
  const old = before.stages.find((one) => one.name === name)
  const now = after.stages.find((one) => one.name === name)
  if (old === undefined) return [{ direction: 'stricter', path, sentence: `There is a new stage "${name}".` }]
  if (now === undefined) return [{ direction: 'looser', path, sentence: `The stage "${name}" is gone.` }]
  const rows = nameOfRow(after)
  const at = (what: string): string => `Stage "${name}", ${what}`
  return [
    ...number(`${path}.share`, at('share of the traffic'), both(old, now, 'share'), share, 'more is looser'),
    ...(old.shadow === now.shadow
      ? []
      : [
          {
            direction: now.shadow ? ('stricter' as const) : ('looser' as const),
            path: `${path}.shadow`,
            sentence: `Stage "${name}" ${now.shadow ? 'sees a copy of the traffic and answers nobody' : 'answers the traffic instead of a copy'}.`,
          },
        ]),
    ...number(
      `${path}.minimumSample`,
      at(`${rows} that it needs`),
      both(old, now, 'minimumSample'),
      whole,
      'more is stricter',
    ),
    ...number(
      `${path}.minimumMs`,
      at('time that it stays'),
      both(old, now, 'minimumMs'),
      milliseconds,
      'more is stricter',
    ),
    ...number(
      `${path}.maximumMs`,
      at('time until it waits for a person'),
      both(old, now, 'maximumMs'),
      milliseconds,
      'more is looser',
    ),
  ]
}

function both<Key extends keyof Stage>(old: Stage, now: Stage, key: Key): readonly [Stage[Key], Stage[Key]] {
  return [old[key], now[key]]
}

function guardrails(before: Policy, after: Policy): readonly PolicyChange[] {
  const ids = [...new Set([...before.guardrails, ...after.guardrails].map(({ id }) => id))]
  return ids.flatMap((id) => {
    const old = before.guardrails.find((one) => one.id === id)
    const now = after.guardrails.find((one) => one.id === id)
    const path = `guardrails.${id}`
    if (old === undefined) return [{ direction: 'stricter', path, sentence: `There is a new rule "${id}".` } as const]
    if (now === undefined) return [{ direction: 'looser', path, sentence: `The rule "${id}" is gone.` } as const]
    return guardrail(path, old, now, nameOfRow(after))
  })
}

/** From the mildest to the most severe. */
const actions: readonly Action[] = ['watch', 'hold', 'halt', 'ramp-down', 'roll-back', 'fall-back']

function guardrail(path: string, old: Guardrail, now: Guardrail, rows: string): readonly PolicyChange[] {
  const rule = (what: string): string => `Rule "${now.id}", ${what}`
  const named = (key: 'signal' | 'reference' | 'detector' | 'protects', what: string): readonly PolicyChange[] =>
    old[key] === now[key]
      ? []
      : [
          {
            direction: 'other',
            path: `${path}.${key}`,
            sentence: `${rule(what)}: "${now[key]}" instead of "${old[key]}".`,
          },
        ]
  const { tolerance: was } = old
  const { tolerance: is } = now
  const isDistance = now.detector === 'dirichlet-two-sample' || now.detector === 'dirichlet-baseline'
  return [
    ...named('signal', 'what it looks at'),
    ...named('reference', 'what it is held against'),
    ...named('detector', 'its method'),
    ...named('protects', 'whom it protects'),
    ...number(
      `${path}.tolerance.harm`,
      rule('what is tolerated'),
      [was.harm, is.harm],
      isDistance ? plain : share,
      'more is looser',
    ),
    ...(now.role === 'gate' && old.role === 'gate'
      ? number(`${path}.tolerance.safe`, rule('what opens the gate'), [was.safe, is.safe], share, 'more is looser')
      : []),
    ...absolute(path, rule('rate that opens the gate in any case'), was.absolute, is.absolute),
    ...budget(path, now.id, old.budget, now.budget),
    ...ranked(`${path}.action`, rule('what it does'), actions, old.action, now.action),
    ...ranked(`${path}.role`, rule('its role'), ['guard', 'gate'], old.role, now.role),
    ...slices(path, old, now),
    ...number(
      `${path}.minimumSample`,
      rule(`${rows} that it needs to speak`),
      [old.minimumSample, now.minimumSample],
      whole,
      'more is looser',
    ),
  ]
}

/** A rate that opens a gate whatever the reference: without one the gate is harder to open. */
function absolute(
  path: string,
  what: string,
  from: number | undefined,
  to: number | undefined,
): readonly PolicyChange[] {
  const write = (value: number): string => (value === 0 ? 'none' : share(value))
  return number(`${path}.tolerance.absolute`, what, [from ?? 0, to ?? 0], write, 'more is looser')
}

/** The more false alarms a budget allows, the sooner its rules act. */
function budget(path: string, id: string, from: Guardrail['budget'], to: Guardrail['budget']): readonly PolicyChange[] {
  if (canonicalJson(from) === canonicalJson(to)) return []
  const write = (one: Guardrail['budget']): string =>
    'alpha' in one
      ? `1 false alarm in ${whole(1 / one.alpha)} rollouts`
      : `${plain(one.falsePerYear)} false alarms a year`
  const size = (one: Guardrail['budget']): number => ('alpha' in one ? one.alpha : one.falsePerYear)
  const isAlike = 'alpha' in from === 'alpha' in to
  const direction = !isAlike ? 'other' : size(to) > size(from) ? 'stricter' : 'looser'
  const effect = !isAlike ? '' : size(to) > size(from) ? ' It acts sooner.' : ' It acts later.'
  const sentence = `Rule "${id}", budget: ${write(to)} instead of ${write(from)}.${effect}`
  return [{ direction, path: `${path}.budget`, sentence }]
}

function ranked<Value extends string>(
  path: string,
  what: string,
  mildestFirst: readonly Value[],
  from: Value,
  to: Value,
): readonly PolicyChange[] {
  if (from === to) return []
  const direction = mildestFirst.indexOf(to) < mildestFirst.indexOf(from) ? 'looser' : 'stricter'
  return [{ direction, path, sentence: `${what}: ${to.replace('-', ' ')} instead of ${from.replace('-', ' ')}.` }]
}

function slices(path: string, old: Guardrail, now: Guardrail): readonly PolicyChange[] {
  const name = (slice: string): string => slice.replace(/^segment:/, '')
  const change = (slice: string, direction: Direction, sentence: string): PolicyChange => ({
    direction,
    path: `${path}.slices.${name(slice)}`,
    sentence: `Rule "${now.id}" ${sentence} each ${name(slice)}.`,
  })
  return [
    ...now.slices.filter((one) => !old.slices.includes(one)).map((one) => change(one, 'stricter', 'looks into')),
    ...old.slices
      .filter((one) => !now.slices.includes(one))
      .map((one) => change(one, 'looser', 'no longer looks into')),
  ]
}

/** What an agent does alone, from the mildest to the most severe. */
const lossActions: readonly Policy['onGuardrailLoss'][number]['action'][] = ['hold', 'roll-back', 'halt']

function watch(before: Policy, after: Policy): readonly PolicyChange[] {
  const { times: was, brakes: held } = before
  const { times: is, brakes: holds } = after
  const time = (path: string, what: string, values: readonly [number, number]): readonly PolicyChange[] =>
    number(path, what, values, milliseconds, 'more is looser')
  return [
    ...time('noDataAfterMs', 'Time without data until it counts as not watched', [
      before.noDataAfterMs,
      after.noDataAfterMs,
    ]),
    ...time('grantMs', 'Time that a new version may go on without a sign of life from the watch', [
      before.grantMs,
      after.grantMs,
    ]),
    ...lossActions.flatMap((action) =>
      number(
        `onGuardrailLoss.${action}`,
        `Time until a new version that is alone ${lossWords[action]}`,
        [lossAfter(before, action), lossAfter(after, action)],
        milliseconds,
        'more is looser',
      ),
    ),
    ...time('times.paneMs', 'Length of a pane', [was.paneMs, is.paneMs]),
    ...time('times.latenessMs', 'Time that late rows are waited for', [was.latenessMs, is.latenessMs]),
    ...time('times.stallTimeoutMs', 'Time that a silent part of the watch is waited for', [
      was.stallTimeoutMs,
      is.stallTimeoutMs,
    ]),
    // More rollbacks by the machine alone protect users and strain people: neither side is the loose one.
    ...aside(
      number(
        'brakes.rollbacksPerHour',
        'Rollbacks in an hour before a person is asked',
        [held.rollbacksPerHour, holds.rollbacksPerHour],
        whole,
        'more is looser',
      ),
    ),
    ...aside(
      number(
        'brakes.fleetShare',
        'Part of all models whose rollback makes our own data suspect',
        [held.fleetShare, holds.fleetShare],
        share,
        'more is looser',
      ),
    ),
    ...aside(
      number(
        'brakes.fleetWindowMs',
        'Time in which they are counted',
        [held.fleetWindowMs, holds.fleetWindowMs],
        milliseconds,
        'more is looser',
      ),
    ),
  ]
}

const lossWords = { hold: 'holds', halt: 'is stopped', 'roll-back': 'is rolled back' } as const

function lossAfter(
  { onGuardrailLoss }: Policy,
  action: Policy['onGuardrailLoss'][number]['action'],
): number | undefined {
  return onGuardrailLoss.find((step) => step.action === action)?.afterMs
}

function aside(changes: readonly PolicyChange[]): readonly PolicyChange[] {
  return changes.map((change) => ({ ...change, direction: 'other' }))
}

/** An exception is told by the rule, its end and what it makes looser; another reason alone is another exception. */
function exceptions({ exceptions: old = [] }: Policy, { exceptions: now = [] }: Policy): readonly PolicyChange[] {
  const isIn = (list: readonly PolicyException[], one: PolicyException): boolean =>
    list.some((other) => canonicalJson(other) === canonicalJson(one))
  const change = (one: PolicyException, direction: Direction, what: string): PolicyChange => ({
    direction,
    path: `exceptions.${one.looser.id}`,
    sentence: `Rule "${one.looser.id}" ${what} looser until ${day(one.until).text}: ${withStop(one.reason)}`,
  })
  return [
    ...now.filter((one) => !isIn(old, one)).map((one) => change(one, 'looser', 'is')),
    ...old.filter((one) => !isIn(now, one)).map((one) => change(one, 'stricter', 'is no longer')),
  ]
}

function blind({ blind: old = [] }: Policy, { blind: now = [] }: Policy): readonly PolicyChange[] {
  const names = [...new Set([...old, ...now].map(({ guardrail }) => guardrail))]
  return names.flatMap((name): readonly PolicyChange[] => {
    const was = old.find(({ guardrail }) => guardrail === name)
    const is = now.find(({ guardrail }) => guardrail === name)
    const path = `blind.${name}`
    if (was !== undefined && is !== undefined) {
      const sentence = `Rule "${name}" may be blind for another reason: ${withStop(is.reason)}`
      return was.reason === is.reason ? [] : [{ direction: 'other', path, sentence }]
    }
    return is === undefined
      ? [{ direction: 'stricter', path, sentence: `Rule "${name}" must see its own tolerance.` }]
      : [{ direction: 'looser', path, sentence: `Rule "${name}" may be blind in a stage: ${withStop(is.reason)}` }]
  })
}
