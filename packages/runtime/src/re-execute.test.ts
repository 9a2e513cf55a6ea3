import { describe, expect, test } from 'vitest'
import { beginning, kindOf, stepFrom } from './re-execute.ts'
import { toyProcessor } from './toy-processor.ts'

const toy = toyProcessor('toy')
const took = [{ topic: 'in', partition: 0, from: 0n, to: 2n }]

describe('a step', () => {
  test('has the append time of the entry before, but never a time before the last step: a broker may set it back', () => {
    const before = { ...beginning(toy, 0), seq: 4n }
    expect(stepFrom(toy, { ...before, at: 900, time: 800 }, took, [], false).time).toBe(900)
    expect(stepFrom(toy, { ...before, at: 700, time: 800 }, took, [], false).time).toBe(800)
    expect(stepFrom(toy, beginning(toy, 0), took, [], false).time).toBe(0)
  })

  test('has a chain that tells apart what it took, when, whether it was caught up, and what went before', () => {
    const before = { ...beginning(toy, 0), at: 5 }
    const chains = [
      stepFrom(toy, before, took, [], false),
      stepFrom(toy, before, took, [], true),
      stepFrom(toy, { ...before, at: 6 }, took, [], false),
      stepFrom(toy, before, [{ ...took[0]!, to: 3n }], [], false),
      stepFrom(toy, before, [], [], false),
      stepFrom(toy, beginning(toy, 1), took, [], false),
    ].map(({ chain }) => chain)
    expect(new Set(chains).size).toBe(chains.length)
  })
})

test('shard logs are known by their name behind the prefix, and customers may call a topic anything else', () => {
  expect(kindOf('interlock.log.profiler', 'interlock.')).toBe('log')
  expect(kindOf('log.profiler')).toBe('log')
  expect(['access.log.v1', 'log.events', 'catalog.items'].map((topic) => kindOf(topic, 'interlock.'))).toEqual(
    Array.from({ length: 3 }, () => 'topic'),
  )
})
