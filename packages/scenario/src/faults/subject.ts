import {
  addPacked,
  type BaselineDocument,
  layoutOf,
  type NumericFeature,
  type Policy,
  pooledWord,
} from '@interlock/contracts'
import type { Fault, Need, Subject } from './fault.ts'

/** What somebody chose to break; the rest is chosen by the baseline and the policy. */
export interface Chosen {
  readonly feature?: string
  readonly category?: string
  readonly producer?: string
}

/** Parts of the rows that a frequent and a rare segment are nearest to. */
const frequentPart = 0.05
const rarePart = 0.01

/**
 * What faults are about in this deployment: the first number and the first category that a rule looks at, the producer with
 * most rows, segments by their part of the rows.
 *
 * @throws RangeError for a chosen name that the baseline does not have
 */
export function subjectOf(baseline: BaselineDocument, policy: Policy, errorRate: number, chosen: Chosen = {}): Subject {
  const { spec } = baseline
  const guarded = guardedFeatures(policy)
  const numbers = spec.features.filter((each) => each.kind === 'numeric' && rowsWith(baseline, each.name) > 0)
  const categories = spec.features.filter((each) => each.kind === 'categorical')
  const byRules = <F extends { readonly name: string }>(features: readonly F[]): readonly F[] =>
    features.toSorted((a, b) => rank(a.name) - rank(b.name))
  const rank = (name: string): number => (guarded.includes(name) ? guarded.indexOf(name) : guarded.length)
  const named = <F extends { readonly name: string }>(
    features: readonly F[],
    name: string | undefined,
    kind: string,
  ) => {
    if (name === undefined) return byRules(features)[0] ?? null
    const found = features.find((each) => each.name === name)
    if (found !== undefined) return found
    throw new RangeError(
      `the baseline has no ${kind} "${name}"; it has ${features.map((each) => each.name).join(', ')}`,
    )
  }
  const numeric = named(numbers, chosen.feature, 'number') as NumericFeature | null
  const category = named(categories, chosen.category, 'category')
  const producers = sizes(baseline, 'producer')
  if (chosen.producer !== undefined && !producers.some(({ value }) => value === chosen.producer)) {
    throw new RangeError(`the baseline has no producer "${chosen.producer}"; it has ${spec.producers.join(', ')}`)
  }
  const [segment] = spec.segments
  const parts = segment === undefined ? [] : sizes(baseline, `segment:${segment.name}`)
  return {
    numeric: numeric === null ? null : { name: numeric.name, ...shapeOf(numeric) },
    other: byRules(numbers).find(({ name }) => name !== numeric?.name)?.name ?? null,
    unguarded: numbers.find(({ name }) => !guarded.includes(name))?.name ?? null,
    category:
      category?.kind !== 'categorical'
        ? null
        : { name: category.name, words: category.vocabulary.filter((word) => word !== pooledWord) },
    producer: chosen.producer ?? producers[0]?.value ?? 'unknown',
    segment:
      segment === undefined || parts.length < 2
        ? null
        : { name: segment.name, frequent: nearest(parts, frequentPart), rare: nearest(parts, rarePart) },
    classes: spec.classes,
    errorRate,
  }
}

/** Why a fault cannot be played here; null when it can. */
export function whyNotHere({ needs }: Fault, subject: Subject, { spec }: BaselineDocument): string | null {
  const lacks: Readonly<Record<Need, boolean>> = {
    numeric: subject.numeric === null,
    other: subject.other === null,
    unguarded: subject.unguarded === null,
    category: subject.category === null,
    segment: subject.segment === null,
    score: spec.scoreEdges.length < 2,
    classes: spec.classes.length < 2,
    latency: spec.latencyEdgesMs.length < 2,
    errors: subject.errorRate === 0,
  }
  const lacking = needs.find((need) => lacks[need])
  return lacking === undefined ? null : missingWords[lacking]
}

const missingWords: Readonly<Record<Need, string>> = {
  numeric: 'there is no number among the features',
  other: 'there is no second number among the features',
  unguarded: 'a rule looks at every number',
  category: 'there is no category among the features',
  segment: 'there is no segment',
  score: 'answers have no score',
  classes: 'answers have no classes',
  latency: 'answers have no latency',
  errors: 'no answer ever fails in this traffic',
}

/** The fault in words, with the names of this deployment. */
export function sayFault({ says, within }: Pick<Fault, 'says' | 'within'>, subject: Subject): string {
  const words: Readonly<Record<string, string>> = {
    f: subject.numeric?.name ?? '',
    o: subject.other ?? '',
    u: subject.unguarded ?? '',
    c: subject.category?.name ?? '',
    p: subject.producer,
    s: `${subject.segment?.name} ${subject.segment?.[within ?? 'frequent']}`,
  }
  return says.replace(/\{([foucps])\}/g, (_, letter: string) => words[letter] ?? '')
}

/** Features in the brackets of signals, in the order of the rules. */
function guardedFeatures({ guardrails }: Policy): readonly string[] {
  const named = guardrails.flatMap(
    ({ signal }) => /^(?:distribution|missing|unseen|invalid)\((.*)\)$/.exec(signal)?.[1] ?? [],
  )
  return [...new Set(named)]
}

/** The middle edge halves equal-mass bins; the width is what holds nine tenths of the values. */
function shapeOf({ edges }: NumericFeature): { middle: number; last: number; width: number } {
  const at = (part: number): number => edges[Math.round(part * (edges.length - 1))] as number
  return { middle: at(0.5), last: at(1), width: Math.max(Number.EPSILON, at(0.95) - at(0.05)) }
}

function sizes({ spec, slices, rows }: BaselineDocument, dimension: string) {
  const layout = layoutOf(spec)
  return slices
    .filter((slice) => slice.dimension === dimension)
    .map(({ value, counts }) => {
      const vector = new Float64Array(layout.width)
      addPacked(Buffer.from(counts, 'base64'), vector)
      return { value, part: (vector[layout.rows] as number) / Math.max(1, rows) }
    })
    .sort((a, b) => b.part - a.part || (a.value < b.value ? -1 : 1))
}

function nearest(parts: readonly { readonly value: string; readonly part: number }[], wanted: number): string {
  return parts.reduce((best, one) => (Math.abs(one.part - wanted) < Math.abs(best.part - wanted) ? one : best)).value
}

/** Rows of the baseline that hold a value of the feature. */
function rowsWith({ spec, slices }: BaselineDocument, name: string): number {
  const layout = layoutOf(spec)
  const place = layout.features[spec.features.findIndex((feature) => feature.name === name)]
  if (place === undefined) return 0
  const vector = new Float64Array(layout.width)
  for (const { dimension, counts } of slices) {
    if (dimension === 'producer') addPacked(Buffer.from(counts, 'base64'), vector)
  }
  return vector.subarray(place.at, place.at + place.bins + 2).reduce((a, b) => a + b, 0)
}
