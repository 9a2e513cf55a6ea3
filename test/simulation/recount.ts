import {
  addPacked,
  type CountSpec,
  layoutOf,
  momentSplit,
  type Prediction,
  packCounts,
  specialAt,
} from '@interlock/contracts'

/** Count vectors by slice, `<dimension>=<value>`, each as wide as the spec's layout. */
export type Recount = ReadonlyMap<string, Float64Array>

/**
 * Counts rows the slow and plain way, one row and one rule at a time: the oracle that the profiler's kernels are held against.
 *
 * @source docs/statistics.md "Choosing edges"; packages/contracts/src/counts.ts for the layout
 */
export function recount(spec: CountSpec, rows: readonly Prediction[]): Recount {
  const layout = layoutOf(spec)
  const slices = new Map<string, Float64Array>()
  const vector = (name: string): Float64Array => {
    const known = slices.get(name) ?? new Float64Array(layout.width)
    slices.set(name, known)
    return known
  }
  for (const each of rows) {
    const names = [
      `producer=${spec.producers.includes(each.producer) ? each.producer : 'other'}`,
      ...spec.segments.map(({ name, values }) => {
        const value = each.segments[name]
        return `segment:${name}=${value !== undefined && values.includes(value) ? value : 'other'}`
      }),
    ]
    for (const name of names) {
      const into = vector(name)
      const add = (at: number, count = 1): void => {
        into[at] = into[at]! + count
      }
      add(layout.rows)
      add(layout.status + ['ok', 'error', 'timeout', 'fallback'].indexOf(each.status))
      add(layout.latency.at + binOf(each.latencyMs, spec.latencyEdgesMs, layout.latency))
      add(layout.score.at + binOf(each.score, spec.scoreEdges, layout.score))
      add(layout.prediction.at + wordOf(each.prediction, spec.classes, layout.prediction))
      for (const [index, feature] of spec.features.entries()) {
        const place = layout.features[index]!
        const value = each.features[feature.name]
        if (feature.kind === 'categorical') {
          add(place.at + wordOf(value, feature.vocabulary, place))
          continue
        }
        const bin = binOf(value, feature.edges, place)
        add(place.at + bin)
        if (bin >= place.bins) continue
        const moment = layout.moments.find(({ name: of }) => of === feature.name)!
        const steps = Math.round(((value as number) - feature.edges[0]!) / feature.scale)
        add(moment.s1, steps)
        add(moment.s2High, Math.floor(steps ** 2 / momentSplit))
        add(moment.s2Low, steps ** 2 % momentSplit)
      }
    }
  }
  return slices
}

export function packedCounts(counts: Float64Array): Uint8Array {
  return packCounts(counts)
}

/** Adds packed counts of slices to sums of the same form. */
export function addSlices(
  into: Map<string, Float64Array>,
  width: number,
  slices: readonly { readonly dimension: string; readonly value: string; readonly counts: Uint8Array }[],
): void {
  for (const { dimension, value, counts } of slices) {
    const name = `${dimension}=${value}`
    const sum = into.get(name) ?? new Float64Array(width)
    into.set(name, sum)
    addPacked(counts, sum)
  }
}

type Place = ReturnType<typeof layoutOf>['latency']

/** Bin of a number relative to its histogram's place; special bins stand behind the regular ones. */
function binOf(value: unknown, edges: readonly number[], place: Place): number {
  const special = (name: Place['specials'][number]): number => specialAt(place, name) - place.at
  if (value === null || value === undefined) return special('missing')
  if (typeof value !== 'number' || !Number.isFinite(value)) return special('invalid')
  if (value < edges[0]!) return special('below')
  if (value > edges.at(-1)!) return special('above')
  const bin = edges.findIndex((edge, index) => index > 0 && value < edge) - 1
  return bin < 0 ? edges.length - 2 : bin
}

function wordOf(value: unknown, words: readonly string[], place: Place): number {
  if (value === null || value === undefined) return specialAt(place, 'missing') - place.at
  if (typeof value !== 'string') return specialAt(place, 'invalid') - place.at
  const index = words.indexOf(value)
  return index >= 0 ? index : specialAt(place, 'unseen') - place.at
}
