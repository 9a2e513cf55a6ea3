import type { Policy, PolicyLayer } from '@interlock/contracts'
import { compile } from './compile.ts'
import type { Known } from './known.ts'
import { laidOver, loosened, type PolicyLayerSource } from './layers.ts'
import type { Problem } from './problem.ts'
import { readYaml, type Tree } from './read-yaml.ts'
import { type Finding, shapeFindings } from './shape-problems.ts'
import { extendingSource, layerSource, type PolicySource, policySource } from './source.ts'

export type Checked = {
  /** The policy in force by content, or null where there is any problem. */
  readonly policy: Policy | null
  /** In the order of the sources, the policy's own first. Empty exactly if there is a policy. */
  readonly problems: readonly Problem[]
}

/** What a policy is checked beside. */
export interface CheckedBeside {
  /** Files that it extends, as its `extends` names them and in that order. */
  readonly layers?: readonly PolicyLayerSource[]
  /** Now, milliseconds since 1970: how far ahead exceptions may end. Absent: not looked at. */
  readonly now?: number
}

/** One of the files that make a policy. */
interface Part {
  readonly file: string
  readonly tree: Tree
}

/**
 * Checks a policy's source and compiles it. Never throws, whatever the source is, and reads at most 256 KiB of each file.
 *
 * @param source YAML as its author wrote it
 * @param file its name, for the problems
 * @param known features and segments of the deployment; without it names are not checked
 */
export function check(source: string, file: string, known?: Known, { layers = [], now }: CheckedBeside = {}): Checked {
  const own = readYaml(source, file)
  if (own.tree === null) return { policy: null, problems: own.problems }
  const strange = strangeLayers(own.tree, file, layers)
  if (strange.length > 0) return { policy: null, problems: strange }
  const read = layers.map((layer) => ({ file: layer.file, ...readYaml(layer.source, layer.file) }))
  const unread = read.flatMap(({ problems }) => problems)
  if (unread.length > 0) return { policy: null, problems: unread }
  const parts: readonly Part[] = [...read, { file, tree: own.tree }].flatMap((part) =>
    part.tree === null ? [] : [{ file: part.file, tree: part.tree }],
  )
  const problems = shapeProblems(parts)
  if (problems.length > 0) return { policy: null, problems }
  const sources = parts.map(({ tree }) => tree.value as Readonly<Record<string, unknown>>)
  const parsed = policySource.safeParse(sources.reduce(laidOver), { reportInput: false })
  if (!parsed.success)
    return { policy: null, problems: placed(shapeFindings(parsed.error.issues, sources.reduce(laidOver)), parts) }
  const { policy, findings } = compile(parsed.data, known, now)
  const all = [...findings, ...(findings.length > 0 ? [] : loosened(sources, policy, known))]
  if (all.length > 0) return { policy: null, problems: placed(all, parts) }
  return { policy: layers.length === 0 ? policy : { ...policy, layers: originsOf(sources, policy) }, problems: [] }
}

/** Files that a policy extends, in its words; none where it extends nothing or is not readable. */
export function extendsOf(source: string): readonly string[] {
  const value = readYaml(source, '').tree?.value as { extends?: unknown } | null | undefined
  const named = typeof value === 'object' ? value?.extends : undefined
  return Array.isArray(named) ? named.filter((one): one is string => typeof one === 'string') : []
}

/** Each file by itself, where there are layers: in a layer all is optional, and a policy may leave out what they say. */
function shapeProblems(parts: readonly Part[]): readonly Problem[] {
  if (parts.length === 1) return []
  return parts.flatMap((part, index) => {
    const schema = index === parts.length - 1 ? extendingSource : layerSource
    const parsed = schema.safeParse(part.tree.value, { reportInput: false })
    return parsed.success ? [] : placed(shapeFindings(parsed.error.issues, part.tree.value), [part])
  })
}

function strangeLayers(tree: Tree, file: string, layers: readonly PolicyLayerSource[]): readonly Problem[] {
  const named: unknown = (tree.value as PolicySource | null)?.extends
  // What is no list of files is told as a wrong shape.
  if (named !== undefined && !Array.isArray(named)) return []
  const wanted: readonly unknown[] = named ?? []
  const wrong = Array.from({ length: Math.max(wanted.length, layers.length) }, (_, index) => index).find(
    (index) => wanted[index] !== layers[index]?.file,
  )
  if (wrong === undefined) return []
  const finding: Finding = {
    path: ['extends', wrong],
    code: 'layers',
    happened: `extends: ${JSON.stringify(wanted[wrong] ?? layers[wrong]?.file)} is not at hand`,
    why: 'A policy without the layers that it extends would be looser than it says.',
    instead: 'Hand over the files that it names, in their order.',
  }
  return placed([finding], [{ file, tree }])
}

/** Finds the file that says what a finding is about: the one that holds most of its path, of equals the lowest. */
function placed(findings: readonly Finding[], parts: readonly Part[]): readonly Problem[] {
  const order = parts.toReversed()
  return findings
    .map(({ path, part, code, happened, why, instead }) => {
      const at = order.reduce((best, one) => (one.tree.reach(path) > best.tree.reach(path) ? one : best))
      return { file: at.file, ...at.tree.at(path, part), code, happened, why, instead }
    })
    .sort((a, b) => rank(order, a) - rank(order, b) || a.line - b.line || a.column - b.column)
}

function rank(order: readonly Part[], { file }: Problem): number {
  return order.findIndex((part) => part.file === file)
}

/** Which guardrails came from which layer; what a layer repeats stays with the one above it. */
function originsOf(sources: readonly Readonly<Record<string, unknown>>[], policy: Policy): readonly PolicyLayer[] {
  const taken = new Set<string>()
  return sources.slice(0, -1).map((source) => {
    const entries = Object.keys((source.guardrails as object | undefined) ?? {}).filter((name) => !taken.has(name))
    for (const name of entries) taken.add(name)
    const guardrails = policy.guardrails.map(({ id }) => id).filter((id) => entries.includes(id.split('.')[0]!))
    return { name: String(source.policy), guardrails }
  })
}
