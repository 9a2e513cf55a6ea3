import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Malformed } from './avro/bytes.ts'
import { canonicalJson } from './canonical.ts'
import { parseStrict } from './parse-strict.ts'

test('lawful JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6, stringUnit: 'grapheme' }), fc.constantFrom(0, 1, 2), (text, indent) => {
      fc.pre(!text.includes('__proto__'))
      const spaced = JSON.stringify(JSON.parse(text), null, indent)
      expect(parseStrict(spaced)).toEqual(JSON.parse(spaced))
      expect(parseStrict(Buffer.from(spaced))).toEqual(JSON.parse(spaced))
    }),
  )
})

test('no text is taken that JSON.parse refuses, and nothing but Malformed is thrown', () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom(...'{}[]",:0-+.eEtfn\\u \u0000'),
      (text, at, planted) => {
        const place = at % (text.length + 1)
        const damaged = text.slice(0, place) + planted + text.slice(place)
        let value: unknown
        try {
          value = parseStrict(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed)
          return
        }
        expect(value).toEqual(JSON.parse(damaged))
      },
    ),
    { numRuns: 2_000 },
  )
})

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

test.each([
  ['a key twice', '{"a":1,"b":{"c":1,\n "c":2}}', 'line 2, column 2: the key "c" stands twice'],
  ['a key twice by an escape', '{"a":1,"\\u0061":2}', 'stands twice'],
  ['the prototype as a key', '{"__proto__":{"admin":true}}', '"__proto__" is refused'],
  ['the prototype by an escape', '{"__pr\\u006fto__":1}', '"__proto__" is refused'],
  ['an abyss', nested(40), 'nested deeper than 32'],
  ['an abyss of a megabyte', '['.repeat(1_000_000), 'nested deeper than 32'],
  ['a number beyond a double', '[1e999]', 'beyond a double'],
  ['NaN', '{"a":NaN}', 'no JSON value begins so'],
  ['a comment', '{"a":1} // x', 'something follows'],
  ['a comma too many', '[1,]', 'no JSON value begins so'],
  ['single quotes', "{'a':1}", 'a key in quotes'],
  ['a leading zero', '01', 'something follows'],
  ['half a surrogate pair', '"\\ud800"', 'surrogate'],
  ['a raw line break in a string', '"a\nb"', 'does not end'],
  ['nothing', ' ', 'the text ends'],
  ['a byte order mark', '\ufeff{}', 'no JSON value begins so'],
])('%s is refused, with the place', (_what, text, reason) => {
  expect(() => parseStrict(text)).toThrow(Malformed)
  expect(() => parseStrict(Buffer.from(text))).toThrow(reason)
})

test('what is too large, or not UTF-8, is refused before it is read', () => {
  expect(() => parseStrict(Buffer.alloc(100, 0x20), { maxBytes: 99 })).toThrow('100 bytes, and 99')
  expect(() => parseStrict(Uint8Array.of(0x22, 0xc3, 0x28, 0x22))).toThrow('not UTF-8')
})

test('names that objects are born with are plain keys', () => {
  const text = '{"constructor":1,"hasOwnProperty":2,"toString":3}'
  expect(canonicalJson(parseStrict(text))).toBe(text)
})
