import { type CountSpec, pooledWord } from '@interlock/contracts'
import { bounds } from './bounds.ts'
import type { Wanted } from './columns.ts'
import { WordTable } from './word-table.ts'

/** Names that rows may carry, and the specs by which they are counted. */
export interface WantedNames {
  readonly environments: readonly string[]
  readonly tenants: readonly string[]
  readonly deployments: readonly string[]
  readonly versions: readonly string[]
  readonly specs: readonly CountSpec[]
  /** See `Wanted.kept`. */
  readonly kept?: readonly string[]
  /** See `Wanted.ids`. */
  readonly ids?: boolean
}

/** Everything that any of the specs looks at: the union of their features, vocabularies, segments and producers. */
export function wantedOf(names: WantedNames): Wanted {
  const features = new Map<string, Set<string>>()
  const segments = new Map<string, Set<string>>()
  const into = (of: Map<string, Set<string>>, name: string, words: readonly string[]): void => {
    const set = of.get(name) ?? new Set()
    for (const word of words) set.add(word)
    of.set(name, set)
  }
  for (const spec of names.specs) {
    for (const feature of spec.features) {
      into(features, feature.name, feature.kind === 'numeric' ? [] : [...feature.vocabulary, ...(feature.pooled ?? [])])
    }
    for (const { name, values } of spec.segments) into(segments, name, values)
  }
  const tables = (of: Map<string, Set<string>>) =>
    [...of.keys()].sort().map((name) => ({ name, table: tableOf([...(of.get(name) as Set<string>)]) }))
  return {
    environments: tableOf(names.environments),
    tenants: tableOf(names.tenants),
    deployments: tableOf(names.deployments),
    versions: tableOf(names.versions),
    producers: tableOf(names.specs.flatMap(({ producers }) => producers)),
    classes: tableOf(names.specs.flatMap(({ classes }) => classes)),
    features: tables(features),
    segments: tables(segments),
    ...(names.kept === undefined ? {} : { kept: names.kept }),
    ...(names.ids === true ? { ids: true } : {}),
  }
}

/** A table of the distinct words, sorted: equal sets give equal codes. */
function tableOf(words: readonly string[]): WordTable {
  return new WordTable([...new Set(words)].sort())
}

/** @returns what is wrong with a spec that may come from outside, as a sentence; null for a lawful one. */
export function specProblem(spec: CountSpec): string | null {
  const rising = (what: string, edges: readonly number[]): string | null => {
    if (edges.length < 2 || edges.length > bounds.bins + 1)
      return `${what} has ${edges.length} edges; 2 to ${bounds.bins + 1} are needed`
    for (let index = 0; index < edges.length; index++) {
      if (!Number.isFinite(edges[index])) return `${what}: edge ${index} is not a finite number`
      if (index > 0 && edges[index]! <= edges[index - 1]!)
        return `${what}: edge ${index} (${edges[index]}) does not lie above the one before it`
    }
    return null
  }
  const distinct = (what: string, words: readonly string[], most: number): string | null => {
    if (words.length > most) return `${what}: ${words.length} values; at most ${most} are allowed`
    if (new Set(words).size !== words.length) return `${what}: a value is listed twice`
    return null
  }
  const problems = [
    rising('latency', spec.latencyEdgesMs),
    rising('score', spec.scoreEdges),
    distinct('classes', spec.classes, bounds.bins),
    distinct('producers', spec.producers, bounds.words),
    distinct(
      'features',
      spec.features.map(({ name }) => name),
      bounds.features,
    ),
    distinct(
      'segments',
      spec.segments.map(({ name }) => name),
      bounds.segments,
    ),
    ...spec.segments.map(({ name, values }) => distinct(`segment ${name}`, values, bounds.words)),
    ...spec.features.map((feature) => {
      const what = `feature ${feature.name}`
      if (feature.kind === 'categorical') {
        const pooled = feature.pooled ?? []
        if (pooled.length > 0 && !feature.vocabulary.includes(pooledWord))
          return `${what} pools rare values but has no entry ${pooledWord} in its vocabulary`
        return distinct(what, [...feature.vocabulary, ...pooled], bounds.words)
      }
      const problem = rising(what, feature.edges)
      if (problem !== null) return problem
      if (!(feature.scale > 0 && Number.isFinite(feature.scale)))
        return `${what}: scale is ${feature.scale}; above 0 is needed`
      const steps = Math.round((feature.edges[feature.edges.length - 1]! - feature.edges[0]!) / feature.scale)
      if (!(steps < 2 ** 20))
        return `${what}: scale ${feature.scale} makes ${steps} steps between the edges; below 2^20 are needed`
      return null
    }),
  ]
  return problems.find((problem) => problem !== null) ?? null
}
