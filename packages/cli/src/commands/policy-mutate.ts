import { catalogue, type Fault, faultOf, type Mutant, mutate, scoreOf, type Trial } from '@interlock/scenario'
import type { Config } from '../config.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { durationOf, partOf } from '../scenario/measures.ts'
import { type Setting, type SettingOptions, settingOf } from '../scenario/setting.ts'
import { count, percent } from '../words.ts'

export interface PolicyMutateOptions extends SettingOptions {
  readonly faults?: readonly string[]
  readonly feature?: string
  readonly category?: string
  readonly producer?: string
  readonly stage?: string
  readonly after: string
  /** By default so many panes as `defaultPanes`. */
  readonly for?: string
  readonly seed: number
  readonly seeds: number
  readonly minScore?: string
}

/** Panes that a fault may last before the policy counts as blind to it. */
const defaultPanes = 120

/** `interlock policy mutate <file>`: which of the catalogue's faults the policy catches; exit 1 below `--min-score`. */
export async function policyMutate(
  file: string,
  options: PolicyMutateOptions,
  config: () => Config,
  out: Output,
): Promise<number> {
  const { seed } = options
  const minScore = partOf('--min-score', options.minScore ?? '0%')
  const setting = await settingOf(file, options, config)
  const trial = trialOf(setting, options)
  const mutants: Mutant[] = []
  try {
    for (const mutant of mutate(trial)) {
      mutants.push(mutant)
      out.say(lineOf(mutant))
    }
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`${error.message}.`)
    throw error
  }
  const score = scoreOf(mutants)
  const { from, rowsPerHour } = setting.traffic(seed)
  const traffic = { from, rowsPerHour, seeds: trial.seeds }
  out.result({ file, traffic, ...score, minScore, mutants }, describe(file, mutants, traffic))
  return score.score !== null && score.score >= minScore ? exitCodes.good : exitCodes.breachOrRefused
}

/** What is played of a setting. @throws UsageError */
export function trialOf(setting: Setting, options: PolicyMutateOptions): Trial {
  const { seed, seeds, stage } = options
  const chosen = Object.fromEntries(
    (['feature', 'category', 'producer'] as const).flatMap((key) =>
      options[key] === undefined ? [] : [[key, options[key]]],
    ),
  )
  return {
    ...setting,
    ...{ faults: faultsOf(options.faults), chosen },
    seeds: Array.from({ length: seeds }, (_, index) => seed + index),
    onset: { stage: stage ?? null, afterMs: durationOf('--after', options.after) },
    lengthMs: options.for === undefined ? defaultPanes * setting.policy.times.paneMs : durationOf('--for', options.for),
  }
}

function faultsOf(ids: readonly string[] | undefined): readonly Fault[] {
  if (ids === undefined || ids.length === 0) return catalogue
  return ids.map((id) => {
    const fault = faultOf(id)
    if (fault !== undefined) return fault
    throw new UsageError(`there is no fault "${id}"; faults are ${catalogue.map((one) => one.id).join(', ')}`)
  })
}

function describe(
  file: string,
  mutants: readonly Mutant[],
  {
    from,
    rowsPerHour,
    seeds,
  }: { readonly from: string; readonly rowsPerHour: number; readonly seeds: readonly number[] },
): string {
  const { score, caught, played } = scoreOf(mutants)
  const blind = mutants.filter(({ skipped, right }) => skipped === null && right < 1)
  return [
    `${file} does right by ${caught} of ${played} (score ${score === null ? 'none' : percent(score)}), ${from}, ${count(Math.round(rowsPerHour))} an hour, seeds ${seeds.join(', ')}`,
    ...blind.map((one) => `  ✗ ${one.fault}: ${one.says}`),
  ].join('\n')
}

function lineOf({ fault, says, skipped, tried, right, isHarmless }: Mutant): string {
  const mark = skipped !== null ? '–' : right === 1 ? '✓' : '✗'
  const head = `${mark} ${fault.padEnd(20)} `
  if (skipped !== null) return `${head}not here: ${skipped}`
  const times = tried.length === 1 ? '' : `${Math.round(right * tried.length)} of ${tried.length} seeds; `
  const [first] = tried
  const told = tried.find(({ end }) => end === 'caught') ?? first
  if (told === undefined) return head
  const { caught, stopped, exposure, end } = told
  if (end === 'unreached') return `${head}${times}the rollout never came so far`
  if (end === 'early') return `${head}${times}something was decided before it began`
  if (caught === null) return `${head}${times}${isHarmless ? says : `blind: ${says}`}`
  const last = stopped ?? caught
  const when = last.afterMs === null ? '' : ` after ${Math.round(last.afterMs / 100) / 10} s`
  return `${head}${times}${last.outcome}${when} by ${last.guardrail}, ${count(exposure.answers)} answers to ${count(exposure.units)} units`
}
