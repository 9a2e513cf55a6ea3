import { Malformed, parseStrict } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { strictJson } from './strict-json.ts'

const utf8 = new TextEncoder()

/** Value, or what is said against it. */
function outcome(read: () => unknown): unknown {
  try {
    return { value: read() }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    return { refused: error.message }
  }
}

function agree(bytes: Uint8Array): void {
  expect(outcome(() => strictJson(bytes))).toEqual(outcome(() => parseStrict(bytes)))
}

test('the fast and the strict parser agree on every JSON text', () => {
  fc.assert(
    fc.property(fc.json(), (text) => agree(utf8.encode(text))),
    { numRuns: 500 },
  )
})

test('they agree on texts that were altered', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom(...'{}[]:,"\\ 0e-.tn\u0000\u00ff'), (text, at, by) => {
      const place = at % (text.length + 1)
      agree(utf8.encode(text.slice(0, place) + by + text.slice(place + 1)))
      agree(utf8.encode(text.slice(0, place) + by + text.slice(place)))
      agree(utf8.encode(text.slice(0, place)))
    }),
    { numRuns: 700 },
  )
})

test('they agree on what is refused for being two things at once', () => {
  const texts = [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"b":1,"b":1}}',
    '[{"x":":","x":0}]',
    '{"__proto__":1}',
    '{"\\u005f_proto__":{}}',
    '{"a":1e999}',
    '[-1e999]',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '{"a\\"":1,"a\\\\":":"}',
    `${'['.repeat(33)}${']'.repeat(33)}`,
    `${'['.repeat(40)}${']'.repeat(40)}`,
    '',
    '\ufeff{}',
    '{"constructor":1,"toString":2}',
    '{"1":1,"01":2,"1":3}',
  ]
  for (const text of texts) agree(utf8.encode(text))
  agree(Uint8Array.of(0x22, 0xff, 0x22))
})
