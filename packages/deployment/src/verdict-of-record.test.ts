import type { DecisionOut, VersionId } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { decision, entry, v1, v2 } from './sample.ts'
import { markStops, tallyStops } from './stops-of-policy.ts'
import { verdictsOf } from './verdict-of-record.ts'

const v3 = 'm@v3' as VersionId
const steady = { phase: 'steady', stable: v2, candidate: null } as const

const rolledBack = { ...decision('verified', 6).after, phase: 'rolled-back', stable: v1, candidate: null } as const

const starts = (at: number, generation = 1, candidate = v2): DecisionOut =>
  decision('rollout-started', at, { rule: 'request', generation, by: 'ada', after: { candidate } })
/** The machine stops it, on evidence whose onset is two before. */
const stops = (at: number, generation = 1, outcome: DecisionOut['outcome'] = 'rolled-back'): DecisionOut =>
  decision(outcome, at, {
    generation,
    guardrail: entry('errors', 'candidate', { onset: { from: at - 2, to: at - 1 } }),
    facts: { from: v2 },
  })
const byHand = (at: number, generation = 1, from = v2): DecisionOut =>
  decision('rolled-back', at, { generation, rule: 'request', by: 'cho', facts: { from } })
const restores = (at: number, generation: number, version = v2): DecisionOut =>
  decision('restored', at, {
    generation,
    rule: 'restore',
    by: 'bea',
    facts: { version },
    after: { candidate: version },
  })
const completes = (at: number, generation = 1): DecisionOut =>
  decision('completed', at, { generation, rule: 'gates', after: steady })

const said = (...record: readonly DecisionOut[]): readonly string[] =>
  verdictsOf(record).map(({ generation, truth, because }) => `${generation} ${truth} ${because}`)
const marks = (record: readonly DecisionOut[], decisions = record): readonly string[] =>
  markStops(verdictsOf(record), decisions, () => 0).map(({ mark }) => mark)

test('what two people restored was stopped falsely, and its new generation is judged by itself', () => {
  const record = [starts(1), stops(5), restores(9, 2), completes(12, 2)]
  expect(said(...record)).toEqual(['1 healthy restored', '2 healthy serves-on'])
  expect(marks(record)).toEqual(['false-stop', 'not-stopped'])
  expect(said(starts(1), stops(5), restores(9, 2))).toEqual(['1 healthy restored', '2 unknown not-through'])
})

test('what a person rolled back by hand was missed by the policy', () => {
  const record = [starts(1), byHand(6)]
  expect(said(...record)).toEqual(['1 harmful rolled-back-by-person'])
  expect(marks(record)).toEqual(['missed'])
})

test('a rollback by hand after completion is about the version that was promoted, in whatever generation it falls', () => {
  expect(said(starts(1), completes(4), byHand(6))).toEqual(['1 harmful rolled-back-by-person'])
  const later = [starts(1), completes(4), starts(5, 2, v3), stops(6, 2), byHand(8, 2)]
  expect(said(...later)).toEqual(['1 harmful rolled-back-by-person', '2 unknown not-judged'])
})

test('a person who rolls back what a rule has halted says that the rule was right', () => {
  const record = [starts(1), stops(5, 1, 'halted'), byHand(7)]
  expect(said(...record)).toEqual(['1 harmful rolled-back-by-person'])
  expect(marks(record)).toEqual(['true-stop'])
})

test('a stop that people left as it was, and went on with another version, was a true one', () => {
  const record = [starts(1), stops(5), starts(9, 2, v3)]
  expect(said(...record)).toEqual(['1 harmful left-stopped', '2 unknown not-through'])
  expect(marks(record)).toEqual(['true-stop', 'open'])
})

test('a stop that nobody has judged by the end of the record is neither true nor false', () => {
  expect(said(starts(1), stops(5))).toEqual(['1 unknown not-judged'])
  expect(marks([starts(1), stops(5)])).toEqual(['unjudged-stop'])
  // What was said before the stop is not said of it.
  expect(said(starts(1), completes(4), stops(8, 1, 'halted'))).toEqual(['1 unknown not-judged'])
})

test('the newest word counts: what was restored and then rolled back by hand was harmful all along', () => {
  const record = [starts(1), stops(5), restores(9, 2), byHand(12, 2)]
  expect(said(...record)).toEqual(['1 harmful rolled-back-by-person', '2 harmful rolled-back-by-person'])
  expect(marks(record)).toEqual(['true-stop', 'missed'])
})

test('a halt by hand, a lapsed grant and a data incident are no stops of the policy', () => {
  const halted = decision('halted', 4, { rule: 'request', by: 'cho' })
  const lapsed = decision('rolled-back', 4, { rule: 'grant-lapsed', facts: { from: v2 } })
  for (const one of [halted, lapsed]) {
    expect(said(starts(1), one)).toEqual(['1 unknown not-judged'])
    expect(marks([starts(1), one])).toEqual(['open'])
  }
  const incident = decision('data-incident', 4, { guardrail: entry('errors', 'stable') })
  expect(said(starts(1), incident)).toEqual(['1 unknown not-through'])
  expect(marks([starts(1), incident])).toEqual(['open'])
})

test('a generation ends when it is stopped, or when the next one begins', () => {
  const record = [starts(1), completes(4), starts(8, 2, v3), stops(9, 2), byHand(12, 2)]
  expect(verdictsOf(record).map(({ begunAt, endedAt }) => [begunAt, endedAt])).toEqual([
    [1, 8],
    [8, 9],
  ])
})

test('where the record begins in a generation, its first decision tells the version', () => {
  expect(verdictsOf([completes(4)])).toEqual([
    { generation: 1, version: v2, begunAt: null, endedAt: null, truth: 'healthy', because: 'serves-on', saidAt: null },
  ])
  expect(marks([completes(4)], [])).toEqual(['not-stopped'])
  expect(verdictsOf([{ ...stops(5), after: rolledBack }])[0]?.version).toBe(v2)
  expect(verdictsOf([{ ...decision('verified', 6), before: rolledBack, after: rolledBack }])).toEqual([])
  const nameless = decision('held', 1, { generation: 0, after: { stable: null, candidate: null } })
  expect(verdictsOf([nameless])).toEqual([])
  expect(verdictsOf([decision('registered', 1, { generation: 0, after: { ...steady, stable: v1 } })])[0]?.version).toBe(
    v1,
  )
})

test('another policy is held against the same verdicts: what it stops, misses and never begins', () => {
  const record = [starts(1), byHand(6), starts(8, 2, v3), stops(10, 2), restores(12, 3, v3)]
  expect(marks(record, [starts(1), stops(4)])).toEqual(['true-stop', 'not-begun', 'not-begun'])
  // A rule that speaks only after the person did has missed it.
  expect(marks(record, [starts(1), stops(7), starts(8, 2, v3)])).toEqual(['missed', 'not-stopped', 'not-begun'])
})

test('delay and answers run from the onset that the evidence names, over stops that are not known to be false', () => {
  const record = [starts(1), stops(6), byHand(7), starts(10, 2, v3), stops(20, 2), restores(22, 3, v3)]
  const asked: (readonly [string, number, number])[] = []
  const count = (version: VersionId, from: number, to: number): number => asked.push([version, from, to]) * 100
  const marked = markStops(verdictsOf(record), record, count)
  expect(asked.slice(0, 2)).toEqual([
    [v2, 4, 6],
    [v3, 18, 20],
  ])
  expect(marked[0]).toEqual({
    generation: 1,
    mark: 'true-stop',
    stop: { at: 6, rule: 'errors' },
    delayMs: 2,
    answers: 100,
  })
  const nameless = decision('rolled-back', 6, { guardrail: entry('errors', 'candidate') })
  expect(markStops(verdictsOf(record), [starts(1), nameless], count)[0]).toMatchObject({ delayMs: null, answers: null })
})

test('a tally counts each mark, and has no delay where no stop names an onset', () => {
  const marked = markStops(verdictsOf([]), [], () => 0)
  expect(tallyStops(marked)).toEqual({
    trueStops: 0,
    falseStops: 0,
    missed: 0,
    unjudged: 0,
    notStopped: 0,
    open: 0,
    notBegun: 0,
    medianDelayMs: null,
    answers: null,
  })
  const one = { generation: 1, stop: { at: 9, rule: 'errors' } }
  const told = tallyStops([
    { ...one, mark: 'true-stop', delayMs: 4, answers: 10 },
    { ...one, mark: 'unjudged-stop', delayMs: 8, answers: 20 },
    { ...one, mark: 'false-stop', delayMs: 100, answers: 1_000 },
    { ...one, mark: 'missed', stop: null, delayMs: null, answers: null },
  ])
  expect(told).toMatchObject({ trueStops: 1, unjudged: 1, falseStops: 1, missed: 1, medianDelayMs: 6, answers: 30 })
})
