import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, contentHash } from './canonical.ts'

test('the example of RFC 8785 has the form that the RFC prints', () => {
  // RFC 8785 §3.2.2 (input) and §3.2.3 (output).
  const input = {
    // biome-ignore lint/correctness/noPrecisionLoss: the RFC's own literal
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  }
  expect(canonicalJson(input)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('keys are sorted by UTF-16 code units, as RFC 8785 §3.2.3 wants', () => {
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
  const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']
  const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])))
  expect([...text.matchAll(/"((?:[^"\\]|\\.)*)":0/g)].map(([, key]) => JSON.parse(`"${key}"`))).toEqual(sorted)
})

test('equal values have one text and one hash, and the text is read as the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonicalJson(JSON.parse(text))).toBe(text)
      expect(contentHash(JSON.parse(text))).toBe(contentHash(value))
    }),
  )
})

test('what has no JSON form is refused, not written as null', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 0])
    expect(() => canonicalJson([value])).toThrow(TypeError)
})
