import type { Hash, VersionId } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Act, acts, rankOf } from './answer.ts'
import {
  compareAnswers,
  type Given,
  inForceAlone,
  noAnswers,
  type Parting,
  type ShadowAnswers,
} from './shadow-answers.ts'

function given(act: Act, pane: number): Given {
  const end = pane * 1_000
  const version = 'm@v2' as VersionId
  return { act, version, at: end + 50, dataTo: end, rule: `rule of ${act}`, because: null, evidence: '' as Hash }
}

type Pane = { readonly shadow?: Act; readonly inForce?: Act }

/** Plays panes, then ends: what is told, in short. */
function told(panes: readonly Pane[]): readonly string[] {
  const all: Parting[] = []
  let answers: ShadowAnswers = noAnswers
  for (const [index, { shadow, inForce }] of panes.entries()) {
    const { after, partings } = compareAnswers(answers, {
      shadow: shadow === undefined ? null : given(shadow, index),
      'in-force': inForce === undefined ? null : given(inForce, index),
    })
    answers = after
    all.push(...partings)
  }
  const ended = inForceAlone(answers)
  expect(inForceAlone(ended.after).partings).toEqual([])
  return [...all, ...ended.partings].map(
    ({ by, given: { act }, afterMs, instead }) =>
      `${by} ${act} ${afterMs ?? 'alone'}${instead === null ? '' : `, not ${instead}`}`,
  )
}

test('the same act in the same pane is no disagreement, however often it is repeated', () => {
  expect(told([{ shadow: 'hold', inForce: 'hold' }, { shadow: 'hold', inForce: 'hold' }, { shadow: 'hold' }])).toEqual(
    [],
  )
})

test('an act that only the policy on trial asks for is told at once and once, with what the other one asked for instead', () => {
  expect(told([{}, { shadow: 'roll-back', inForce: 'hold' }, { shadow: 'roll-back' }])).toEqual([
    'shadow roll-back alone, not hold',
  ])
})

test('whoever comes later with the same act is told with the delay, by event time', () => {
  expect(told([{ shadow: 'halt' }, {}, {}, { inForce: 'halt' }])).toEqual(['shadow halt alone', 'in-force halt 3000'])
  expect(told([{ inForce: 'halt' }, {}, { shadow: 'halt' }])).toEqual(['shadow halt 2000'])
})

test('an act of the policy in force alone is told at the end, once', () => {
  expect(told([{ inForce: 'roll-back' }, { shadow: 'hold' }])).toEqual(['in-force roll-back alone, not hold'])
})

test('a stronger act covers a milder one of either side', () => {
  expect(
    told([
      { inForce: 'roll-back', shadow: 'roll-back' },
      { shadow: 'hold', inForce: 'halt' },
    ]),
  ).toEqual([])
  expect(told([{ inForce: 'roll-back' }, { shadow: 'fall-back' }])).toEqual(['shadow fall-back alone, not roll-back'])
})

const anyAct = fc.option(fc.constantFrom(...acts), { nil: undefined })
const anyPanes = fc.array(fc.record({ shadow: anyAct, inForce: anyAct }) as fc.Arbitrary<Pane>, { maxLength: 12 })

test('whatever is answered: two policies that answer alike never disagree, and an act is told twice at most', () => {
  fc.assert(
    fc.property(anyPanes, (panes) => {
      expect(told(panes.map(({ shadow }) => ({ shadow, inForce: shadow }) as Pane))).toEqual([])
      for (const act of acts)
        expect(told(panes).filter((one) => one.split(' ')[1] === act).length).toBeLessThanOrEqual(2)
    }),
  )
})

test('whatever is answered: the strongest act is told exactly where one side alone asked for as much', () => {
  fc.assert(
    fc.property(anyPanes, (panes) => {
      const strongest = (side: 'shadow' | 'inForce'): number =>
        Math.max(-1, ...panes.flatMap((pane) => (pane[side] === undefined ? [] : [rankOf(pane[side])])))
      const most = Math.max(strongest('shadow'), strongest('inForce'))
      if (strongest('shadow') === strongest('inForce')) return
      const side = strongest('shadow') === most ? 'shadow' : 'in-force'
      expect(told(panes).some((one) => one.startsWith(`${side} ${acts[most]} alone`))).toBe(true)
    }),
  )
})
