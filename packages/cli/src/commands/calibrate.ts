import { writeFileSync } from 'node:fs'
import { BaselineProblem } from '@interlock/columns'
import { type Action, type BaselineDocument, contentHash, type Policy } from '@interlock/contracts'
import { seededRandom } from '@interlock/runtime'
import { readBatches, type TableColumns } from '../baseline/read-batches.ts'
import { type Calibration, calibrate, dayMs, type Watched } from '../calibration/calibrate.ts'
import { yearly, yearsNeeded } from '../calibration/false-actions.ts'
import type { ToleranceFound } from '../calibration/tolerances.ts'
import { readDocument } from '../documents.ts'
import { exitCodes, Refused, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { count } from '../words.ts'
import { soundPolicy } from './policy.ts'

export interface CalibrateOptions extends Omit<TableColumns, 'from' | 'numeric' | 'categorical' | 'window' | 'time'> {
  readonly baseline: string
  readonly history: string
  readonly time: string
  readonly utcOffset: number
  /** Seconds; default: the policy's. */
  readonly pane?: number
  /** Years drawn from the history in blocks; 0: none. */
  readonly bootstrap: number
  readonly seed: number
  readonly write?: string
}

/** Part of healthy time that an action may last: one hold that never ends is one, and worth a failure all the same. */
const mostPart = 0.25

/**
 * `interlock baseline calibrate <policy>`: what the rules that watch without end do on history known to be healthy, and what
 * that history says of dispersion and tolerances. Exit 1 when an action came more often than its budget says, or
 * lasted.
 */
export async function baselineCalibrate(file: string, options: CalibrateOptions, out: Output): Promise<number> {
  const policy = soundPolicy(file)
  const { document: baseline } = readDocument(options.baseline, 'baseline')
  const paneMs = options.pane === undefined ? policy.times.paneMs : options.pane * 1_000
  if (dayMs % paneMs !== 0)
    throw new UsageError(`--pane ${options.pane}: days are the blocks, so a day must be a whole number of panes`)
  const features = (kind: 'numeric' | 'categorical'): readonly string[] =>
    baseline.spec.features.filter((feature) => feature.kind === kind).map(({ name }) => name)
  const batches = await readBatches({
    ...options,
    from: options.history,
    numeric: features('numeric'),
    categorical: features('categorical'),
  })
  try {
    const found = calibrate({
      policy,
      baseline,
      batches,
      paneMs,
      utcOffsetMinutes: options.utcOffset,
      bootstrapMs: options.bootstrap * 365 * dayMs,
      random: seededRandom(options.seed),
    })
    if ('refused' in found) throw new Refused(`${options.history}: ${found.refused}`)
    if (options.write !== undefined) writeFileSync(options.write, `${JSON.stringify(found.baseline)}\n`)
    const { baseline: made, ...rest } = found
    const actions = ratesOf(found.seen, policy)
    const text = [
      `${options.history}: ${count(found.rows)} rows in ${days(found.seen.ms)} days, ${count(found.seen.panes)} panes of ${paneMs / 1000} s`,
      '',
      ...actionLines('False actions on the history', found.seen, policy),
      ...(found.drawn === null ? [] : ['', ...drawnLines(found.drawn)]),
      `Rules against stable keep their budget of rollouts by proof and are not measured here.`,
      '',
      'The nearest to a limit (100 % is a breach, 50 % is shown as "watch")',
      ...found.seen.nearest.map((one) => `  ${one.guardrail}: ${Math.round(100 * one.progress)} % on ${day(one.at)}`),
      '',
      `Tolerances: the largest healthy effect of a day or an hour, with the upper end of its 95 % interval`,
      ...found.tolerances.map(toleranceLine),
      '',
      'Design effects (healthy days, or hours, against each other; 1 is independent rows)',
      ...dispersionLines(made, baseline),
      ...(options.write === undefined ? [] : ['', `${options.write}: baseline ${contentHash(made)}`]),
    ].join('\n')
    out.result(
      {
        ...rest,
        actions,
        phi: made.phi,
        ...(options.write === undefined ? {} : { file: options.write, hash: contentHash(made) }),
      },
      text,
    )
    return actions.some(({ perYear, budget }) => perYear > budget) ||
      found.seen.actions.some(({ part }) => part > mostPart)
      ? exitCodes.breachOrRefused
      : exitCodes.good
  } catch (error) {
    if (error instanceof BaselineProblem) throw new Refused(`${options.history}: ${error.message}`)
    throw error
  }
}

/** False actions of one kind a year, with the bound that the time supports, beside the policy's budget. */
interface Rate {
  readonly action: Action
  readonly count: number
  readonly perYear: number
  readonly atMost: number
  readonly budget: number
}

function ratesOf({ ms, actions }: Watched, policy: Policy): readonly Rate[] {
  return actions.map(({ action, count: seen }) => {
    const { mean, atMost } = yearly(seen, ms)
    return { action, count: seen, perYear: mean, atMost, budget: budgetOf(policy, action) }
  })
}

function budgetOf({ guardrails }: Policy, action: Action): number {
  const budgets = guardrails.flatMap((one) =>
    'falsePerYear' in one.budget && one.action === action ? [one.budget.falsePerYear] : [],
  )
  return Math.max(0, ...budgets)
}

function actionLines(title: string, watched: Watched, policy: Policy): readonly string[] {
  const rates = ratesOf(watched, policy)
  const all = yearly(
    rates.reduce((sum, { count: seen }) => sum + seen, 0),
    watched.ms,
  )
  const when = (action: Action): string => {
    const at = watched.actions.find((one) => one.action === action)?.at ?? []
    const part = watched.actions.find((one) => one.action === action)?.part ?? 0
    return at.length === 0
      ? ''
      : `; it lasted ${short(100 * part)} % of the time, from ${at.slice(0, 5).map(day).join(', ')}${at.length > 5 ? ', …' : ''}`
  }
  return [
    title,
    ...rates.map(
      ({ action, count: seen, perYear, atMost, budget }) =>
        `  ${action}: ${seen} in ${days(watched.ms)} days, ${short(perYear)} a year, at most ${short(atMost)} (95 %); the budget is ${short(budget)}, which takes ${short(yearsNeeded(budget))} years without one to show${when(action)}`,
    ),
    `  in all: ${short(all.mean)} a year, at most ${short(all.atMost)}; at most 1 a year takes ${short(yearsNeeded(1))} years without one`,
  ]
}

/** What is drawn from the same days again is no new evidence: it has a mean, and no bound. */
function drawnLines({ ms, blockMs, actions }: NonNullable<Calibration['drawn']>): readonly string[] {
  return [
    `Drawn with replacement from the same history in ${days(blockMs)}-day blocks (no new evidence, so no bound)`,
    ...actions.map(({ action, count: seen, part }) => {
      const lasted = seen === 0 ? '' : `, ${short(100 * part)} % of the time`
      return `  ${action}: ${seen} in ${days(ms)} days, ${short(yearly(seen, ms).mean)} a year${lasted}`
    }),
  ]
}

function toleranceLine({ guardrail, tolerance, largest, proposed, blocks }: ToleranceFound): string {
  if (largest === null) return `  ${guardrail}: too few rows or events to tell; it tolerates ${tolerance}`
  const { effect, upper, where, block } = largest
  const verdict = proposed !== null && proposed > tolerance ? `✗ healthy time lies beyond it: write ${proposed}` : '✓'
  return `  ${guardrail}: tolerates ${tolerance}; ${blocks} healthy days and hours reach ${short(effect)} (up to ${short(upper)}: ${where}, ${block}) ${verdict}`
}

/** Those above 1.05, the largest first; slices by their largest. */
function dispersionLines({ phi, slices }: BaselineDocument, before: BaselineDocument): readonly string[] {
  const lines = Object.entries(phi)
    .filter(([, effect]) => effect > 1.05)
    .sort(([, a], [, b]) => b - a)
    .map(
      ([name, effect]) =>
        `  ${name}: ${short(effect)}${(before.phi[name] ?? 1) < effect ? ` (the baseline says ${short(before.phi[name] ?? 1)})` : ''}`,
    )
  const worst = slices
    .flatMap(({ dimension, value, phi: own = {} }) =>
      Object.entries(own).map(([name, effect]) => ({ dimension, value, name, effect })),
    )
    .sort((a, b) => b.effect - a.effect)[0]
  return worst === undefined
    ? lines
    : [...lines, `  of slices, the largest: ${worst.name} in ${worst.dimension} ${worst.value}, ${short(worst.effect)}`]
}

const days = (ms: number): string => short(ms / dayMs)
const day = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** Two significant digits; whole from ten on. */
function short(value: number): string {
  return Math.abs(value) >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(2)))
}
