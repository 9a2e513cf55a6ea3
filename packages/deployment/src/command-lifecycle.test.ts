import type { CommandState, Hash, Order } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  advance,
  type CommandEvent,
  type CommandRecord,
  commandLifecycle,
  concerns,
  due,
  escalate,
} from './command-lifecycle.ts'

const fresh: CommandRecord = {
  first: [1, 0, 3, 7],
  order: [1, 0, 3, 9],
  what: 'roll-back',
  desired: { target: '' as Hash, candidate: null, shareMax: 0, shadow: false, pace: 'at-once', fallback: false },
  grant: null,
  decision: '' as Hash,
  policy: '' as Hash,
  state: 'issued',
  sent: 1,
  escalation: null,
  verifiedBy: null,
  times: { issued: 0, sent: 0 },
}

test('any order and repetition of the same facts ends in the same state', () => {
  const facts: CommandEvent[] = ['received', 'progress', 'applied', 'received', 'applied', 'progress']
  fc.assert(
    fc.property(fc.shuffledSubarray([...facts, ...facts], { minLength: 12 }), (arrived) => {
      const end = arrived.reduce((command, event) => advance(command, event, 5), fresh)
      expect(advance(end, 'observed', 6).state).toBe('verified')
      expect(end.state).toBe('applied')
    }),
    { seed: 3 },
  )
})

test('a superseded or rejected command never moves again', () => {
  const events = new Set(Object.values(commandLifecycle).flatMap((row) => Object.keys(row))) as Set<CommandEvent>
  for (const state of ['superseded', 'rejected'] as const) {
    for (const event of events) expect(advance({ ...fresh, state }, event, 1).state).toBe(state)
  }
})

test('nothing but an independent observation verifies', () => {
  const rows = Object.entries(commandLifecycle) as [CommandState, Readonly<Record<string, CommandState>>][]
  const ways = rows.flatMap(([from, row]) =>
    Object.entries(row)
      .filter(([, to]) => to === 'verified')
      .map(([event]) => [from, event]),
  )
  expect(ways).toEqual([
    ['applied', 'observed'],
    ['escalated', 'observed'],
  ])
})

test('a command that nobody takes is sent again after 2, 4, 8 and 8 s, is escalated 30 s after its issue, and then sent each minute', () => {
  const seen: (readonly [number, string])[] = []
  let command = fresh
  for (let time = 0; time <= 220_000; time += 500) {
    const event = due(command, time)
    if (event === null) continue
    seen.push([time, event])
    if (event === 'silent') command = { ...command, sent: command.sent + 1, times: { ...command.times, sent: time } }
    else if (event === 'exhausted') command = escalate(command, 'exhausted', '', time)
    else {
      const escalation = command.escalation && { ...command.escalation, level: 2 as const }
      command = { ...command, escalation, times: { ...command.times, sent: time } }
    }
  }
  expect(seen).toEqual([
    [2_000, 'silent'],
    [6_000, 'silent'],
    [14_000, 'silent'],
    [22_000, 'silent'],
    [30_000, 'exhausted'],
    [90_000, 'again'],
    [150_000, 'stuck'],
    [210_000, 'stuck'],
  ])
})

test('progress renews the time to apply, up to its cap; an applied command waits 30 s for another eye', () => {
  const received = advance(fresh, 'received', 1_000)
  expect(due(received, 60_999)).toBeNull()
  expect(due(received, 61_000)).toBe('overdue')
  const busy = advance(received, 'progress', 50_000)
  expect(due(busy, 109_999)).toBeNull()
  expect(due(busy, 110_000)).toBe('overdue')
  expect(due(advance(busy, 'progress', 299_000), 300_000)).toBe('overdue')
  expect(due(advance(received, 'applied', 5_000), 34_999)).toBeNull()
  expect(due(advance(received, 'applied', 5_000), 35_000)).toBe('unseen')
})

test('a fact about a renewal, or about the first issue, is about the command; any other is not', () => {
  const orders: Order[] = [
    [1, 0, 3, 7],
    [1, 0, 3, 8],
    [1, 0, 3, 9],
    [1, 0, 3, 6],
    [1, 0, 3, 10],
    [1, 0, 0, 8],
  ]
  expect(orders.map((order) => concerns(fresh, order))).toEqual([true, true, true, false, false, false])
})
