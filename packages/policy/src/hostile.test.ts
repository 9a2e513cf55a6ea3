import { readFileSync } from 'node:fs'
import { canonicalJson, documentProblem, type PersonId } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { check } from './check.ts'
import { diff } from './diff.ts'
import { explain } from './explain.ts'
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
  'a control sign': ['policy: "a\\x1b[2Jb"\n', 'not-plain'],
  'writing that turns round': ['policy: "a\u202eb"\n', 'not-plain'],
  'half a sign': ['policy: "a\\ud800b"\n', 'not-plain'],
  'half a sign as it stands': ['policy: a\ud800b\n', 'not-plain'],
  'half a sign in a key': ['"a\\ud800b": 1\n', 'bad-key'],
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

/** CI runs some thousands; `INTERLOCK_FUZZ=100000` runs so many, prints what came of them and says how long the slowest took. */
const asked = Number(process.env.INTERLOCK_FUZZ ?? 0)
const runs = (part: number, inCi: number): number => (asked > 0 ? Math.round(asked * part) : inCi)

const organisation = {
  file: '../org.yaml',
  source: `policy: acme
no-data: 2m
guardrails:
  errors: { signal: errors, against: stable, role: gate, tolerate: 20%, safe: 50%, action: roll back, protects: travellers who get no answer }
`,
}
/** The example with every key that it lacks. */
const layered = `${example}
extends: [../org.yaml]
times: { pane: 10s, lateness: 5s, stall: 20s }
budgets: { rollouts: 1 in 500 rollouts, watching: 1 false alarm in 60 days }
no-data: 90s
grant: 20s
loss-of-guardrail: [{ after: 30s, action: hold }, { after: 5m, action: roll back }]
brakes: { rollbacks-an-hour: 2, share-of-fleet: 20%, within: 5m }
exceptions:
  - { guardrail: errors, until: 2026-12-01, reason: the supplier moves in November, loosen: { tolerate: 80%, safe: 90% } }
blind:
  inputs: four rows an hour are too few for a shape
words: { rows: flights, features: { distance: { name: flight distance, unit: miles } } }
`
const now = Date.UTC(2026, 10, 1)

const outcomes = { refused: 0, accepted: 0, slowestMs: 0, codes: new Map<string, number>() }
const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype] as const
const untouched = prototypes.map((one) => Reflect.ownKeys(one).length)

/** Checks a source that may be anything: no throw, no place outside the files, nothing in a policy but what its schema knows. */
function survives(source: string, layers: readonly { readonly file: string; readonly source: string }[] = []) {
  const begun = performance.now()
  const { policy, problems } = check(source, 'p.yaml', undefined, { layers, now })
  outcomes.slowestMs = Math.max(outcomes.slowestMs, performance.now() - begun)
  expect(policy === null).toBe(problems.length > 0)
  for (const { file, line, column, code } of problems) {
    const text = file === 'p.yaml' ? source : layers.find((layer) => layer.file === file)!.source
    expect(line).toBeGreaterThanOrEqual(1)
    expect(line).toBeLessThanOrEqual(text.split('\n').length)
    expect(column).toBeGreaterThanOrEqual(1)
    outcomes.codes.set(code, (outcomes.codes.get(code) ?? 0) + 1)
  }
  expect(prototypes.map((one) => Reflect.ownKeys(one).length)).toEqual(untouched)
  if (policy === null) outcomes.refused++
  else {
    outcomes.accepted++
    const document = { kind: 'policy', policy, author: 'ada' as PersonId, source, layers } as const
    expect(documentProblem(document)).toBeNull()
    expect(JSON.parse(canonicalJson(policy))).toEqual(policy)
    expect(explain(policy).length).toBeGreaterThan(200)
    expect(diff(policy, policy)).toEqual([])
    const shares = policy.stages.map(({ share }) => share)
    expect(shares.at(-1)).toBe(1)
    expect(shares).toEqual([...new Set(shares)].sort((a, b) => a - b))
    expect(policy.guardrails.some(({ role }) => role === 'gate')).toBe(true)
    expect(JSON.stringify(policy)).not.toMatch(/null|NaN/)
  }
  return policy
}

const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    cut: fc.nat(40),
    put: fc.oneof(fc.constantFrom(...shards), fc.string({ maxLength: 12, unit: 'binary' })),
  }),
  { minLength: 1, maxLength: 6 },
)
type Edit = { readonly at: number; readonly cut: number; readonly put: string }

function mangled(text: string, all: readonly Edit[]): string {
  return all.reduce((source, { at, cut, put }) => {
    const place = Math.floor(at * source.length)
    return source.slice(0, place) + put + source.slice(place + cut)
  }, text)
}

test('thousands of mangled policies: none throws, each is either whole or refused with places inside it', () => {
  const before = outcomes.refused
  fc.assert(
    fc.property(edits, (all) => {
      survives(mangled(example, all))
    }),
    { numRuns: runs(0.6, 2_000) },
  )
  expect(outcomes.refused - before).toBeGreaterThan(500)
})

test('policies with one value replaced by any other: none throws, and what is accepted is sound', () => {
  const whole = parse(layered)
  fc.assert(
    fc.property(fc.constantFrom(...pathsIn(whole)), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
      survives(stringify(replaced(whole, path, value)), [organisation])
    }),
    { numRuns: runs(0.2, 200) },
  )
})

test('mangled policies over mangled layers: none throws, and none is looser than a layer that was left whole', () => {
  expect(check(layered, 'p.yaml', undefined, { layers: [organisation], now }).problems).toEqual([])
  fc.assert(
    fc.property(edits, edits, fc.boolean(), (above, below, isLayerWhole) => {
      const source = isLayerWhole ? organisation.source : mangled(organisation.source, above)
      const policy = survives(mangled(layered, below), [{ ...organisation, source }])
      if (policy === null || !isLayerWhole) return
      const errors = policy.guardrails.find(({ id }) => id === 'errors')
      expect(errors?.role).toBe('gate')
      expect(errors?.tolerance.harm).toBeLessThanOrEqual(0.2)
      expect(policy.noDataAfterMs).toBeLessThanOrEqual(120_000)
    }),
    { numRuns: runs(0.2, 400) },
  )
})

test('what came of the fuzzed policies', () => {
  expect(outcomes.accepted).toBeGreaterThan(0)
  expect(outcomes.refused).toBeGreaterThan(outcomes.accepted)
  const codes = Object.fromEntries([...outcomes.codes].sort((a, b) => b[1] - a[1]))
  if (asked > 0) process.stdout.write(`${JSON.stringify({ ...outcomes, codes })}\n`)
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
