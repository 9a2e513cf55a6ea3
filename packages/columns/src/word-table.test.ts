import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bounds } from './bounds.ts'
import { unknownWord, WordTable } from './word-table.ts'

const utf8 = new TextEncoder()

test('a word has the same code from text and from bytes, and other words have none', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 60 }),
      fc.string(),
      (words, other) => {
        const table = new WordTable(words)
        for (const [code, word] of words.entries()) {
          const padded = utf8.encode(`..${word}..`)
          expect(table.codeOf(word)).toBe(code)
          expect(table.codeOfBytes(padded, 2, padded.length - 2)).toBe(code)
        }
        const bytes = utf8.encode(other)
        expect(table.codeOfBytes(bytes, 0, bytes.length)).toBe(words.indexOf(other))
      },
    ),
  )
})

test('names of Object.prototype and bytes that are no UTF-8 are unknown words like any other', () => {
  const table = new WordTable(['ORD', '�'])
  expect(table.codeOf('__proto__')).toBe(unknownWord)
  expect(table.codeOf('constructor')).toBe(unknownWord)
  expect(table.codeOfBytes(Uint8Array.of(0xff), 0, 1)).toBe(unknownWord)
})

test('a word beyond the bound is unknown without being looked at', () => {
  const long = 'x'.repeat(bounds.wordBytes + 1)
  expect(new WordTable([long]).codeOfBytes(utf8.encode(long), 0, long.length)).toBe(unknownWord)
})

test('a table refuses a word that stands twice', () => {
  expect(() => new WordTable(['a', 'a'])).toThrow(/twice/)
})
