import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { check } from './check.ts'
import { sourceBounds } from './read-yaml.ts'

/** The whole policy of the reference: every kind of key in few lines, so that 2,000 runs are quick. */
const reference = readFileSync(new URL('../../../docs/policy-reference.md', import.meta.url), 'utf8')
const example = /```yaml\n([\s\S]*?)```/.exec(reference)![1]!

/** Sources that are meant to hang, crash or deceive a reader of YAML. */
const bombs: Readonly<Record<string, readonly [source: string, code: string]>> = {
  'a billion laughs': [
    `a: &a [x, x, x, x, x, x, x, x]\n${[...'bcdefghi'].map((name, index) => `${name}: &${name} [${Array(8).fill(`*${'abcdefgh'[index]}`).join(', ')}]`).join('\n')}\n`,
    'not-plain',
  ],
  'an alias of itself': ['a: &a [*a]\n', 'not-plain'],
  'a merge key': ['base: &base { x: 1 }\nrule: { <<: *base }\n', 'not-plain'],
  'deep brackets': [`policy: ${'['.repeat(100_000)}`, 'too-deep'],
  'deep maps': [`policy: ${'{a: '.repeat(50_000)}`, 'too-deep'],
  'deep lists on one line': ['- '.repeat(100_000), 'too-deep'],
  'deep explicit keys': ['? '.repeat(100_000), 'too-deep'],
  'too many bytes': [`# ${'é'.repeat(sourceBounds.bytes)}\n${example}`, 'too-large'],
  'too many words': [Array.from({ length: 6_000 }, (_, index) => `a${index}:`).join('\n'), 'too-large'],
  'too many entries': [Array.from({ length: 2_000 }, (_, index) => `a${index}: 1`).join('\n'), 'too-large'],
  'a key twice': [`${example}\nclass: low\n`, 'duplicate-key'],
  'a key twice, spelled otherwise': [`${example}\n"cl\\x61ss": low\n`, 'duplicate-key'],
  'the prototype': [`${example}\n__proto__: { polluted: true }\n`, 'bad-key'],
  'the prototype in a rule': ['guardrails:\n  __proto__: { signal: errors }\n', 'bad-key'],
  'the constructor': ['constructor: { prototype: { polluted: true } }\n', 'bad-key'],
  'a tag': ['policy: !!js/function "function () { return 1 }"\n', 'not-plain'],
  'a known tag': ['policy: !!str 5\n', 'not-plain'],
  'a map as key': ['? { a: 1 }\n: 2\n', 'bad-key'],
  'two documents': [`${example}\n---\n${example}`, 'not-yaml'],
  'an open quote': ['policy: "flight\n', 'not-yaml'],
  'a tab as indent': ['stages:\n\t- share: 5%\n', 'not-yaml'],
  'nothing at all': ['', 'wrong-type'],
  'a list': ['- 1\n', 'wrong-type'],
  'only a word': ['policy', 'wrong-type'],
}

for (const [name, [source, code]] of Object.entries(bombs)) {
  test(`refused with a place and a reason: ${name}`, () => {
    const { policy, problems } = check(source, 'p.yaml')
    expect(policy).toBeNull()
    expect(problems.map((problem) => problem.code)).toContain(code)
    for (const { line, column, happened } of problems) {
      expect(line).toBeGreaterThanOrEqual(1)
      expect(column).toBeGreaterThanOrEqual(1)
      expect(happened.length).toBeLessThan(300)
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
}

/** Pieces that a mangled policy may gain. */
const shards = [
  '[',
  '{',
  '}',
  ']',
  ': ',
  '- ',
  '? ',
  '&a ',
  '*a',
  '!!map ',
  '"',
  "'",
  '|\n',
  '>\n',
  '\t',
  '\n',
  '#',
  '---\n',
  '...\n',
  '%YAML 9\n',
  '<<: ',
  '__proto__: 1\n',
  '\u0000',
  '\ufeff',
  '💥',
  '1e999',
  '.nan',
  '~',
  'shadow',
  '9'.repeat(400),
]

test('2,000 mangled policies: none throws, each is either whole or refused with places inside it', () => {
  const edit = fc.record({
    at: fc.nat(example.length),
    cut: fc.nat(40),
    put: fc.oneof(fc.constantFrom(...shards), fc.string({ maxLength: 12, unit: 'binary' })),
  })
  let refused = 0
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
      let source = example
      for (const { at, cut, put } of edits) source = source.slice(0, at) + put + source.slice(at + cut)
      const { policy, problems } = check(source, 'p.yaml')
      expect(policy === null).toBe(problems.length > 0)
      const lines = source.split('\n').length
      for (const { line, column } of problems) {
        expect(line).toBeGreaterThanOrEqual(1)
        expect(line).toBeLessThanOrEqual(lines)
        expect(column).toBeGreaterThanOrEqual(1)
      }
      if (policy === null) refused++
    }),
    { numRuns: 2_000 },
  )
  expect(refused).toBeGreaterThan(500)
})

test('200 policies with one value replaced by any other: none throws, and what is accepted is sound', () => {
  const whole = parse(example)
  const paths = pathsIn(whole)
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
      const { policy, problems } = check(stringify(replaced(whole, path, value)), 'p.yaml')
      expect(policy === null).toBe(problems.length > 0)
      if (policy === null) return
      const shares = policy.stages.map(({ share }) => share)
      expect(shares.at(-1)).toBe(1)
      expect(shares).toEqual([...new Set(shares)].sort((a, b) => a - b))
      expect(policy.guardrails.some(({ role }) => role === 'gate')).toBe(true)
      expect(JSON.stringify(policy)).not.toMatch(/null|NaN/)
    }),
    { numRuns: 200 },
  )
})

type Path = readonly string[]

function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]))]
}

function replaced(root: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value
  const copy = Array.isArray(root) ? [...root] : { ...(root as object) }
  Object.assign(copy, { [key]: replaced((root as Readonly<Record<string, unknown>>)[key], rest, value) })
  return copy
}
