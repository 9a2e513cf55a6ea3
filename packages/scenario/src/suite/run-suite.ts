import type { BaselineDocument, Policy } from '@interlock/contracts'
import { faultOf } from '../faults/catalogue.ts'
import { injectionOf } from '../faults/inject.ts'
import { subjectOf, whyNotHere } from '../faults/subject.ts'
import type { Played } from '../outcome.ts'
import { type MakeProcessors, play } from '../play.ts'
import type { Traffic } from '../traffic/traffic.ts'
import type { Written } from '../world/cast.ts'
import { MeasurementProblem, measure } from './measure.ts'
import type { Measurement, ScenarioTest, Suite } from './read-suite.ts'

/** What a suite runs on. */
export interface SuiteWorld {
  readonly policy: Policy
  readonly written: Written
  readonly baseline: BaselineDocument | null
  readonly candidateBaseline: BaselineDocument | null
  readonly processors: MakeProcessors
  /** Traffic of a seed; null where there is neither a recording nor a baseline. */
  readonly traffic: ((seed: number) => Traffic) | null
}

/** How one test ended. */
export interface Tested {
  readonly kind: 'measurement' | 'scenario'
  readonly name: string
  readonly line: number
  readonly column: number
  readonly ok: boolean
  /** What was found, in words; and what should have been, empty where all is well. */
  readonly found: string
  readonly wanted: readonly string[]
}

/** So many panes a scenario lasts after its fault where it does not say how long. */
const panesOfScenario = 120

/** Runs the tests one after the other, in the order of the file. */
export function* runSuite(suite: Suite, world: SuiteWorld): Generator<Tested> {
  for (const test of suite.measurements) yield measured(test, world)
  for (const test of suite.scenarios) yield played(test, suite, world)
}

function measured(test: Measurement, { policy, baseline }: SuiteWorld): Tested {
  const { name, place, verdict: wanted } = test
  const head = { kind: 'measurement', name, ...place } as const
  try {
    const { verdict, logE, limit, breachAfter } = measure(policy, test, baseline)
    const after = breachAfter === null ? '' : `, a breach from pane ${breachAfter} on`
    const found = `${verdict}: evidence ${logE.toFixed(2)} of ${limit.toFixed(2)}${after}`
    return { ...head, ok: verdict === wanted, found, wanted: verdict === wanted ? [] : [`verdict ${wanted}`] }
  } catch (error) {
    if (!(error instanceof MeasurementProblem)) throw error
    return {
      ...head,
      ok: false,
      found: `${error.key}: ${error.message}`,
      wanted: [error.instead].filter((text) => text !== ''),
    }
  }
}

function played(test: ScenarioTest, suite: Suite, world: SuiteWorld): Tested {
  const { name, place, expected } = test
  const head = { kind: 'scenario', name, ...place } as const
  const { policy, written, baseline, candidateBaseline, processors } = world
  const seed = test.seed ?? suite.seed
  if (baseline === null || world.traffic === null) {
    const wanted = ['Write "baseline: <file>" at the top, or name one with --baseline.']
    return { ...head, ok: false, found: 'a scenario needs a baseline, and none is named', wanted }
  }
  const traffic = world.traffic(seed)
  const fault = test.fault === undefined ? undefined : faultOf(test.fault)
  try {
    const subject = subjectOf(baseline, policy, traffic.errorRate, test.chosen)
    const lacks = fault === undefined ? null : whyNotHere(fault, subject, baseline)
    if (lacks !== null) return { ...head, ok: false, found: `"${test.fault}" cannot happen here: ${lacks}`, wanted: [] }
    const onset = { stage: test.stage ?? null, afterMs: test.afterMs }
    const { size, where } = test
    const own = {
      ...(size === undefined ? {} : { size }),
      ...(where === undefined ? {} : { where }),
      ...(test.part === null ? {} : { part: test.part }),
    }
    const outcome = play({
      ...{ policy, written, baseline, processors, traffic, subject, seed },
      ...(candidateBaseline === null ? {} : { candidateBaseline }),
      injections: fault === undefined ? [] : [injectionOf(fault, { paneMs: policy.times.paneMs, onset, ...own })],
      lengthMs: test.lengthMs ?? panesOfScenario * policy.times.paneMs,
      untilCaught: !expected.notStopped && !expected.promoted && expected.stoppedWithinMs === null,
    })
    const wanted = missed(expected, outcome, fault !== undefined)
    return { ...head, ok: wanted.length === 0, found: sayOutcome(outcome, fault !== undefined), wanted }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { ...head, ok: false, found: error.message, wanted: [] }
  }
}

/** What was expected and is not so. */
function missed(expected: ScenarioTest['expected'], outcome: Played, hasFault: boolean): readonly string[] {
  const { caught, stopped, falseAlarm, exposure, onset, completed } = outcome
  const wanted: string[] = []
  const want = (holds: boolean, text: string): void => {
    if (!holds) wanted.push(text)
  }
  const { caughtWithinMs, stoppedWithinMs, by, answersAtMost, unitsAtMost } = expected
  if (hasFault) want(onset !== null, 'the rollout comes to the stage in which the fault begins')
  want(falseAlarm === null, 'nothing is decided before the fault begins')
  if (caughtWithinMs !== null) want(within(caught?.afterMs, caughtWithinMs), `caught within ${seconds(caughtWithinMs)}`)
  if (stoppedWithinMs !== null)
    want(within(stopped?.afterMs, stoppedWithinMs), `stopped within ${seconds(stoppedWithinMs)}`)
  if (by !== null) want((stoppedWithinMs === null ? caught : stopped)?.guardrail === by, `by ${by}`)
  if (answersAtMost !== null)
    want(exposure.answers <= answersAtMost, `at most ${answersAtMost} answers of the new version`)
  if (unitsAtMost !== null) want(exposure.units <= unitsAtMost, `at most ${unitsAtMost} units reached`)
  if (expected.notStopped) want(stopped === null && caught === null, 'it is neither stopped nor held')
  if (expected.promoted) want(completed, 'it takes all of the traffic')
  return wanted
}

function within(afterMs: number | null | undefined, mostMs: number): boolean {
  return afterMs !== null && afterMs !== undefined && afterMs <= mostMs
}

function sayOutcome({ caught, stopped, falseAlarm, exposure, completed, stage }: Played, hasFault: boolean): string {
  const end = stopped ?? caught ?? falseAlarm
  const far = completed ? 'took all of the traffic' : `came to stage ${stage ?? 'none'}`
  const exposed = `${exposure.answers} answers to ${exposure.units} units`
  if (end === null) return `${far}; ${hasFault ? `not caught, ${exposed}` : 'nothing was decided against it'}`
  const when = end.afterMs === null ? '' : ` after ${seconds(end.afterMs)}`
  const first = caught !== null && caught !== end ? `${caught.outcome} after ${seconds(caught.afterMs ?? 0)}, ` : ''
  return `${first}${end.outcome} by ${end.guardrail}${when}, ${exposed}`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
