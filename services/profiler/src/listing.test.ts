import { type Input, ownRegistry, type Prediction } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { listRows } from './listing.ts'
import { createProfiler } from './main.ts'
import { eventInput, jsonInput, now, prediction, watchInput, watchOf } from './sample-watch.ts'

const profiler = createProfiler()
const [watching] = profiler.step(profiler.empty(0), [watchInput(watchOf({ candidate: 'm@v2' as never }))], now, true)

const events: fc.Arbitrary<Prediction> = fc
  .record({
    id: fc.string({ maxLength: 500 }),
    unit: fc.string({ unit: 'binary', maxLength: 500 }).map((text) => text.toWellFormed()),
    version: fc.constantFrom('m@v1', 'm@v2', 'm@v9'),
    variant: fc.constantFrom('stable', 'candidate', 'shadow'),
    generation: fc.constantFrom(1, 1, 4),
    eventTimeMs: fc.integer({ min: now - 30_000, max: now + 70_000 }),
    prediction: fc.constantFrom('on-time', 'sideways', '', null),
    score: fc.constantFrom(0.25, -3, null),
    segments: fc.constantFrom({ airport: 'ORD' }, { airport: 'Zürich' }, {}, { other: 'x' }),
    producer: fc.constantFrom('east', 'nobody'),
  })
  .map((changes) => prediction(changes as unknown as Partial<Prediction>))

/** What a listed row says of its event. */
const said = ({
  id,
  unit,
  eventTimeMs,
  version,
  variant,
  generation,
  prediction: answer,
  score,
  producer,
  segments,
}: Prediction) => ({
  ...{ id, unit, eventTimeMs, version, variant, generation, prediction: answer, score, producer },
  segments: { airport: segments.airport ?? null },
})

test('it lists every row that is counted as it was sent, no other, and counts as if nobody listed', () => {
  const messages = fc.array(fc.tuple(fc.boolean(), fc.array(events, { minLength: 1, maxLength: 5 })), { maxLength: 8 })
  const list = listRows(ownRegistry, () => true)
  fc.assert(
    fc.property(messages, (all) => {
      const inputs: Input[] = []
      const expected: unknown[] = []
      for (const [isAvro, of] of all) {
        const offset = BigInt(inputs.length)
        const sent = isAvro ? of.slice(0, 1) : of
        inputs.push(isAvro ? eventInput(sent[0]!, { offset }) : jsonInput(sent, { offset }))
        sent.forEach((event, row) => {
          const isCounted = event.version !== 'm@v9' && event.generation === 1 && event.eventTimeMs <= now + 60_000
          if (isCounted) expected.push({ ...said(event), offset, row })
        })
      }
      const { rows, outs, state } = list(watching, inputs, now, true)
      expect(rows.map((row) => ({ ...said(row as unknown as Prediction), offset: row.offset, row: row.row }))).toEqual(
        expected,
      )
      expect([state, outs]).toEqual(profiler.step(watching, inputs, now, true))
    }),
    { numRuns: 200 },
  )
})

test('only what is wanted is listed', () => {
  const list = listRows(
    ownRegistry,
    ({ version, variant }, at) => version === 'm@v2' && variant !== 'shadow' && at >= now,
  )
  const of = (changes: Partial<Prediction>): Prediction =>
    prediction({ version: 'm@v2', variant: 'candidate', ...changes })
  const inputs = [
    jsonInput([
      prediction(),
      of({ id: 'a' }),
      of({ variant: 'shadow' }),
      of({ eventTimeMs: now - 1 }),
      of({ id: 'b' }),
    ]),
  ]
  expect(list(watching, inputs, now, true).rows.map(({ id, row }) => [id, row])).toEqual([
    ['a', 1],
    ['b', 4],
  ])
})
