import { type AnyOut, decodeOut, encodeOut, type Input } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { Rehearsal } from '../rehearsal.ts'
import { createFleet, type FleetState } from './processor.ts'

/** What a governor put out in a story, as if `count` deployments had lived it. */
function inputsOf(story: Rehearsal, count: number): readonly Input[] {
  return Array.from({ length: count }, (_, number) =>
    story.outs
      .filter((out) => out.kind === 'watch' || out.kind === 'decision')
      .map((out): Input => {
        const named = { ...out, deployment: `${out.deployment}-${number}` } as AnyOut
        return { kind: 'out', processor: 'governor', shard: 0, offset: 0n, at: story.time, out: named }
      }),
  ).flat()
}

const broken = { harm: 12, producer: 'northeast' }
const source = new Rehearsal().canary().seconds(1, { 'inputs-training/v1': broken, 'inputs-training/v2': broken })
const healthy = new Rehearsal().canary()

test('a source that hits three of ten deployments puts the brake on once, names it, and lets go when they are calm', () => {
  const fleet = createFleet()
  const calm = inputsOf(healthy, 10)
  const [first, none] = fleet.step(fleet.empty(0), calm, source.time, true)
  expect(none).toEqual([])
  const [second, outs] = fleet.step(first, inputsOf(source, 3), source.time, true)
  expect(outs).toMatchObject([{ kind: 'brake', on: true, sharedProducer: 'northeast' }])
  expect(outs.map((out) => decodeOut(encodeOut(out)))).toEqual(outs)
  expect(fleet.step(second, [], source.time + 299_000, true)[1]).toEqual([])
  const [last, off] = fleet.step(second, [], source.time + 300_001, true)
  expect(off).toMatchObject([{ kind: 'brake', on: false }])
  expect((last as FleetState).wants).toEqual([])
})

test('two deployments are no fleet, and people who roll back are no sign of a shared cause', () => {
  const fleet = createFleet()
  expect(fleet.step(fleet.empty(0), inputsOf(source, 2), source.time, true)[1]).toEqual([])
  const byHand = new Rehearsal().canary()
  byHand.ask('cho', { kind: 'rollback', deployment: byHand.shown().deployment, reason: 'x' })
  expect(fleet.step(fleet.empty(0), inputsOf(byHand, 5), byHand.time, true)[1]).toEqual([])
})

test('save and load is the identity', () => {
  const fleet = createFleet()
  const [state] = fleet.step(fleet.empty(0), inputsOf(source, 4), source.time, true)
  expect(fleet.load(fleet.save(state), 1)).toEqual(state)
})
