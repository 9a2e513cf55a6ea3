import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readingGrade } from './reading-grade.ts'
import type { Fact } from './say/fact.ts'
import { longestSentence } from './say/measured.ts'
import { capital, duration, sharesOf, times, twoDigits } from './say/phrases.ts'
import { say } from './say.ts'

type Vector = { readonly id: string; readonly text: string; readonly fact: Fact }
const vectors: readonly Vector[] = JSON.parse(readFileSync(new URL('./say.vectors.json', import.meta.url), 'utf8'))

/** Words that explain nothing to a lay reader, that blame, or that soothe. */
const forbidden =
  /significan|anomal|p-?value|e-?value|\bPSI\b|\bKL\b|\bKS\b|diverg|chi-|sigma|alpha|likelihood|posterior|nats|statistic|hypothes|drift|should be fine|\bfault of\b|!/i

test('there are at least 60 vectors, and every one is said exactly as it stands', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(60)
  for (const { id, text, fact } of vectors) expect(say(fact)).toMatchObject({ id, text })
})

test('every text has at most three sentences of at most 25 words, and none of the forbidden words', () => {
  for (const { fact } of vectors) {
    const { text } = say(fact)
    const sentences = text.split(/(?<=[.?])\s/)
    expect(sentences.length, text).toBeLessThanOrEqual(3)
    for (const sentence of sentences) {
      const count = sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
      expect(count, sentence).toBeLessThanOrEqual(longestSentence)
      expect(sentence).toMatch(/[.?]$/)
    }
    expect(text).not.toMatch(forbidden)
  }
})

test('every text can be read by somebody of thirteen: grade 8 at most', () => {
  for (const { fact } of vectors) {
    const { text } = say(fact)
    expect(readingGrade(text), text).toBeLessThanOrEqual(8)
  }
})

test('the parts of a text are the text, and its hash tells one text from another', () => {
  for (const { fact } of vectors) {
    const said = say(fact)
    expect(said.parts.map(({ text }) => text).join('')).toBe(said.text)
    expect(said.text.startsWith(said.brief)).toBe(true)
    expect(say(structuredClone(fact)).hash).toBe(said.hash)
  }
  const hashes = new Map(vectors.map(({ fact }) => say(fact)).map(({ hash, text, id }) => [hash, `${id} ${text}`]))
  expect(hashes.size).toBe(new Set(hashes.values()).size)
})

test('a number, a name and a time carry the value behind their words', () => {
  const { parts } = say({
    kind: 'error-rate',
    ...plain,
    since: 1_000,
    sinceTo: 1_000,
    rows: 'flights',
    now: 0.024,
    before: 0.003,
  })
  expect(parts.filter(({ kind }) => kind !== 'text')).toEqual([
    { kind: 'name', text: 'v2', value: 'm@v2' },
    { kind: 'number', text: '24', value: 24 },
    { kind: 'number', text: '1,000', value: 1_000 },
    { kind: 'time', text: '00:00:01 UTC', value: 1_000 },
    { kind: 'name', text: 'v1', value: 'm@v1' },
    { kind: 'number', text: '3', value: 3 },
  ])
})

test('a measurement never says more than three sentences and never a long one, whatever the numbers and names', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const name = fc.constantFrom('origin', 'share of late flights', 'the longest name allowed', '"some_feature_id"')
  const bin = fc.constantFrom(
    null,
    'missing',
    '"ORD"',
    '1,600 and more',
    '0.125 to 0.25',
    'below -3',
    '__other__',
    'odd',
  )
  const facts = fc.record({
    kind: fc.constant('distribution-differs' as const),
    version: fc.constant('m@v2'),
    than: fc.constantFrom(null, 'm@v1'),
    feature: name,
    unit: fc.constantFrom(null, 'miles', 'miles per hour'),
    rows: fc.constantFrom('flights', 'loan requests made online'),
    bin,
    now: share,
    before: share,
    factor: fc.option(fc.double({ min: 1e-6, max: 1e6, noNaN: true })),
    since: fc.option(fc.integer({ min: 0, max: 4e12 })),
    sinceTo: fc.constant(null),
    where: fc.constantFrom(null, 'producer'),
    whereValue: fc.constantFrom(null, 'northeast'),
    whereOnly: fc.boolean(),
    odds: fc.constantFrom(null, 1, 1_000),
    oddsOf: fc.constantFrom(null, 'rollouts' as const, 'years' as const),
  })
  fc.assert(
    fc.property(facts, (fact) => {
      const sentences = say(fact).text.split(/(?<=[.?])\s/)
      expect(sentences.length).toBeLessThanOrEqual(3)
      for (const sentence of sentences) {
        expect(sentence.split(/\s+/).length, sentence).toBeLessThanOrEqual(longestSentence + 2)
        expect(sentence).not.toMatch(/undefined|null|NaN|Infinity|e[+-]\d/)
      }
    }),
    { numRuns: 500 },
  )
})

test('two shares stand on one base, which is large enough to tell them apart', () => {
  const bases = (now: number, before: number) => {
    const shares = sharesOf(now, before)
    return [shares.now.text, shares.before.text, shares.base.text]
  }
  expect(bases(0.25, 0.08)).toEqual(['25', '8', '100'])
  expect(bases(0.024, 0.003)).toEqual(['24', '3', '1,000'])
  expect(bases(0.12, 0.0004)).toEqual(['1,200', '4', '10,000'])
  expect(bases(0.2501, 0.2549)).toEqual(['250', '255', '1,000'])
  expect(bases(0, 0)).toEqual(['0', '0', '100'])
})

test('a ratio is told as the same, in percent, in times, or as over 10 times', () => {
  expect([0.5, 0.95, 1.05, 1.06, 1.49, 1.5, 1.6093, 9.96, 10].map(times)).toEqual([
    'about 50 % less than',
    'the same as',
    'the same as',
    'about 6 % more than',
    'about 49 % more than',
    'about 1.5 times',
    'about 1.6 times',
    'about 10 times',
    'over 10 times',
  ])
})

test('a plain word begins a sentence in upper case, a name stays as it is', () => {
  const begun = [
    'complaints from Chicago',
    "it's late",
    'élan',
    'v2 fails',
    'rc-1 fails',
    '"origin" differs',
    'ORD',
    'flight-delay@v2',
  ].map(capital)
  expect(begun).toEqual([
    'Complaints from Chicago',
    "It's late",
    'Élan',
    'v2 fails',
    'rc-1 fails',
    '"origin" differs',
    'ORD',
    'flight-delay@v2',
  ])
})

test('durations and small numbers keep two digits', () => {
  expect([0, 410, 1_500, 9_000, 95_000, 2_400_000, 14_400_000, 259_200_000].map((ms) => duration(ms).text)).toEqual([
    '0 ms',
    '410 ms',
    '1.5 s',
    '9 s',
    '95 s',
    '40 min',
    '4 h',
    '3 days',
  ])
  expect([0, 0.0123, 0.5, 1.61, 12.4, 1_234].map(twoDigits)).toEqual(['0', '0.012', '0.5', '1.6', '12', '1,234'])
})

const plain = {
  version: 'm@v2',
  than: 'm@v1',
  where: null,
  whereValue: null,
  whereOnly: false,
  odds: null,
  oddsOf: null,
} as const
