import {
  type Path,
  type Problem,
  readDuration,
  readRatio,
  readYaml,
  shown,
  suggest,
  type Tree,
} from '@interlock/policy'
import type * as z from 'zod'
import { catalogue, faultOf } from '../faults/catalogue.ts'
import type { Chosen } from '../faults/subject.ts'
import { keysAt, type MeasurementSource, type ScenarioSource, type SuiteSource, suiteSource } from './source.ts'

/** Where a test stands in its file. */
export interface Place {
  readonly line: number
  readonly column: number
}

export interface Measurement extends MeasurementSource {
  readonly place: Place
}

/** What a scenario must come to; every one that is named must hold. */
export interface Expected {
  readonly caughtWithinMs: number | null
  readonly stoppedWithinMs: number | null
  readonly by: string | null
  readonly answersAtMost: number | null
  readonly unitsAtMost: number | null
  readonly notStopped: boolean
  readonly promoted: boolean
}

export interface ScenarioTest extends Pick<ScenarioSource, 'name' | 'fault' | 'size' | 'where' | 'stage' | 'seed'> {
  readonly place: Place
  readonly chosen: Chosen
  readonly part: number | null
  readonly afterMs: number
  readonly lengthMs: number | null
  readonly expected: Expected
}

/** A file of tests, read and checked; files in it are named as its author wrote them. */
export interface Suite {
  readonly policy: string
  readonly baseline: string | null
  readonly candidateBaseline: string | null
  readonly traffic: {
    readonly from: string | null
    readonly rowsPerHour: number | null
    readonly errorRate: number | null
  }
  readonly seed: number
  readonly measurements: readonly Measurement[]
  readonly scenarios: readonly ScenarioTest[]
}

/**
 * Reads a file of policy tests: YAML as plain as a policy's. Never throws.
 *
 * @returns a suite, or problems with line and column in the order of the source
 */
export function readSuite(
  source: string,
  file: string,
): { readonly suite: Suite | null; readonly problems: readonly Problem[] } {
  const { tree, problems } = readYaml(source, file)
  if (tree === null) return { suite: null, problems }
  const found: Problem[] = []
  const report = (
    path: Path,
    {
      part = 'value',
      ...problem
    }: Pick<Problem, 'code' | 'happened' | 'why' | 'instead'> & { readonly part?: 'key' | 'value' },
  ): void => void found.push({ file, ...tree.at(path, part), ...problem })
  const parsed = suiteSource.safeParse(tree.value, { reportInput: false })
  if (parsed.success) {
    const suite = suiteOf(parsed.data, tree, (path, happened, instead) =>
      report(path, { code: 'wrong-value', happened, why: '', instead }),
    )
    if (found.length === 0) return { suite, problems: [] }
  } else for (const issue of parsed.error.issues) shapeProblem(issue, tree, report)
  return { suite: null, problems: found.sort((a, b) => a.line - b.line || a.column - b.column) }
}

type Complain = (path: Path, happened: string, instead: string) => void

function suiteOf(source: SuiteSource, tree: Tree, complain: Complain): Suite {
  const { traffic = {}, measurements = [], scenarios = [] } = source
  const time = (path: Path, text: string | undefined): number | null => {
    if (text === undefined) return null
    const ms = readDuration(text)
    if (ms === null) complain(path, `${shown(text)} is no time`, 'Write a time such as "10s" (ms, s, m, h or d).')
    return ms
  }
  const part = (path: Path, text: string | undefined): number | null => {
    if (text === undefined) return null
    const ratio = readRatio(text)
    if (ratio === null || ratio > 1) complain(path, `${shown(text)} is no percentage`, 'Write one such as "0.5%".')
    return ratio
  }
  if (measurements.length + scenarios.length === 0)
    complain([], 'there is no test in this file', 'Write "measurements:" or "scenarios:".')
  return {
    policy: source.policy,
    baseline: source.baseline ?? null,
    candidateBaseline: source['candidate-baseline'] ?? null,
    traffic: {
      from: traffic.from ?? null,
      rowsPerHour: traffic['rows-an-hour'] ?? null,
      errorRate: part(['traffic', 'errors'], traffic.errors),
    },
    seed: source.seed ?? 1,
    measurements: measurements.map((each, index) => ({ ...each, place: tree.at(['measurements', index]) })),
    scenarios: scenarios.map((each, index): ScenarioTest => {
      const at = (...keys: readonly string[]): Path => ['scenarios', index, ...keys]
      const { name, fault, size, where, stage, seed, feature, category, producer, expect } = each
      if (fault !== undefined && faultOf(fault) === undefined)
        complain(
          at('fault'),
          `there is no fault ${shown(fault)}`,
          suggest(
            fault,
            catalogue.map(({ id }) => id),
            'Faults',
          ),
        )
      if (fault === undefined && (expect['caught-within'] ?? expect['stopped-within']) !== undefined)
        complain(
          at('expect'),
          'nothing goes wrong here, so nothing can be caught',
          'Name a fault, such as "fault: unit".',
        )
      if (Object.keys(expect).length === 0)
        complain(
          at('expect'),
          'nothing is expected',
          'Write what must be so, such as "stopped-within: 10s" or "promoted: true".',
        )
      return {
        ...{ name, place: tree.at(at()) },
        ...defined({ fault, size, where, stage, seed }),
        chosen: defined({ feature, category, producer }),
        part: part(at('part'), each.part),
        afterMs: time(at('after'), each.after) ?? 0,
        lengthMs: time(at('for'), each.for),
        expected: {
          caughtWithinMs: time(at('expect', 'caught-within'), expect['caught-within']),
          stoppedWithinMs: time(at('expect', 'stopped-within'), expect['stopped-within']),
          by: expect.by ?? null,
          answersAtMost: expect['answers-at-most'] ?? null,
          unitsAtMost: expect['units-at-most'] ?? null,
          notStopped: expect['not-stopped'] === true,
          promoted: expect.promoted === true,
        },
      }
    }),
  }
}

function defined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>
  }
}

function shapeProblem(
  issue: z.core.$ZodIssue,
  tree: Tree,
  report: (
    path: Path,
    problem: Pick<Problem, 'code' | 'happened' | 'why' | 'instead'> & { part?: 'key' | 'value' },
  ) => void,
): void {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))
  const place = path.map((step) => (typeof step === 'number' ? step + 1 : `"${step}"`)).join(' ') || 'the file'
  const pattern = path.map((step) => (typeof step === 'number' ? '*' : step)).join('.')
  const why = 'A test that is not understood would test nothing.'
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const instead = suggest(key, keysAt[pattern] ?? [], 'Keys here')
      report([...path, key], { code: 'unknown-key', part: 'key', happened: `unknown key ${shown(key)}`, why, instead })
    }
    return
  }
  const written = valueAt(tree.value, path)
  const instead = 'docs/policy-reference.md "Tests" shows what to write.'
  if (written === undefined) report(path, { code: 'missing-key', happened: `${place} is missing`, why, instead })
  else if (issue.code === 'invalid_value')
    report(path, {
      code: 'wrong-value',
      happened: `${place} is ${shown(written)}`,
      why,
      instead: suggest(String(written), issue.values.map(String), 'Possible'),
    })
  else report(path, { code: 'wrong-type', happened: `${place} is ${shown(written)}`, why, instead })
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined,
    root,
  )
}
