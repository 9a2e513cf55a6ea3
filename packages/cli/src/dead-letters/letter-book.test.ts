import { rowBits, rowsIn } from '@interlock/columns'
import type { DeadLetterOut, DeadReason, Hash } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { bookBound, LetterBook, openRows, placeOf } from './letter-book.ts'

function letter(
  offset: bigint,
  reason: DeadReason,
  rows: readonly number[] | null,
  topic = 'predictions',
): DeadLetterOut {
  return {
    ...{ kind: 'dead-letter', topic, partition: 0, offset, row: rows?.[0] ?? 0, reason, detail: reason },
    payload: '0'.repeat(64) as Hash,
    count: rows?.length ?? 1,
    ...(rows === null ? {} : { rows: rowBits(rows) }),
  }
}
const replayed = (offset: bigint, rows: readonly number[]) =>
  ({ kind: 'replayed', topic: 'predictions', partition: 0, offset, copy: 99n, rows: rowBits(rows) }) as const
const open = (book: LetterBook, offset: bigint, reason?: DeadReason): number[] | 'whole' => {
  const record = book.get(`predictions/0/${offset}`)!
  const rows = openRows(record, reason === undefined ? {} : { reason })
  return rows === null ? 'whole' : rowsIn(rows)
}

test('a row is open under the newest letter that names it, until it was counted', () => {
  const book = new LetterBook()
  book.letter(letter(7n, 'unregistered', [0, 1, 2]), 10)
  book.letter(letter(7n, 'wrong-generation', [1]), 20)
  expect([open(book, 7n), open(book, 7n, 'unregistered'), open(book, 7n, 'wrong-generation')]).toEqual([
    [0, 1, 2],
    [0, 2],
    [1],
  ])
  book.replayed(replayed(7n, [0, 1]))
  expect([open(book, 7n), open(book, 7n, 'wrong-generation')]).toEqual([[2], []])
  expect(book.groups({}).map(({ reason, rows, replayed: done }) => [reason, rows, done])).toEqual([
    ['unregistered', 1, 2],
    ['wrong-generation', 0, 1],
  ])
})

test('a record that died as a whole is dead no more as a whole once its rows are named', () => {
  const book = new LetterBook()
  book.letter(letter(7n, 'unknown-schema', null), 10)
  expect(open(book, 7n)).toBe('whole')
  book.letter(letter(7n, 'unregistered', [2]), 20)
  book.replayed(replayed(7n, [0, 1]))
  expect(open(book, 7n)).toEqual([2])
  expect(open(book, 7n, 'unknown-schema')).toEqual([])
})

test('what cannot be submitted again says why, and times and topics select', () => {
  const book = new LetterBook()
  const { count: _, ...old } = letter(1n, 'malformed', null)
  book.letter(old, 10)
  book.letter(letter(2n, 'bad-signature', null, 'facts'), 20)
  book.letter(letter(3n, 'malformed', null), 30)
  expect(book.selected({}).map((record) => [placeOf(record), record.impossible])).toEqual([
    ['facts/0/2', 'sent again by its sender only'],
    ['predictions/0/1', 'the letter is of an older build'],
    ['predictions/0/3', null],
  ])
  expect(book.selected({ topic: 'predictions', since: 20, until: 40 }).map(placeOf)).toEqual(['predictions/0/3'])
  expect(book.selected({ until: 20 }).map(placeOf)).toEqual(['predictions/0/1'])
})

test('of too many records the newest are kept, and that is said', () => {
  const book = new LetterBook()
  for (let offset = 0; offset <= bookBound; offset++) book.letter(letter(BigInt(offset), 'malformed', null), offset)
  expect([book.isWhole, book.get('predictions/0/0'), book.get(`predictions/0/${bookBound}`) !== undefined]).toEqual([
    false,
    undefined,
    true,
  ])
})
