import type * as z from 'zod'
import type { ProblemCode } from './problem.ts'
import { shown, suggest } from './problem.ts'
import type { Path } from './read-yaml.ts'
import { type GuardrailSource, keysAt } from './source.ts'

/** A mistake by its path; `check` adds the place. */
export type Finding = {
  readonly path: Path
  readonly part?: 'key' | 'value'
  readonly code: ProblemCode
  readonly happened: string
  readonly why: string
  readonly instead: string
}

export type Report = (finding: Finding) => void

/** Reports what is wrong at a key of one rule. */
export type ReportAt = (
  key: keyof GuardrailSource,
  code: ProblemCode,
  happened: string,
  why: string,
  instead: string,
) => void

/** What to write at a key. Keys of guardrails and stages stand by themselves: they mean the same everywhere. */
const writeAt: Readonly<Record<string, string>> = {
  policy: 'Write its name, such as "policy: flight-delay": lower-case letters, digits and "-".',
  class: 'Write "class: low", "medium", "high" or "critical".',
  stages:
    'Write a list such as "- { share: shadow, rows: 500, at-least: 5m, at-most: 1h }", the last one "- share: 100%".',
  share: 'Write "share: shadow" or a percentage such as "share: 5%".',
  rows: 'Write a whole number such as "rows: 2000".',
  'at-least': 'Write a time such as "at-least: 30m" (ms, s, m, h or d).',
  'at-most': 'Write a time such as "at-most: 24h" (ms, s, m, h or d).',
  guardrails: 'Write rules by name, such as "errors: { signal: errors, against: stable, … }".',
  signal: 'Write what is counted, such as "signal: errors" or "signal: distribution(distance)".',
  against:
    'Write "against: stable" (the version that serves now), "baseline" (training) or "history" (only for volume).',
  tolerate: 'Write how much worse is harmless: "tolerate: 20%" for a rate, "tolerate: 0.05" for a distribution.',
  safe: 'Write how much worse would still be safe, such as "safe: 50%".',
  absolute: 'Write a rate that is safe in any case, such as "absolute: 1%".',
  budget: 'Write "1 in 1000 rollouts", "1 false alarm in 90 days" or "1 a year".',
  rollouts: 'Write a budget such as "rollouts: 1 in 1000 rollouts".',
  watching: 'Write a budget such as "watching: 1 false alarm in 90 days".',
  role: 'Write "role: gate" (must be shown safe) or "role: guard" (must not be breached).',
  action: 'Write "action: watch", "hold", "halt", "ramp down", "roll back" or "fall back".',
  protects: 'Say whom it protects, such as "protects: travellers who get no answer" (2 to 120 letters).',
  by: 'Write a list such as "by: [producer]" or "by: [segment:airport]".',
  features: 'Write names by feature, such as "distance: { name: flight distance, unit: miles }".',
  'no-data': 'Write a time such as "no-data: 30s".',
  grant: 'Write a time such as "grant: 30s".',
  after: 'Write a time such as "after: 30s".',
  'loss-of-guardrail': 'Write a list such as "- { after: 30s, action: hold }".',
  extends: 'Write a list of files, the widest first, such as "extends: [../organisation.policy.yaml]".',
  exceptions:
    'Write a list such as "- { guardrail: errors, until: 2026-12-01, reason: …, loosen: { tolerate: 80% } }".',
  guardrail: 'Name a rule of this policy, such as "guardrail: errors".',
  until: 'Write a day such as "until: 2026-12-01".',
  reason: 'Say why, in 10 to 240 letters: those who approve it read nothing else.',
  loosen: 'Write what is looser meanwhile, such as "loosen: { tolerate: 80% }".',
  blind: 'Write the rule and why, such as "very-slow: a stage of a minute is too short for 1 answer in 100".',
  'share-of-fleet': 'Write a percentage such as "share-of-fleet: 20%".',
  'rollbacks-an-hour': 'Write a whole number such as "rollbacks-an-hour: 2".',
}

const aTime = 'Write a time such as "10s" (ms, s, m, h or d).'

/** Puts what the schema refused into words. */
export function shapeFindings(issues: readonly z.core.$ZodIssue[], value: unknown): readonly Finding[] {
  return issues.flatMap((issue) => findingsOf(issue, value))
}

function findingsOf(issue: z.core.$ZodIssue, root: unknown): readonly Finding[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))
  const key = lastName(path)
  const place = path.length === 0 ? 'the policy' : quotedPath(path)
  const instead = helpAt(path)
  const written = at(root, path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((unknown) => ({
        path: [...path, unknown],
        part: 'key' as const,
        code: 'unknown-key' as const,
        happened: `unknown key ${shown(unknown)} in ${place}`,
        why: 'A rule that is not understood would protect nobody.',
        instead: suggest(unknown, keysAt[pattern(path)] ?? [], 'Keys here'),
      }))
    case 'invalid_key':
      return [
        {
          path,
          part: 'key',
          code: 'bad-key',
          happened: `${shown(key)} is no lawful name`,
          why: 'Names stand in decisions, links and charts.',
          instead: 'Use lower-case letters, digits and "-", at most 63.',
        },
      ]
    case 'invalid_value': {
      if (written === undefined) return [missing(path, place, instead)]
      const values = issue.values.map(String)
      const near = typeof written === 'string' ? suggest(written, values, 'Possible') : ''
      return [
        { path, code: 'wrong-value', happened: `${place} is ${shown(written)}`, why: '', instead: near || instead },
      ]
    }
    default: {
      if (written === undefined) return [missing(path, place, instead)]
      if (issue.code === 'invalid_type') {
        return [
          {
            path,
            code: 'wrong-type',
            happened: `${place} is ${kindOf(written)}, not ${article(issue.expected)}`,
            why: '',
            instead,
          },
        ]
      }
      const size = sizeWords(issue)
      return [{ path, code: 'wrong-value', happened: `${place} is ${size ?? shown(written)}`, why: '', instead }]
    }
  }
}

function missing(path: Path, place: string, instead: string): Finding {
  return {
    path,
    code: 'missing-key',
    happened: `${place} is missing`,
    why: 'It has no default: its author must choose.',
    instead,
  }
}

function sizeWords(issue: z.core.$ZodIssue): string | null {
  if (issue.code === 'too_small') return `too small or too short: at least ${issue.minimum}`
  if (issue.code === 'too_big') return `too large or too long: at most ${issue.maximum}`
  return null
}

function helpAt(path: Path): string {
  const key = lastName(path)
  if (path[0] === 'times' || key === 'within') return aTime
  if (key === 'rows' && path[0] === 'words') return 'Write a plural such as "rows: flights".'
  if (key === 'name' && path[0] === 'words') return 'Write a name of 2 to 40 letters, such as "name: flight distance".'
  if (key === 'unit') return 'Write a unit such as "unit: miles".'
  if (Object.hasOwn(writeAt, key)) return writeAt[key]!
  if (path[0] === 'guardrails') return 'Write "{ signal: …, against: …, tolerate: …, action: …, protects: … }".'
  if (path[0] === 'stages') return writeAt.stages!
  return path.length === 0
    ? 'Begin with "policy: <name>"; docs/policy-reference.md shows a whole one.'
    : 'See docs/policy-reference.md.'
}

/** Path with names of rules and indexes as "*". */
function pattern(path: Path): string {
  const steps = path.map((step, index) => {
    if (typeof step === 'number') return '*'
    return (index === 1 && path[0] === 'guardrails') || (index === 2 && path[0] === 'words') ? '*' : step
  })
  return steps.join('.')
}

function lastName(path: Path): string {
  return String(path.findLast((step) => typeof step === 'string') ?? '')
}

/** `guardrail "errors": "tolerate"`, `stage 2: "share"`, `"class"`. */
export function quotedPath(path: Path): string {
  const [first, second, ...rest] = path
  const inner = (steps: Path): string =>
    steps.length === 0
      ? ''
      : `: ${steps.map((step) => (typeof step === 'number' ? `entry ${step + 1}` : `"${step}"`)).join(' ')}`
  if (first === 'guardrails' && second !== undefined) return `guardrail ${shown(second)}${inner(rest)}`
  if (first === 'stages' && typeof second === 'number') return `stage ${second + 1}${inner(rest)}`
  return path.map((step) => (typeof step === 'number' ? `entry ${step + 1}` : shown(step))).join(' ')
}

function at(root: unknown, path: Path): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  return typeof value === 'string' ? `the text ${shown(value)}` : `the ${typeof value} ${String(value)}`
}

function article(expected: string): string {
  if (expected === 'array') return 'a list'
  if (expected === 'object' || expected === 'record') return 'a map'
  if (expected === 'int') return 'a whole number'
  return expected === 'string' ? 'text' : `a ${expected}`
}
