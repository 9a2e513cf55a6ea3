import {
  addPacked,
  type BaselineDocument,
  type FeatureSpec,
  type HistogramPlace,
  layoutOf,
  pooledWord,
  type SpecialBin,
} from '@interlock/contracts'
import { drawsOf } from '../draw.ts'
import type { Row } from '../row.ts'
import { deployment, environment, startMs, tenant } from '../world/place.ts'
import type { Traffic } from './traffic.ts'

/** People who ask: each unit comes back now and then, as units do. */
const units = 50_000
/** A category that no vocabulary holds, for the rows that the baseline counted as unseen. */
const stranger = 'never-seen'

/**
 * Rows drawn from a baseline's counts, where nothing is recorded: a producer by its part of the rows, then each feature,
 * score, latency and answer by that producer's counts, each for itself; a segment's value by its part of the rows. So every
 * shape is the baseline's, as a whole and by producer; what belongs together (an airport and its origin) is not kept
 * together: rules that hold a segment against a baseline want recorded traffic.
 *
 * @param options.seed another seed is another day of the same kind
 * @param options.errorRate part of the answers that fails: baselines do not know it
 */
export function syntheticTraffic(
  baseline: BaselineDocument,
  options: { readonly rowsPerHour: number; readonly errorRate: number; readonly seed: number },
): Traffic {
  const { spec } = baseline
  const { rowsPerHour, errorRate, seed } = options
  const gapMs = 3_600_000 / rowsPerHour
  const producers = producersOf(baseline)
  const whichProducer = cumulated(producers.map(({ rows }) => rows))
  const segments = spec.segments.map(({ name }) => valuesOf(baseline, name))
  const hasScore = spec.scoreEdges.length > 1
  return {
    from: `drawn from the baseline of ${baseline.version}`,
    rowsPerHour,
    errorRate,
    between(from, to) {
      const rows: Row[] = []
      for (let number = Math.ceil(from / gapMs); number * gapMs < to; number++) {
        const next = drawsOf(seed, number)
        const producer = producers[pick(whichProducer, next())]!
        const fails = next() < errorRate
        const features: Record<string, number | string | null> = {}
        for (const [index, feature] of spec.features.entries()) {
          features[feature.name] = featureOf(feature, producer.features[index]!, next(), next())
        }
        const score = hasScore ? numberOf(spec.scoreEdges, producer.score, next(), next()) : null
        const latencyMs = numberOf(spec.latencyEdgesMs, producer.latency, next(), next())
        rows.push({
          id: `drawn-${seed}-${number}`,
          environment,
          tenant,
          deployment,
          generation: 0,
          version: baseline.version,
          variant: 'stable',
          unit: `unit-${Math.floor(next() * units)}`,
          eventTimeMs: startMs + Math.floor(number * gapMs),
          features,
          prediction: fails ? null : wordOf(spec.classes, producer.prediction, next()),
          score: fails ? null : score,
          latencyMs,
          status: fails ? 'error' : 'ok',
          segments: Object.fromEntries(segments.map(({ name, values, table }) => [name, values[pick(table, next())]!])),
          producer: producer.name,
        })
      }
      return rows
    },
  }
}

/** Cumulated counts, to find a bin by a number from 0 to their sum. */
type Table = Float64Array

interface Producer {
  readonly name: string
  readonly rows: number
  readonly features: readonly Drawn[]
  readonly score: Drawn
  readonly latency: Drawn
  readonly prediction: Drawn
}

interface Drawn {
  readonly table: Table
  readonly bins: number
  readonly specials: readonly SpecialBin[]
}

function producersOf({ spec, slices }: BaselineDocument): readonly Producer[] {
  const layout = layoutOf(spec)
  return slices
    .filter(({ dimension }) => dimension === 'producer')
    .map(({ value, counts }) => {
      const vector = new Float64Array(layout.width)
      addPacked(Buffer.from(counts, 'base64'), vector)
      const drawn = ({ at, bins, specials }: HistogramPlace): Drawn => ({
        table: cumulated([...vector.subarray(at, at + bins + specials.length)]),
        ...{ bins, specials },
      })
      return {
        name: value,
        rows: vector[layout.rows] as number,
        features: layout.features.map(drawn),
        ...{ score: drawn(layout.score), latency: drawn(layout.latency), prediction: drawn(layout.prediction) },
      }
    })
}

function valuesOf({ spec, slices }: BaselineDocument, name: string) {
  const { rows, width } = layoutOf(spec)
  const own = slices.filter(({ dimension }) => dimension === `segment:${name}`)
  const counted = own.map(({ value, counts }) => {
    const vector = new Float64Array(width)
    addPacked(Buffer.from(counts, 'base64'), vector)
    return { value, rows: vector[rows] as number }
  })
  const known = counted.length > 0 ? counted : [{ value: 'other', rows: 1 }]
  return { name, values: known.map(({ value }) => value), table: cumulated(known.map(({ rows }) => rows)) }
}

function cumulated(counts: readonly number[]): Table {
  let sum = 0
  return Float64Array.from(counts, (count) => (sum += count))
}

/** Bin of a uniform number; the first one where there are no counts. */
function pick(table: Table, uniform: number): number {
  const wanted = uniform * (table.at(-1) ?? 0)
  let from = 0
  let to = table.length - 1
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((table[middle] as number) > wanted) to = middle
    else from = middle + 1
  }
  return Math.max(0, from)
}

function featureOf(feature: FeatureSpec, drawn: Drawn, which: number, within: number): number | string | null {
  return feature.kind === 'numeric'
    ? numberOf(feature.edges, drawn, which, within)
    : categoryOf(feature, drawn, which, within)
}

/** A number within the drawn bin; null for missing (and invalid) ones, and where there are no counts at all. */
function numberOf(edges: readonly number[], drawn: Drawn, which: number, within: number): number | null {
  const { table, bins, specials } = drawn
  if ((table.at(-1) ?? 0) === 0) return null
  const bin = pick(table, which)
  const [first, last] = [edges[0] ?? 0, edges.at(-1) ?? 0]
  if (bin < bins) {
    const [low, high] = [edges[bin] as number, edges[bin + 1] as number]
    // What was counted as whole numbers stays whole: edges between them say so.
    const value = low + within * (high - low)
    return Number.isInteger(low) && Number.isInteger(high) && high - low >= 1 ? Math.floor(value) : value
  }
  const special = specials[bin - bins]
  if (special === 'below') return first - (1 + within) * beyond(edges)
  return special === 'above' ? last + (1 + within) * beyond(edges) : null
}

/** How far outside of the edges a value lies that was counted there: one of the outermost bins. */
function beyond(edges: readonly number[]): number {
  return Math.max(1e-6, (edges.at(-1) ?? 1) - (edges.at(-2) ?? 0))
}

function categoryOf(
  feature: Extract<FeatureSpec, { kind: 'categorical' }>,
  drawn: Drawn,
  which: number,
  within: number,
): string | null {
  const word = wordOf(feature.vocabulary, drawn, which)
  if (word !== pooledWord) return word
  const pooled = feature.pooled ?? []
  return pooled[Math.floor(within * pooled.length)] ?? stranger
}

function wordOf(words: readonly string[], { table, bins, specials }: Drawn, which: number): string | null {
  if ((table.at(-1) ?? 0) === 0) return null
  const bin = pick(table, which)
  if (bin < bins) return words[bin] as string
  return specials[bin - bins] === 'unseen' ? stranger : null
}
