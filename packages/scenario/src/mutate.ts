import type { Fault, Where } from './faults/fault.ts'
import { injectionOf } from './faults/inject.ts'
import { type Chosen, sayFault, subjectOf, whyNotHere } from './faults/subject.ts'
import type { Caught, Played } from './outcome.ts'
import { play, type Scene } from './play.ts'
import type { Traffic } from './traffic/traffic.ts'

/** How a policy is tried: every fault of a list, on its traffic, by a number of seeds. */
export interface Trial extends Pick<Scene, 'processors' | 'policy' | 'written' | 'baseline' | 'candidateBaseline'> {
  /** Traffic of a seed: other rows, or the same in the hands of other units. */
  traffic(seed: number): Traffic
  readonly faults: readonly Fault[]
  readonly chosen: Chosen
  readonly seeds: readonly number[]
  /** When the faults begin: stage (null: the first that answers people) and ms after it is entered. */
  readonly onset: { readonly stage: string | null; readonly afterMs: number }
  /** So long a fault may last before the policy counts as blind to it, ms. */
  readonly lengthMs: number
}

/** What became of a fault, or of health, under one seed. */
export interface Tried {
  readonly seed: number
  /** `early`: something was decided before the fault began; `unreached`: the rollout never came so far. */
  readonly end: 'caught' | 'not-caught' | 'early' | 'unreached'
  readonly caught: Caught | null
  readonly stopped: Caught | null
  readonly exposure: Played['exposure']
  readonly stage: string | null
}

/** One row of the matrix. */
export interface Mutant {
  readonly fault: string
  readonly says: string
  readonly where: Where
  readonly isHarmless: boolean
  /** Why this deployment cannot have such a fault; then nothing was played. */
  readonly skipped: string | null
  readonly tried: readonly Tried[]
  /** Part of the seeds under which the policy did right: caught a fault, let pass what is harmless. */
  readonly right: number
}

/** A policy's trial as a whole. */
export interface Score {
  /** Mean of `right` over the faults that could be played; null where none could. */
  readonly score: number | null
  readonly caught: number
  readonly played: number
}

/** The row of a rollout in which nothing goes wrong, then one of each fault, as they are played. */
export function* mutate(trial: Trial): Generator<Mutant> {
  const { baseline, policy, chosen, faults, seeds } = trial
  const subject = subjectOf(baseline, policy, trial.traffic(seeds[0] ?? 1).errorRate, chosen)
  yield mutantOf(trial, null, subject)
  for (const fault of faults) {
    const skipped = whyNotHere(fault, subject, baseline)
    if (skipped === null) yield mutantOf(trial, fault, subject)
    else
      yield {
        ...{ fault: fault.id, says: sayFault(fault, subject), where: fault.where },
        isHarmless: fault.isHarmless === true,
        ...{ skipped, tried: [], right: 0 },
      }
  }
}

/** How much of what could be played was done right. */
export function scoreOf(mutants: readonly Mutant[]): Score {
  const played = mutants.filter(({ skipped }) => skipped === null)
  const score = played.length === 0 ? null : played.reduce((sum, { right }) => sum + right, 0) / played.length
  return { score, caught: played.filter(({ right }) => right === 1).length, played: played.length }
}

function mutantOf(trial: Trial, fault: Fault | null, subject: ReturnType<typeof subjectOf>): Mutant {
  const { policy, onset, seeds } = trial
  const injections = fault === null ? [] : [injectionOf(fault, { paneMs: policy.times.paneMs, onset })]
  const tried = seeds.map((seed): Tried => {
    const traffic = trial.traffic(seed)
    const played = play({ ...trial, traffic, injections, subject, seed, untilCaught: true })
    const { caught, stopped, exposure, stage } = played
    return { seed, end: endOf(played, fault !== null), ...{ caught, stopped, exposure, stage } }
  })
  const isHarmless = fault === null || fault.isHarmless === true
  const wanted = isHarmless ? 'not-caught' : 'caught'
  return {
    fault: fault?.id ?? 'healthy',
    says: fault === null ? 'nothing is wrong' : sayFault(fault, subject),
    where: fault?.where ?? 'both',
    ...{ isHarmless, skipped: null, tried },
    right: tried.filter(({ end }) => end === wanted).length / Math.max(1, tried.length),
  }
}

function endOf({ onset, caught, falseAlarm }: Played, hasFault: boolean): Tried['end'] {
  if (falseAlarm !== null) return 'early'
  if (hasFault && onset === null) return 'unreached'
  return caught === null ? 'not-caught' : 'caught'
}
