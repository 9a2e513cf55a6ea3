import { expect, test } from 'vitest'
import { diffDecisions, stopDelay, unknownOrderRule } from './decision-diff.ts'
import { decision, v2 } from './sample.ts'

const record = [decision('rollout-started', 1), decision('promoted', 5, { rule: 'gates' }), decision('rolled-back', 9)]

test('equal courses have no parting', () => {
  expect(diffDecisions(record, record)).toEqual([
    {
      generation: 1,
      candidate: v2,
      alike: 3,
      parting: null,
      stop: { recorded: record[2], supposed: record[2] },
    },
  ])
})

test('the first decision that differs parts them, and what stopped the version tells how much earlier', () => {
  const sooner = [record[0]!, decision('rolled-back', 4, { rule: 'slow' })]
  const [found] = diffDecisions(record, sooner)
  expect(found?.alike).toBe(1)
  expect(found?.parting).toEqual({ recorded: record[1], supposed: sooner[1] })
  expect(stopDelay(found!)).toBe(-5)
})

test('a course that ends early, or goes on alone, parts too', () => {
  expect(diffDecisions(record, record.slice(0, 2))[0]?.parting).toEqual({ recorded: record[2], supposed: null })
  expect(diffDecisions(record.slice(0, 2), record)[0]?.parting).toEqual({ recorded: null, supposed: record[2] })
  expect(stopDelay(diffDecisions(record, record.slice(0, 2))[0]!)).toBeNull()
})

test('generations are compared each by itself', () => {
  const next = decision('rollout-started', 20, { generation: 2 })
  const found = diffDecisions([...record, next], [record[0]!, next])
  expect(found.map(({ generation, parting }) => [generation, parting === null])).toEqual([
    [1, false],
    [2, true],
  ])
})

test('recorded facts about orders that were never given in the supposed course are no decision of it', () => {
  const echo = decision('held', 10, { rule: unknownOrderRule })
  expect(diffDecisions(record, [...record, echo])[0]?.parting).toBeNull()
  expect(diffDecisions([...record, echo], record)[0]?.parting).toEqual({ recorded: echo, supposed: null })
})

test('the same decision at another time is another one', () => {
  const later = [record[0]!, record[1]!, decision('rolled-back', 12)]
  const [found] = diffDecisions(record, later)
  expect(found?.alike).toBe(2)
  expect(stopDelay(found!)).toBe(3)
})
