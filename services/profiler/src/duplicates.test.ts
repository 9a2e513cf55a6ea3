import { IdSample, keyOf, mergeSamples, tallyOfSamples } from '@interlock/columns'
import { type CountsOut, contentHash, decodeOut, encodeOut, type Input, type Policy } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createProfiler } from './main.ts'
import { eventInput, jsonInput, now, prediction, watchInput, watchOf } from './sample-watch.ts'

const profiler = createProfiler()
const plain = watchOf()
const asking = watchOf({
  policy: { ...plain.policy, guardrails: [{ signal: 'duplicates' }] } as unknown as Policy,
  policyHash: contentHash('duplicates'),
})
const watched = (watch: typeof plain) => profiler.step(profiler.empty(0), [watchInput(watch)], now, true)[0]

/** Counts of steps that take so many inputs each, after the watch. */
function countsOf(watch: typeof plain, inputs: readonly Input[], perStep = inputs.length): readonly CountsOut[] {
  let state = watched(watch)
  const counts: CountsOut[] = []
  for (let at = 0; at < inputs.length; at += perStep) {
    const [next, outs] = profiler.step(state, inputs.slice(at, at + perStep), now, true)
    state = profiler.load(profiler.save(next), profiler.version)
    counts.push(...outs.filter((out) => out.kind === 'counts'))
  }
  return counts
}

const sampleOf = (ids: readonly string[]): Uint8Array => {
  const sample = new IdSample()
  for (const id of ids) sample.add(keyOf(new TextEncoder().encode(id)))
  return sample.pack()
}

test('ids are sampled only where a rule of the policy asks for them: else counts are what they were', () => {
  const inputs = [eventInput(prediction({ id: 'p-1' })), eventInput(prediction({ id: 'p-1' }))]
  const [without] = countsOf(plain, inputs)
  expect(without).not.toHaveProperty('ids')
  const [{ ids, ...rest }] = countsOf(asking, inputs) as [CountsOut]
  expect(rest).toEqual(without)
  expect(ids).toEqual(sampleOf(['p-1', 'p-1']))
})

test('of two deployments on one topic only the one that asks is sampled', () => {
  const [state] = profiler.step(watched(asking), [watchInput(watchOf({ deployment: 'other' }))], now, true)
  const inputs = ['flight-delay', 'other'].map((deployment) => eventInput(prediction({ deployment })))
  const [, outs] = profiler.step(state, inputs, now, true)
  const counts = outs.filter((out) => out.kind === 'counts')
  expect(counts.map(({ deployment, ids }) => [deployment, ids])).toEqual([
    ['flight-delay', sampleOf(['p-1'])],
    ['other', undefined],
  ])
})

test('a sample goes through the log as it is', () => {
  const [counts] = countsOf(asking, [eventInput(prediction({ id: 'p-1' }))]) as [CountsOut]
  expect(decodeOut(encodeOut(counts))).toEqual(counts)
})

test('samples of any batching and any split of messages merge into the sample of all ids', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.nat(400).map((id) => `p-${id}`),
        { minLength: 1, maxLength: 900, size: 'max' },
      ),
      fc.integer({ min: 1, max: 40 }),
      (ids, perStep) => {
        const inputs = ids.map((id) => eventInput(prediction({ id })))
        const counts = countsOf(asking, inputs, perStep)
        expect(mergeSamples(counts.map((each) => each.ids!))).toEqual(sampleOf(ids))
        expect(countsOf(asking, [jsonInput(ids.map((id) => prediction({ id })))])[0]!.ids).toEqual(sampleOf(ids))
      },
    ),
    { numRuns: 15 },
  )
})

test('rows of another version, variant or pane repeat nothing, and rows without an id are in no sample', () => {
  const counts = countsOf(asking, [
    eventInput(prediction({ id: 'p-1' })),
    eventInput(prediction({ id: 'p-1', variant: 'shadow' })),
    eventInput(prediction({ id: 'p-1', eventTimeMs: now - 10_000 })),
    eventInput(prediction({ id: '' })),
    eventInput(prediction({ id: '' })),
  ])
  expect(counts.map(({ rows, ids }) => [rows, tallyOfSamples([ids!])])).toEqual([
    [1, { rows: 1, repeated: 0 }],
    [1, { rows: 1, repeated: 0 }],
    [3, { rows: 1, repeated: 0 }],
  ])
})
