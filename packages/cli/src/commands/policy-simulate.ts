import { healthyRuns, type Simulated, simulate } from '@interlock/scenario'
import type { Config } from '../config.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { partOf } from '../scenario/measures.ts'
import { settingOf } from '../scenario/setting.ts'
import { count, percent } from '../words.ts'
import { type PolicyMutateOptions, trialOf } from './policy-mutate.ts'

export interface PolicySimulateOptions extends PolicyMutateOptions {
  /** Healthy rollouts that are played. */
  readonly healthy: number
  /** Greatest part of them that may be stopped. */
  readonly maxFalseStops: string
}

/** `interlock policy simulate <file>`: a rollout rehearsed: delay, exposure, chance of a false stop; exit 1 when a healthy one is stopped too often. */
export async function policySimulate(
  file: string,
  options: PolicySimulateOptions,
  config: () => Config,
  out: Output,
): Promise<number> {
  const setting = await settingOf(file, options, config)
  const maxFalseStops = partOf('--max-false-stops', options.maxFalseStops)
  const trial = trialOf(setting, options)
  const { seed, healthy: runs } = options
  const rollout = setting.policy.stages.slice(0, -1).reduce((sum, { maximumMs }) => sum + maximumMs, 0)
  try {
    const seeds = Array.from({ length: runs }, (_, index) => seed + index)
    const healthy = healthyRuns({ ...trial, lengthMs: rollout + trial.lengthMs }, seeds)
    const [low, high] = healthy.chance
    const chance = `${percent(low)} to ${percent(high)}`
    out.say(
      `healthy: ${healthy.falseStops} of ${runs} stopped (chance ${chance}, 95 %), ${healthy.promoted} took all of the traffic`,
    )
    const simulated: Simulated[] = []
    for (const one of simulate(trial)) {
      simulated.push(one)
      out.say(lineOf(one))
    }
    const agreeing = simulated.filter(({ agrees }) => agrees).length
    const { from, rowsPerHour } = setting.traffic(seed)
    const text = [
      `${file}: ${from}, ${count(Math.round(rowsPerHour))} an hour, seeds ${seed} to ${seed + Math.max(runs, options.seeds) - 1}`,
      `a healthy version is stopped in ${healthy.falseStops} of ${runs} rollouts: a chance of ${chance} (95 %)`,
      `the delay is foretold within a quarter in ${agreeing} of ${simulated.length} faults`,
    ].join('\n')
    out.result({ file, traffic: { from, rowsPerHour }, seed, healthy, simulated, agreeing }, text)
    return healthy.falseStops <= maxFalseStops * runs ? exitCodes.good : exitCodes.breachOrRefused
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`${error.message}.`)
    throw error
  }
}

function lineOf({ fault, predicted, realised, caught, runs, agrees }: Simulated): string {
  const time = (ms: number): string => `${Math.round(ms / 100) / 10} s`
  const foretold = predicted === null ? 'not seen' : `${time(predicted.afterMs)}, ${count(predicted.answers)} answers`
  const came =
    realised === null
      ? 'not seen'
      : `${time(realised.afterMs)}, ${count(realised.answers)} answers to ${count(realised.units)} units by ${realised.guardrail}`
  return `${agrees ? '✓' : '✗'} ${fault.padEnd(20)} foretold ${foretold}; played ${came} (${caught} of ${runs})`
}
