import { clopperPearson } from '@interlock/statistics'
import type { Fault } from '../faults/fault.ts'
import { injectionOf } from '../faults/inject.ts'
import { sayFault, subjectOf, whyNotHere } from '../faults/subject.ts'
import type { Trial } from '../mutate.ts'
import type { Played } from '../outcome.ts'
import { play } from '../play.ts'
import { castOf } from '../world/cast.ts'
import { environment } from '../world/place.ts'
import { type Forecast, forecast } from './forecast.ts'
import { sampleOf } from './sample.ts'

/** Rollouts of a healthy version: how many were stopped or held by a rule, and what the chance of it may be. */
export interface HealthyRuns {
  readonly runs: number
  readonly promoted: number
  readonly falseStops: number
  /** 95 %, Clopper and Pearson. */
  readonly chance: readonly [low: number, high: number]
  /** Seeds of the false stops. */
  readonly seeds: readonly number[]
}

/** One injected fault: what was foretold, and what came of it. */
export interface Simulated {
  readonly fault: string
  readonly says: string
  readonly predicted: Forecast | null
  /** Medians over the seeds; null where fewer than half of them were caught. */
  readonly realised: {
    readonly afterMs: number
    readonly answers: number
    readonly units: number
    readonly guardrail: string
  } | null
  readonly caught: number
  readonly runs: number
  /** The predicted delay lies within `tolerance` of the realised median, or both say that it is not seen. */
  readonly agrees: boolean
}

/** Part by which a prediction may miss the realised median. */
export const tolerance = 0.25
const intervalAlpha = 0.05

/** Plays a healthy rollout under each seed. @param lengthMs how long a rollout may take */
export function healthyRuns(trial: Trial, seeds: readonly number[]): HealthyRuns {
  const { baseline, policy, chosen, lengthMs } = trial
  const stopped: number[] = []
  let promoted = 0
  for (const seed of seeds) {
    const traffic = trial.traffic(seed)
    const subject = subjectOf(baseline, policy, traffic.errorRate, chosen)
    const played = play({ ...trial, traffic, subject, seed, injections: [], lengthMs, untilCaught: true })
    if (played.caught !== null) stopped.push(seed)
    if (played.completed) promoted++
  }
  const chance = clopperPearson(stopped.length, Math.max(1, seeds.length), intervalAlpha)
  return { runs: seeds.length, promoted, falseStops: stopped.length, chance, seeds: stopped }
}

/** Foretells and plays each fault that this deployment can have. */
export function* simulate(trial: Trial): Generator<Simulated> {
  const { baseline, policy, chosen, faults, seeds } = trial
  const [seed = 1] = seeds
  const subject = subjectOf(baseline, policy, trial.traffic(seed).errorRate, chosen)
  for (const fault of faults) {
    if (whyNotHere(fault, subject, baseline) === null) yield simulated(trial, fault, subject)
  }
}

function simulated(trial: Trial, fault: Fault, subject: ReturnType<typeof subjectOf>): Simulated {
  const { policy, baseline, onset, lengthMs, seeds } = trial
  const cast = castOf(trial)
  const injection = injectionOf(fault, { paneMs: policy.times.paneMs, onset })
  const [seed = 1] = seeds
  const traffic = trial.traffic(seed)
  const { profiler } = trial.processors({ environment, rootKey: cast.rootKey })
  const sample = sampleOf(profiler, { ...{ cast, baseline, policy, traffic, injection, subject, seed } })
  const candidateBaseline = cast.candidate.baseline
  const { rowsPerHour } = traffic
  const question = {
    ...{ policy, baseline, candidateBaseline, sample, rowsPerHour, onset, lengthMs },
    rampMs: injection.rampMs,
    seed,
  }
  const predicted = forecast(question)
  const played = seeds.map((each) =>
    play({ ...trial, traffic: trial.traffic(each), injections: [injection], subject, seed: each, untilCaught: true }),
  )
  const caught = played.filter(({ confirmed }) => confirmed?.afterMs != null)
  const realised = caught.length * 2 <= seeds.length ? null : realisedOf(caught)
  return {
    ...{
      fault: fault.id,
      says: sayFault(fault, subject),
      predicted,
      realised,
      caught: caught.length,
      runs: seeds.length,
    },
    agrees:
      predicted === null || realised === null
        ? predicted === null && realised === null
        : Math.abs(predicted.afterMs - realised.afterMs) <= tolerance * realised.afterMs,
  }
}

function realisedOf(caught: readonly Played[]): NonNullable<Simulated['realised']> {
  const middle = (numbers: readonly number[]): number => {
    const sorted = numbers.toSorted((a, b) => a - b)
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
  }
  const rules = caught.map(({ confirmed }) => confirmed?.guardrail ?? '')
  const guardrail = [...Map.groupBy(rules, (rule) => rule)].sort(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? ''
  return {
    afterMs: middle(caught.map(({ confirmed }) => confirmed?.afterMs ?? 0)),
    answers: middle(caught.map(({ exposure }) => exposure.answers)),
    units: middle(caught.map(({ exposure }) => exposure.units)),
    guardrail,
  }
}
