import { countRowBits, rowBits, rowsIn, unionRows } from '@interlock/columns'
import type {
  AnyOut,
  DeadLetterOut,
  Input,
  LogRecord,
  Prediction,
  ProgressOut,
  ReplayedOut,
} from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createProfiler } from './main.ts'
import { Replays, replayBounds, replayHeaders } from './replays.ts'
import { jsonInput, now, prediction, recordOf, watchInput, watchOf } from './sample-watch.ts'
import type { ProfilerState } from './state.ts'

const profiler = createProfiler()
const [watching] = profiler.step(profiler.empty(0), [watchInput(watchOf())], now, true)
/** A second deployment on the same topic, whose rows are dead until it is registered. */
const other = watchInput(watchOf({ deployment: 'other' }))

const ofKind = <Kind extends AnyOut['kind']>(outs: readonly AnyOut[], kind: Kind) =>
  outs.filter((out): out is Extract<AnyOut, { kind: Kind }> => out.kind === kind)

interface Ran {
  readonly state: ProfilerState
  readonly letters: readonly DeadLetterOut[]
  readonly replayed: readonly ReplayedOut[]
  readonly counted: number
  readonly setAside: number
  readonly dead: number
  readonly taken: number
}

function run(state: ProfilerState, inputs: readonly Input[]): Ran {
  const [next, outs] = profiler.step(state, inputs, now, true)
  const progress = ofKind(outs, 'progress')[0] as ProgressOut
  return {
    state: profiler.load(profiler.save(next), profiler.version),
    letters: ofKind(outs, 'dead-letter'),
    replayed: ofKind(outs, 'replayed'),
    counted: ofKind(outs, 'counts').reduce((sum, { rows }) => sum + rows, 0),
    setAside: progress.setAside ?? 0,
    dead: Object.values(progress.dead).reduce((sum, rows) => sum + rows, 0),
    taken: progress.taken,
  }
}

const recordIn = (input: Input): LogRecord => (input as Extract<Input, { kind: 'record' }>).record

/** The copy that a replay of a letter appends. */
function copyOf(original: LogRecord, letter: Pick<DeadLetterOut, 'rows'>, offset: bigint): Input {
  return recordOf(original.value, { offset, headers: replayHeaders(original, letter.rows ?? null) })
}

const mine = prediction()
const theirs = (id = 'x'): Prediction => prediction({ id, deployment: 'other' })

test('of a message of several only the dead rows are counted when it is submitted again, and a second copy is set aside', () => {
  const message = jsonInput([mine, theirs('a'), mine, theirs('b')], { offset: 5n })
  const first = run(watching, [message])
  const [letter] = first.letters
  expect([first.counted, first.dead, letter?.count, rowsIn(letter!.rows!)]).toEqual([2, 2, 2, [1, 3]])

  const again = run(first.state, [
    other,
    copyOf(recordIn(message), letter!, 9n),
    copyOf(recordIn(message), letter!, 10n),
  ])
  expect([again.taken, again.counted, again.setAside, again.dead]).toEqual([8, 2, 6, 0])
  expect(again.replayed).toEqual([
    { kind: 'replayed', topic: 'predictions', partition: 0, offset: 5n, copy: 9n, rows: rowBits([1, 3]) },
  ])
  const later = run(again.state, [copyOf(recordIn(message), letter!, 11n)])
  expect([later.counted, later.setAside, later.replayed]).toEqual([0, 4, []])
})

test('a copy whose cause is not mended dies again under the place of the dead record, and may be submitted once more', () => {
  const message = jsonInput([theirs('a')], { offset: 5n })
  const { state, letters } = run(watching, [message])
  const again = run(state, [copyOf(recordIn(message), letters[0]!, 9n)])
  expect(again.letters.map(({ offset, reason, rows }) => [offset, reason, rowsIn(rows!)])).toEqual([
    [5n, 'unregistered', [0]],
  ])
  const mended = run(again.state, [other, copyOf(recordIn(message), again.letters[0]!, 12n)])
  expect([mended.counted, mended.dead]).toEqual([1, 0])
})

test('a record that died as a whole is counted with all its rows, each once', () => {
  const unreadable = recordOf(new TextEncoder().encode('nothing'), { offset: 3n })
  const { letters, state } = run(watching, [unreadable])
  expect(letters[0]).toMatchObject({ reason: 'malformed', count: 1 })
  expect(letters[0]).not.toHaveProperty('rows')
  // Whatever made it unreadable is mended: the copy reads well.
  const readable = recordIn(jsonInput([mine, mine], { offset: 3n }))
  const again = run(state, [copyOf(readable, letters[0]!, 7n), copyOf(readable, letters[0]!, 8n)])
  expect([again.counted, again.setAside]).toEqual([2, 2])
  expect(again.state.replays?.[0]?.whole).toEqual([[3, 4]])
})

test('a header that names no earlier record of its own partition makes a dead letter, whatever it says', () => {
  const value = recordIn(jsonInput([mine])).value
  const headers = [
    { 'interlock-replay': 'predictions/0/9', 'interlock-replay-rows': 'all' },
    { 'interlock-replay': 'predictions/1/2', 'interlock-replay-rows': 'all' },
    { 'interlock-replay': 'elsewhere/0/2', 'interlock-replay-rows': 'all' },
    { 'interlock-replay': 'predictions/0/-1', 'interlock-replay-rows': 'all' },
    { 'interlock-replay': 'predictions/0/2' },
    { 'interlock-replay': 'predictions/0/2', 'interlock-replay-rows': '' },
    { 'interlock-replay': 'predictions/0/2', 'interlock-replay-rows': 'AB' },
    { 'interlock-replay': 'predictions/0/2', 'interlock-replay-rows': '__proto__' },
    { 'interlock-replay': 'predictions/0/2', 'interlock-replay-rows': Buffer.alloc(9_000, 1).toString('base64') },
  ]
  for (const one of headers) {
    const { counted, letters } = run(watching, [recordOf(value, { offset: 9n, headers: one })])
    expect([counted, letters.map(({ reason, offset }) => [reason, offset])]).toEqual([0, [['malformed', 9n]]])
  }
})

test('what would have to be remembered beyond the bounds is forgotten from the oldest on, and never counted again', () => {
  const replays = new Replays([])
  const count = replayBounds.entries + 10
  for (let index = 0; index < count; index++) replays.add('predictions/0', BigInt(index * 2), rowBits([0]), 1)
  expect(replays.partitions[0]?.whole).toHaveLength(replayBounds.entries)
  expect(replays.countedOf('predictions/0', 0n)).toBe('forgotten')
  expect(replays.countedOf('predictions/0', BigInt(2 * count - 2))).toBe('all')
  const message = jsonInput([mine], { offset: 1n })
  const forgetful: ProfilerState = { ...watching, replays: replays.partitions }
  const { counted, letters } = run(forgetful, [copyOf(recordIn(message), { rows: rowBits([0]) }, BigInt(3 * count))])
  expect([counted, letters[0]?.reason, letters[0]?.offset]).toEqual([0, 'replay-forgotten', 1n])
})

test('neighbours that are wholly counted are one span, in whatever order they came', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(40), { maxLength: 40 }), (offsets) => {
      const replays = new Replays([])
      for (const offset of offsets) replays.add('t/0', BigInt(offset), rowBits([0]), 1)
      const spans = replays.partitions[0]?.whole ?? []
      const inSpans = spans.flatMap(([from, to]) => Array.from({ length: to - from }, (_, at) => from + at))
      expect(inSpans).toEqual([...offsets].sort((a, b) => a - b))
      spans.forEach(([from], index) => {
        if (index > 0) expect(from).toBeGreaterThan(spans[index - 1]![1])
      })
    }),
  )
})

test('however often, in whatever order and batches copies come, before and after the cause is mended: each row is counted once', () => {
  const messages = fc.array(fc.array(fc.constantFrom('mine', 'theirs', 'never'), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 5,
  })
  const copies = fc.array(fc.tuple(fc.nat(4), fc.boolean()), { maxLength: 25 })
  const eventOf = { mine, theirs: theirs(), never: prediction({ deployment: 'nobody-knows' }) }
  fc.assert(
    fc.property(messages, copies, fc.nat(25), (shapes, wishes, mendedAt) => {
      const originals = shapes.map((shape, at) =>
        jsonInput(
          shape.map((name) => eventOf[name as keyof typeof eventOf]),
          { offset: BigInt(at) },
        ),
      )
      let ran = run(watching, originals)
      let counted = ran.counted
      const letterOf = new Map(ran.letters.map((letter) => [Number(letter.offset), letter]))
      const replayed = new Map<number, Uint8Array>()
      let batch: Input[] = []
      const flush = (): void => {
        ran = run(ran.state, batch)
        batch = []
        counted += ran.counted
        for (const { offset, rows } of ran.replayed) {
          const before = replayed.get(Number(offset)) ?? new Uint8Array()
          // No row is ever told of twice.
          expect(countRowBits(unionRows(before, rows))).toBe(countRowBits(before) + countRowBits(rows))
          replayed.set(Number(offset), unionRows(before, rows))
        }
      }
      const everything = [...wishes, ...originals.map((_, at) => [at, true] as [number, boolean])]
      everything.forEach(([which, ends], index) => {
        if (index === Math.min(mendedAt, wishes.length)) batch.push(other)
        const letter = letterOf.get(which)
        if (letter !== undefined) {
          batch.push(copyOf(recordIn(originals[which]!), letter, BigInt(100 + index)))
        }
        if (ends) flush()
      })
      flush()
      const rows = shapes.flat()
      expect(counted).toBe(rows.filter((name) => name !== 'never').length)
    }),
    { numRuns: 200 },
  )
})
