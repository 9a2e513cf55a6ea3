import {
  type AnyOut,
  addPacked,
  type CountsOut,
  canonicalJson,
  contentHash,
  type DeadLetterOut,
  decodeOut,
  encodeOut,
  type Input,
  layoutOf,
  type Prediction,
  type ProgressOut,
} from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createProfiler, profilerInputs } from './main.ts'
import { eventInput, jsonInput, now, prediction, recordOf, sampleSpec, watchInput, watchOf } from './sample-watch.ts'
import type { ProfilerState } from './state.ts'

const profiler = createProfiler()
const [watching] = profiler.step(profiler.empty(0), [watchInput(watchOf({ candidate: 'm@v2' as never }))], now, true)

const outsOf = <Kind extends AnyOut['kind']>(outs: readonly AnyOut[], kind: Kind) =>
  outs.filter((out): out is Extract<AnyOut, { kind: Kind }> => out.kind === kind)

function run(inputs: readonly Input[], state: ProfilerState = watching, time = now, caughtUp = true) {
  const [next, outs] = profiler.step(state, inputs, time, caughtUp)
  return {
    state: next,
    outs,
    counts: outsOf(outs, 'counts'),
    letters: outsOf(outs, 'dead-letter'),
    progress: outsOf(outs, 'progress')[0] as ProgressOut,
  }
}

/** Counts by everything that tells cells apart, whatever the outs they came in. */
function sums(counts: readonly CountsOut[]): Record<string, number[]> {
  const { width } = layoutOf(sampleSpec)
  const result: Record<string, Float64Array> = {}
  for (const { deployment, generation, version, variant, pane, slices } of counts) {
    for (const { dimension, value, counts: packed } of slices) {
      const key = [deployment, generation, version, variant, pane, dimension, value].join(' ')
      result[key] ??= new Float64Array(width)
      addPacked(packed, result[key])
    }
  }
  const keys = Object.keys(result).sort()
  return Object.fromEntries(keys.map((key) => [key, [...result[key]!]]))
}

function reasons(letters: readonly DeadLetterOut[]): string[] {
  return letters.map(({ reason }) => reason)
}

test('rows are counted by generation, version, variant and pane, with the span of offsets that holds them', () => {
  const { counts, progress } = run([
    eventInput(prediction(), { offset: 5n }),
    eventInput(prediction({ version: 'm@v2', variant: 'candidate' }), { offset: 6n }),
    eventInput(prediction({ eventTimeMs: now - 10_000 }), { offset: 7n }),
    eventInput(prediction(), { offset: 9n }),
  ])
  expect(
    counts.map(({ version, variant, pane, rows, span }) => [version, variant, pane, rows, span.from, span.to]),
  ).toEqual([
    ['m@v1', 'stable', now - 10_000, 1, 7n, 8n],
    ['m@v1', 'stable', now, 2, 5n, 10n],
    ['m@v2', 'candidate', now, 1, 6n, 7n],
  ])
  expect(progress).toMatchObject({ taken: 4, counted: 4, dead: {} })
})

test('a new spec is echoed, and rows before and after it in one batch are counted under their own', () => {
  const spec = { ...sampleSpec, producers: ['east'] }
  const second = watchOf({ generation: 2, spec, from: now })
  const { outs, counts } = run([
    eventInput(prediction()),
    watchInput(second),
    eventInput(prediction({ generation: 2 })),
    eventInput(prediction({ generation: 1 })),
    eventInput(prediction({ generation: 1, eventTimeMs: now - 10_000 })),
  ])
  expect(outsOf(outs, 'echo')).toEqual([
    { kind: 'echo', shard: 0, deployment: 'flight-delay', generation: 2, spec: contentHash(spec) },
  ])
  const [before, after] = [contentHash(sampleSpec), contentHash(spec)]
  expect(counts.map((out) => [out.generation, out.pane, out.spec])).toEqual([
    [1, now, before],
    [1, now - 10_000, before],
    [1, now, after],
    [2, now, after],
  ])
})

test('a watch whose spec cannot be counted is not echoed and changes nothing', () => {
  const bad = [
    watchOf({ generation: 2, spec: { ...sampleSpec, scoreEdges: [1, 0] } }),
    watchOf({ generation: 2, specHash: contentHash('another') }),
    watchOf({ deployment: 'other', document: { mapping: { version: 'model' } } }),
    watchOf({ deployment: 'other', document: { topics: { predictions: 'features' } } }),
  ]
  for (const watch of bad) {
    const { outs, state } = run([watchInput(watch)])
    expect(outsOf(outs, 'echo')).toEqual([])
    expect(state.watches).toEqual(watching.watches)
  }
})

test('a candidate that was taken back is still counted, so that a rollback can be verified', () => {
  const back = run([watchInput(watchOf({ candidate: null }))]).state
  const { counts } = run([eventInput(prediction({ version: 'm@v2', variant: 'candidate' }))], back)
  expect(counts.map(({ version, rows }) => [version, rows])).toEqual([['m@v2', 1]])
})

test('generations are kept for those that routers still name, and dropped when three newer ones are watched', () => {
  let state = watching
  for (const generation of [2, 3, 4]) state = run([watchInput(watchOf({ generation }))], state).state
  expect(state.watches.map(({ generation }) => generation)).toEqual([2, 3, 4])
  expect(reasons(run([eventInput(prediction({ generation: 1 }))], state).letters)).toEqual(['wrong-generation'])
})

test('every kind of row that cannot be counted is a dead letter of its own reason, and its neighbours are counted', () => {
  const cases: readonly (readonly [string, Partial<Prediction>])[] = [
    ['unregistered', { deployment: 'nobody' }],
    ['wrong-environment', { environment: 'test' }],
    ['wrong-environment', { tenant: 'others' }],
    ['unknown-version', { version: 'm@v9' }],
    ['wrong-generation', { generation: 2 }],
    ['bad-time', { eventTimeMs: -1 }],
    ['bad-time', { eventTimeMs: 0 }],
    ['bad-time', { eventTimeMs: now / 1_000 }],
    ['future', { eventTimeMs: now + 60_001 }],
    ['future', { eventTimeMs: now + 10 * 365 * 86_400_000 }],
  ]
  for (const [reason, changes] of cases) {
    const events = [prediction(), prediction(changes), prediction()]
    const { letters, progress, counts } = run([jsonInput(events, { offset: 7n })])
    expect([changes, letters.map((letter) => [letter.reason, letter.offset, letter.row])]).toEqual([
      changes,
      [[reason, 7n, 1]],
    ])
    expect(progress).toMatchObject({ taken: 3, counted: 2, dead: { [reason]: 1 } })
    expect(counts.map(({ rows }) => rows)).toEqual([2])
  }
  expect(run([eventInput(prediction({ eventTimeMs: now + 60_000 }))]).letters).toEqual([])
})

test('the skew allowed to an event time is measured from its own record, not from the step', () => {
  const fresh = eventInput(prediction())
  const old = eventInput(prediction(), { at: now - 3_600_000, offset: 1n })
  expect(reasons(run([fresh, old, fresh]).letters)).toEqual(['future'])
})

test('a row on a topic that its deployment does not name is not counted', () => {
  const { letters, progress } = run([eventInput(prediction()), eventInput(prediction(), { topic: 'elsewhere' })])
  expect(reasons(letters)).toEqual(['unregistered'])
  expect(progress.counted).toBe(1)
})

test("answers of the declared rule are counted apart, although no manifest names the rule's version", () => {
  const { counts } = run([eventInput(prediction({ version: 'flight-delay@rule', status: 'fallback' }))])
  expect(counts.map(({ version, rows }) => [version, rows])).toEqual([['fallback', 1]])
})

test('features and outcomes are checked and accounted for, and enter no pane', () => {
  const outcome = { predictionId: 'p-1', environment: 'prod', deployment: 'flight-delay', eventTimeMs: now }
  const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
  const { progress, counts, letters } = run([
    recordOf(bytes(outcome), { topic: 'outcomes' }),
    recordOf(bytes({ records: [outcome, {}] }), { topic: 'features' }),
  ])
  expect(progress).toMatchObject({ taken: 3, counted: 0, setAside: 2, dead: { 'wrong-type': 1 } })
  expect(counts).toEqual([])
  expect(letters.map(({ topic, row }) => [topic, row])).toEqual([['features', 1]])
})

test('a message of many bad rows is one dead letter a reason, and every row is in the account', () => {
  const events = Array.from({ length: 500 }, (_, row) =>
    prediction(row % 2 === 0 ? { version: 'm@v9' } : { deployment: 'nobody' }),
  )
  const { letters, progress } = run([jsonInput(events)])
  expect(letters.map(({ reason, row, detail }) => [reason, row, detail.slice(0, 8)])).toEqual([
    ['unknown-version', 0, '250 rows'],
    ['unregistered', 1, '250 rows'],
  ])
  expect(progress.dead).toEqual({ 'unknown-version': 250, unregistered: 250 })
})

test('one message whose rows lie in thousands of panes is refused whole instead of making an entry that no log takes', () => {
  const spread = Array.from({ length: 2_500 }, (_, row) => prediction({ eventTimeMs: now - row * 10_000, unit: '' }))
  const { letters, progress, outs } = run([jsonInput(spread)])
  expect(reasons(letters)).toEqual(['oversized'])
  expect(progress).toMatchObject({ taken: 2_500, counted: 0, dead: { oversized: 2_500 } })
  expect(sizeOf(outs)).toBeLessThan(10_000)
  const narrow = Array.from({ length: 2_500 }, (_, row) => prediction({ eventTimeMs: now - (row % 4) * 10_000 }))
  expect(run([jsonInput(narrow)]).progress.counted).toBe(2_500)
})

function sizeOf(outs: readonly AnyOut[]): number {
  return outs.reduce((sum, out) => sum + encodeOut(out).value.length, 0)
}

test('caught up, the watermark is a second behind the step; it never goes back', () => {
  const first = run([], watching, now + 5_000)
  expect(first.progress.watermark).toBe(now + 4_000)
  expect(run([], first.state, now).progress.watermark).toBe(now + 4_000)
})

test('in a backlog the watermark is the median record timestamp, and one odd clock does not move it', () => {
  const at = (time: number): Input => eventInput(prediction({ eventTimeMs: time }), { at: time })
  const behind = profiler.step(profiler.empty(0), [watchInput(watchOf())], 0, false)[0]
  const { progress } = run(
    [at(now - 9_000), at(now - 8_000), at(now - 7_000), at(now + 86_400_000)],
    behind,
    now,
    false,
  )
  expect(progress.watermark).toBe(now - 8_000)
  expect(run([], behind, now, false).progress.watermark).toBe(behind.watermark)
  expect(run([at(now + 5_000)], behind, now, false).progress.watermark).toBe(now)
})

const anyEvent: fc.Arbitrary<Prediction> = fc
  .record({
    deployment: fc.constantFrom('flight-delay', 'flight-delay', 'nobody'),
    generation: fc.constantFrom(1, 1, 1, 2),
    version: fc.constantFrom('m@v1', 'm@v2', 'm@v9'),
    variant: fc.constantFrom('stable' as const, 'candidate' as const, 'shadow' as const),
    eventTimeMs: fc.constantFrom(now, now - 10_000, now - 15_000, now + 10_000_000, 0),
    features: fc.record({
      distance: fc.integer({ min: -10, max: 2_100 }),
      origin: fc.constantFrom('ORD', 'ATL', 'XXX', null),
    }),
    producer: fc.constantFrom('east', 'west', 'x'),
    segments: fc.record({ airport: fc.constantFrom('ORD', 'X') }, { requiredKeys: [] }),
  })
  .map((changes) => prediction(changes as Partial<Prediction>))

test('any split of the same records into steps gives the same counts, dead letters and account', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, fc.boolean()), { minLength: 1, maxLength: 25 }), (events) => {
      const inputs = events.map(([event, isJson], offset) =>
        isJson
          ? jsonInput([event, prediction()], { offset: BigInt(offset) })
          : eventInput(event, { offset: BigInt(offset) }),
      )
      const once = run(inputs)
      let state = watching
      const counts: CountsOut[] = []
      const letters: DeadLetterOut[] = []
      for (let at = 0; at < inputs.length; ) {
        const size = events[at]![1] ? 1 : 3
        const part = run(inputs.slice(at, at + size), state)
        at += size
        state = part.state
        counts.push(...part.counts)
        letters.push(...part.letters)
      }
      expect(sums(counts)).toEqual(sums(once.counts))
      expect(letters).toEqual(once.letters)
      expect(state.totals).toEqual(once.state.totals)
      const rows = once.counts.reduce((sum, out) => sum + out.rows, 0)
      expect(rows).toBe(once.progress.counted)
    }),
    { numRuns: 100 },
  )
})

test('hostile payloads of every kind balance, leave the rows around them counted, and the state small', () => {
  const deep = `${'['.repeat(200_000)}`
  const payloads: readonly (Uint8Array | null)[] = [
    null,
    new Uint8Array(10_000_000),
    Buffer.from(deep),
    Buffer.from(`{"a":${deep}`),
    Buffer.from('{"__proto__":{"deployment":"flight-delay"}}'),
    Buffer.from(JSON.stringify({ ...prediction(), eventTimeMs: '1700000000000' })),
    Buffer.from(JSON.stringify({ ...prediction(), features: 'NaN' })),
    Buffer.from(JSON.stringify(prediction()).replace('"distance":250', '"distance":1e999')),
    Buffer.from(JSON.stringify({ ...prediction(), generation: 1e300 })),
    Buffer.from([0, 0, 0, 0, 1, 9, 9, 9]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
  ]
  const inputs = payloads.flatMap((value, index) => [
    recordOf(value, { offset: BigInt(2 * index) }),
    eventInput(prediction(), { offset: BigInt(2 * index + 1) }),
  ])
  const { progress, letters, state } = run(inputs)
  expect(progress).toMatchObject({ taken: 2 * payloads.length, counted: payloads.length })
  expect(letters.map(({ offset }) => offset)).toEqual(payloads.map((_, index) => BigInt(2 * index)))
  expect(profiler.save(state).length).toBeLessThan(4_000)
  expect(({} as Record<string, unknown>).deployment).toBeUndefined()
})

test('twenty thousand categories in as many rows leave outs and state as small as one does', () => {
  const many = (prefix: string): Input[] =>
    Array.from({ length: 20 }, (_, message) =>
      jsonInput(
        Array.from({ length: 1_000 }, (_, row) => {
          const word = `${prefix}${message * 1_000 + row}`
          return prediction({
            features: { origin: word },
            segments: { airport: word },
            producer: word,
            id: '',
            unit: '',
          })
        }),
        { offset: BigInt(message) },
      ),
    )
  const { outs, state, progress } = run(many('x'))
  expect(progress.counted).toBe(20_000)
  expect(sizeOf(outs)).toBeLessThan(1_000)
  expect(profiler.save(state).length).toBeLessThan(4_000)
})

test('saving and loading changes nothing, and the same step from both gives the same bytes', () => {
  const inputs = [eventInput(prediction()), eventInput(prediction({ version: 'm@v9' }), { offset: 1n })]
  const before = run(inputs).state
  const loaded = profiler.load(profiler.save(before), profiler.version)
  expect(profiler.save(loaded)).toEqual(profiler.save(before))
  expect(run(inputs, loaded).outs.map(encodeOut)).toEqual(run(inputs, before).outs.map(encodeOut))
  expect(() => profiler.load(profiler.save(before), 99)).toThrow(/version 99.*start the build/)
})

test('a step leaves the state that it was given as it was', () => {
  const before = canonicalJson(watching)
  run([
    watchInput(watchOf({ generation: 2 })),
    eventInput(prediction()),
    eventInput(prediction({ deployment: 'nobody' })),
  ])
  expect(canonicalJson(watching)).toBe(before)
})

test('every out is what the log can carry', () => {
  const { outs } = run([
    watchInput(watchOf({ generation: 2 })),
    eventInput(prediction()),
    eventInput(prediction({ deployment: 'nobody' })),
    recordOf(Buffer.from('{"environment":"prod","deployment":"flight-delay","eventTimeMs":1}'), { topic: 'features' }),
  ])
  expect(new Set(outs.map(({ kind }) => kind))).toEqual(new Set(['echo', 'counts', 'dead-letter', 'progress']))
  for (const out of outs) {
    const back = decodeOut(encodeOut(out))
    expect({ ...back, slices: undefined }).toEqual({ ...out, slices: undefined })
  }
})

test('a shard reads its partition of every topic, each once, and all shards of the governor first', () => {
  const topics = [
    { predictions: 'p', features: 'f' },
    { predictions: 'p', outcomes: 'o' },
  ]
  expect(profilerInputs(3, topics, 2)).toEqual([
    { kind: 'log', topic: 'log.governor', partition: 0 },
    { kind: 'log', topic: 'log.governor', partition: 1 },
    { kind: 'topic', topic: 'f', partition: 3 },
    { kind: 'topic', topic: 'o', partition: 3 },
    { kind: 'topic', topic: 'p', partition: 3 },
  ])
})
