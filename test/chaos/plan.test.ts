import { seededRandom } from '@interlock/runtime'
import { expect, test } from 'vitest'
import { type Fault, planFaults, sayFault } from './plan.ts'

const faults = { kills: 100, freezes: 15, leaves: 5, brokers: 5, toxics: 10, cuts: 5 }
const cast = { processes: 7, lines: 2, brokers: 3 }
const plan = (seed: number) => planFaults(seededRandom(seed), faults, cast)

test('a seed is a plan: the same faults at the same moments, and another seed another plan', () => {
  expect(plan(1)).toEqual(plan(1))
  expect(plan(2)).not.toEqual(plan(1))
})

test('every process is killed as often as every other, and every fault is as many times there as was asked for', () => {
  const of = (kind: Fault['kind']) => plan(3).flatMap(({ fault }) => (fault.kind === kind ? [fault] : []))
  const kills = Array.from({ length: cast.processes }, (_, process) =>
    of('kill').filter((fault) => fault.kind === 'kill' && fault.process === process),
  ).map(({ length }) => length)
  expect(Math.max(...kills) - Math.min(...kills)).toBe(1)
  expect(['kill', 'freeze', 'leave', 'broker', 'toxic', 'cut'].map((kind) => of(kind as Fault['kind']).length)).toEqual(
    [100, 15, 5, 5, 10, 5],
  )
  const toxics = of('toxic').map((fault) => (fault.kind === 'toxic' ? JSON.stringify(fault.toxic) : ''))
  expect(new Set(toxics).size).toBe(5)
})

test('a fault is said in words', () => {
  const names = ['profiler-0', 'profiler-1']
  expect(sayFault({ kind: 'freeze', process: 1, ms: 200 }, names)).toBe('freeze profiler-1 for 200 ms')
  expect(sayFault({ kind: 'toxic', line: 0, toxic: { kind: 'silence', of: 'answers' }, ms: 9 }, names)).toBe(
    'line 0: silence answers for 9 ms',
  )
})
