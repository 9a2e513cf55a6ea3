import type { DecisionOut, LogTime } from '@interlock/contracts'
import {
  type AnswersBetween,
  type GenerationDiff,
  type GenerationVerdict,
  type Mark,
  type MarkedGeneration,
  type StopTally,
  stopDelay,
  type VerdictReason,
} from '@interlock/deployment'
import { clock, count, shortVersion } from '../words.ts'
import type { Backtested, Judged } from './compare.ts'

type When = (at: LogTime) => string

/** A backtest in words: where decisions part, what became of each generation, and how each policy stands against that. */
export function describeBacktest(all: Backtested, answersBetween: AnswersBetween): string {
  const { deployment, from, to, entries, differing, generations, verdicts, recorded, supposed } = all
  const differ = generations.filter(({ parting }) => parting !== null)
  const compared = generations.reduce((sum, { alike }) => sum + alike, 0)
  const when = whenWithin(all)
  const span = from === null ? '' : ` from ${when(from)} to ${when(to)}`
  return [
    `${deployment}: ${count(entries)} recorded steps made again${span}, ${count(differing)} differ; ${count(compared)} decisions alike in ${generations.length} generations`,
    ...differ.flatMap((diff) => part(diff, notBegun(diff, supposed), answersBetween, when)),
    ...(verdicts.length === 0 ? [] : ['what became of each generation, as far as the record tells']),
    ...verdicts.flatMap((verdict, index) => told(verdict, recorded.marks[index], supposed.marks[index], when)),
    ...(verdicts.length === 0 ? [] : table([recorded.tally, supposed.tally])),
  ].join('\n')
}

const dayMs = 86_400_000

/** The time of day where one day holds everything, else the day as well. */
function whenWithin({ from, to, verdicts }: Backtested): When {
  const first = Math.min(to, ...verdicts.map(({ begunAt }) => begunAt ?? from ?? to))
  if (to - first < dayMs) return clock
  return (at) => `${new Date(at).toLocaleDateString('sv-SE')} ${clock(at)}`
}

function notBegun({ generation }: GenerationDiff, { marks }: Judged): boolean {
  return marks.some((one) => one.generation === generation && one.mark === 'not-begun')
}

function part(
  diff: GenerationDiff,
  isNotBegun: boolean,
  answersBetween: AnswersBetween,
  when: When,
): readonly string[] {
  const { generation, candidate, parting, stop } = diff
  const say = (decision: DecisionOut | null): string =>
    decision === null
      ? 'nothing more'
      : `${when(decision.at)} ${decision.outcome} by ${decision.rule}: ${decision.text}`
  const lines = [
    `generation ${nameOf(generation, candidate)} parts from the record after ${diff.alike} decisions`,
    `  recorded: ${say(parting?.recorded ?? null)}`,
    `  supposed: ${say(parting?.supposed ?? null)}`,
  ]
  if (isNotBegun) return [...lines, '  it would not have begun']
  for (const [which, one] of Object.entries(stop)) {
    if (one !== null && one !== parting?.recorded && one !== parting?.supposed)
      lines.push(`  ${which} later: ${say(one)}`)
  }
  const delay = stopDelay(diff)
  if (delay !== null && delay !== 0) {
    const [from, to] = delay < 0 ? [stop.supposed, stop.recorded] : [stop.recorded, stop.supposed]
    const rows = candidate === null ? 0 : answersBetween(candidate, from?.at ?? 0, to?.at ?? 0)
    lines.push(
      `  stopped ${seconds(Math.abs(delay))} ${delay < 0 ? 'earlier' : 'later'}, with ${count(rows)} answers ${delay < 0 ? 'fewer' : 'more'}`,
    )
  } else if (delay === null && stop.recorded !== null) lines.push('  it would not have been stopped on this data')
  else if (delay === null && stop.supposed !== null) lines.push('  it would have been stopped, and was not')
  return lines
}

const reasons = {
  'rolled-back-by-person': 'harmful: a person rolled it back by hand',
  'left-stopped': 'harmful: it was rolled back, and people went on with another version',
  restored: 'healthy: two people restored it',
  'serves-on': 'healthy: it answers everybody, and nothing stopped it',
  'not-judged': 'unknown: it was stopped, and nobody has said whether rightly',
  'not-through': 'unknown: neither stopped nor promoted to everybody',
} as const satisfies Record<VerdictReason, string>

const marks = {
  'true-stop': 'stopped rightly',
  'false-stop': 'stopped falsely',
  missed: 'missed',
  'unjudged-stop': 'stopped',
  'not-stopped': 'rightly not stopped',
  open: 'not stopped, which may be right',
  'not-begun': 'not begun',
} as const satisfies Record<Mark, string>

function told(
  { generation, version, because, saidAt }: GenerationVerdict,
  recorded: MarkedGeneration | undefined,
  supposed: MarkedGeneration | undefined,
  when: When,
): readonly string[] {
  const at = saidAt === null ? '' : ` at ${when(saidAt)}`
  const mark = (one: MarkedGeneration | undefined): string => {
    if (one === undefined) return ''
    const stop = one.stop === null ? '' : ` by ${one.stop.rule} at ${when(one.stop.at)}`
    if (one.delayMs === null) return `${marks[one.mark]}${stop}`
    return `${marks[one.mark]}${stop}, ${seconds(one.delayMs)} and ${count(one.answers ?? 0)} answers after the onset`
  }
  return [
    `  generation ${nameOf(generation, version)} ${reasons[because]}${at}`,
    `    recorded: ${mark(recorded)}; supposed: ${mark(supposed)}`,
  ]
}

const columns = {
  'true stops': ({ trueStops }) => count(trueStops),
  'false stops': ({ falseStops }) => count(falseStops),
  missed: ({ missed }) => count(missed),
  'not judged': ({ unjudged }) => count(unjudged),
  'not stopped': ({ notStopped }) => count(notStopped),
  open: ({ open }) => count(open),
  'not begun': ({ notBegun }) => count(notBegun),
  'median delay': ({ medianDelayMs }) => (medianDelayMs === null ? '–' : seconds(medianDelayMs)),
  answers: ({ answers }) => (answers === null ? '–' : count(answers)),
} as const satisfies Record<string, (tally: StopTally) => string>

/** A row for the recorded policy and one for the supposed one. */
function table([recorded, supposed]: readonly [StopTally, StopTally]): readonly string[] {
  const row = (name: string, cell: (column: keyof typeof columns) => string): string =>
    [
      name.padEnd(10),
      ...(Object.keys(columns) as (keyof typeof columns)[]).map((one) => cell(one).padStart(one.length)),
    ].join('  ')
  return [
    row('', (column) => column),
    row('recorded', (column) => columns[column](recorded)),
    row('supposed', (column) => columns[column](supposed)),
  ]
}

function nameOf(generation: number, version: string | null): string {
  return version === null ? `${generation}` : `${generation} (${shortVersion(version)})`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
