import type { Policy } from '@interlock/contracts'
import { compile } from './compile.ts'
import { diff, type PolicyChange } from './diff.ts'
import type { Known } from './known.ts'
import type { Path } from './read-yaml.ts'
import type { Finding } from './shape-problems.ts'
import type { PolicySource } from './source.ts'

/** A file that a policy extends: its name as `extends` says it, and what stands in it. */
export interface PolicyLayerSource {
  readonly file: string
  readonly source: string
}

type Plain = Readonly<Record<string, unknown>>

/** Maps that are laid over each other key by key; a list or a value is replaced as a whole. */
const mergedMaps: readonly string[] = ['guardrails', 'budgets', 'times', 'brakes', 'words', 'blind']

/** One source over another: what the upper one says counts. Rules of one name are joined key by key. */
export function laidOver(below: Plain, above: Plain): Plain {
  const merged: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const old = merged[key]
    merged[key] = mergedMaps.includes(key) && isMap(old) && isMap(value) ? joined(old, value) : value
  }
  return merged
}

function joined(below: Plain, above: Plain): Plain {
  const merged: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const old = merged[key]
    merged[key] = isMap(old) && isMap(value) ? { ...old, ...value } : value
  }
  return merged
}

function isMap(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a rule cannot be compiled without. */
const neededKeys: readonly string[] = ['signal', 'against', 'action', 'protects']

/**
 * All sources with what the upper ones say counting. A rule of theirs is taken whole: what it leaves out has its default, and
 * is not for a lower one to fill in.
 */
function withWordOf(upper: Plain, all: Plain): PolicySource {
  const { exceptions: _, ...merged } = laidOver(all, upper)
  const below = all.guardrails as Readonly<Record<string, Plain>>
  const rules = Object.entries((upper.guardrails ?? {}) as Readonly<Record<string, Plain>>).map(([name, rule]) => {
    const needed = Object.entries(below[name] ?? {}).filter(([key]) => neededKeys.includes(key))
    return [name, { ...Object.fromEntries(needed), ...rule }]
  })
  return { ...merged, guardrails: { ...below, ...Object.fromEntries(rules) } } as unknown as PolicySource
}

/**
 * Where a policy is looser than a layer that it extends, or says something else. Everything is compiled twice, once as it is
 * and once with the layer's word counting: what is looser in the first is what was loosened, and `diff` is the one judge
 * of what looser means.
 *
 * @param sources of the layers, the widest first, and of the policy itself
 * @param policy  all of them together
 */
export function loosened(sources: readonly Plain[], policy: Policy, known: Known | undefined): readonly Finding[] {
  const told = new Set<string>()
  return sources.slice(0, -1).flatMap((layer, index) => {
    const strict = withWordOf(sources.slice(0, index + 1).reduce(laidOver), sources.reduce(laidOver))
    const upper = compile(strict, known)
    const name = String(layer.policy)
    const below = sources.slice(index + 1)
    const fault = (change: PolicyChange, path: Path): readonly Finding[] => {
      if (told.has(change.path)) return []
      told.add(change.path)
      return [
        {
          path,
          code: 'layers',
          happened: change.sentence,
          why: `The policy "${name}" is extended, and holds here too: it may be made stricter, not looser or other.`,
          instead: 'Remove it here, change it there, or write an exception that ends.',
        },
      ]
    }
    const [problem] = upper.findings
    if (problem !== undefined) return [{ ...problem, code: 'layers', why: `It does not fit to the policy "${name}".` }]
    const { exceptions: __, ...now } = policy
    return diff(upper.policy, now)
      .filter(({ direction }) => direction !== 'stricter')
      .flatMap((change) => {
        const path = pathOfChange(change.path, [upper.policy, policy], below)
        return path === null ? [] : fault(change, path)
      })
  })
}

const generalPaths: Readonly<Record<string, Path>> = {
  riskClass: ['class'],
  noDataAfterMs: ['no-data'],
  grantMs: ['grant'],
  onGuardrailLoss: ['loss-of-guardrail'],
  'times.paneMs': ['times', 'pane'],
  'times.latenessMs': ['times', 'lateness'],
  'times.stallTimeoutMs': ['times', 'stall'],
  'brakes.rollbacksPerHour': ['brakes', 'rollbacks-an-hour'],
  'brakes.fleetShare': ['brakes', 'share-of-fleet'],
  'brakes.fleetWindowMs': ['brakes', 'within'],
}

const ruleKeys: Readonly<Record<string, string>> = {
  'tolerance.harm': 'tolerate',
  'tolerance.safe': 'safe',
  'tolerance.absolute': 'absolute',
  minimumSample: 'rows',
  reference: 'against',
  detector: 'signal',
}

const stageKeys: Readonly<Record<string, string>> = {
  minimumSample: 'rows',
  minimumMs: 'at-least',
  maximumMs: 'at-most',
  shadow: 'share',
}

/** Where the sources say what a change is about: `guardrails.errors.tolerance.harm` → guardrails, errors, tolerate. */
function pathOfChange(change: string, policies: readonly Policy[], below: readonly Plain[]): Path | null {
  const general = generalPaths[change] ?? generalPaths[change.split('.')[0]!]
  if (general !== undefined) return general
  const inside = (head: string, names: readonly string[]) => {
    const name = names.find((one) => change === `${head}.${one}` || change.startsWith(`${head}.${one}.`))
    return name === undefined ? null : { name, key: change.slice(head.length + name.length + 2) }
  }
  const ids = policies.flatMap(({ guardrails }) => guardrails.map(({ id }) => id))
  const rule = inside('guardrails', ids)
  if (rule !== null) {
    const entry = ['guardrails', rule.name.split('.')[0]!]
    if (rule.key === '') return [...entry, 'signal']
    if (rule.key === 'budget') {
      const budget = policies.at(-1)?.guardrails.find(({ id }) => id === rule.name)?.budget
      const isOwn = below.some((source) => reaches(source, [...entry, 'budget']))
      return isOwn
        ? [...entry, 'budget']
        : ['budgets', budget !== undefined && 'alpha' in budget ? 'rollouts' : 'watching']
    }
    return [...entry, ruleKeys[rule.key] ?? (rule.key.startsWith('slices') ? 'by' : rule.key)]
  }
  const stage = inside(
    'stages',
    policies.flatMap(({ stages }) => stages.map(({ name }) => name)),
  )
  if (stage === null) return ['stages']
  const index = policies.at(-1)?.stages.findIndex(({ name }) => name === stage.name) ?? -1
  return index < 0 ? ['stages'] : ['stages', index, ...(stage.key === '' ? [] : [stageKeys[stage.key] ?? stage.key])]
}

function reaches(root: unknown, path: Path): boolean {
  let value = root
  for (const step of path) {
    if (!isMap(value) || !Object.hasOwn(value, step)) return false
    value = value[String(step)]
  }
  return true
}
