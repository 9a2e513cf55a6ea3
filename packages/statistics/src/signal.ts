import type {
  BaselineDocument,
  CountSpec,
  HistogramPlace,
  Layout,
  PredictionStatus,
  SignalView,
  SpecialBin,
} from '@interlock/contracts'
import { histogramWidth, layoutOf, predictionStatuses, specialAt } from '@interlock/contracts'

/** What counts as an error of the version: it failed to answer, or not in time. A fallback's answer is an answer. */
export const errorStatuses: readonly PredictionStatus[] = ['error', 'timeout']

export type LatencyLimits = BaselineDocument['latencyLimitsMs']

/** A policy named a signal that this deployment does not have. `nearest` is what was probably meant. */
export class UnknownSignalError extends Error {
  readonly signal: string
  readonly nearest: string
  constructor(signal: string, nearest: string, why: string) {
    super(`signal "${signal}" ${why}; write "${nearest}" if that was meant`)
    this.name = 'UnknownSignalError'
    this.signal = signal
    this.nearest = nearest
  }
}

/** Every signal that a deployment with these counts has, in the words of a policy. */
export function signalsOf(spec: CountSpec): readonly string[] {
  const features = spec.features.map(({ name }) => name)
  return [
    'errors',
    ...(['p50', 'p90', 'p99'] as const).map((quantile) => `latency-over(${quantile})`),
    'volume',
    'duplicates',
    'predictions',
    'distribution(latency)',
    'mean(latency)',
    ...(spec.scoreEdges.length > 1 ? ['mean(score)'] : []),
    ...spec.features.filter(({ kind }) => kind === 'numeric').map(({ name }) => `mean(${name})`),
    ...['missing', 'unseen', 'invalid', 'distribution'].flatMap((kind) => features.map((name) => `${kind}(${name})`)),
  ]
}

/**
 * How a signal of a policy reads a cell's counts.
 *
 * - `errors`: rows with status error or timeout, of all rows
 * - `duplicates`: rows whose event id came before in the pane, of the rows of up to 256 ids drawn from it; of the whole only
 * - `missing(f)`, `invalid(f)`: of all rows. `unseen(f)`: values outside the vocabulary or, for numbers, the edges
 * - `latency-over(p50|p90|p99)`: rows slower than the baseline's quantile, of the rows with a latency
 * - `distribution(f)`, `distribution(latency)`: all bins with the special ones
 * - `predictions`: the score's bins, or the classes where there is no score
 * - `mean(f)`, `mean(score)`, `mean(latency)`: the regular bins with what lies below and above them; latency up to the
 *   baseline's p99, which counts for all that is slower
 * - `volume`: rows
 *
 * @param limits the baseline's latency quantiles; each must be an edge of the latency histogram
 * @throws UnknownSignalError naming the nearest signal that exists
 */
export function resolveSignal(signal: string, spec: CountSpec, limits: LatencyLimits): SignalView {
  const layout = layoutOf(spec)
  const call = /^([a-z-]+)\((.*)\)$/.exec(signal)
  const name = call?.[1] ?? signal
  const argument = call?.[2]
  const unknown = (why: string): UnknownSignalError =>
    new UnknownSignalError(signal, nearestOf(signal, signalsOf(spec)), why)

  if (argument === undefined) {
    switch (name) {
      case 'errors':
        return rate(
          signal,
          errorStatuses.map((status) => layout.status + predictionStatuses.indexOf(status)),
          layout,
        )
      case 'volume':
        return { kind: 'volume', id: signal, read: (counts) => counts[layout.rows] as number }
      case 'duplicates': {
        const { rows, repeated } = layout.sampled
        return {
          kind: 'rate',
          id: signal,
          read: (counts) => ({ events: counts[repeated] as number, trials: counts[rows] as number }),
        }
      }
      case 'predictions':
        return layout.score.bins > 0
          ? numeric(signal, layout.score, spec.scoreEdges)
          : histogram(signal, layout.prediction, spec.classes)
      default:
        throw unknown('does not exist')
    }
  }
  if (name === 'latency-over') {
    if (argument !== 'p50' && argument !== 'p90' && argument !== 'p99') throw unknown('has no such quantile')
    return latencyOver(signal, limits[argument], spec, layout)
  }
  if (name === 'distribution' && argument === 'latency') return numeric(signal, layout.latency, spec.latencyEdgesMs)
  if (name === 'mean' && argument === 'latency') {
    const upTo = limitAt(signal, limits.p99, spec)
    if (upTo < 1) throw unknown('needs answers that take time')
    return mean(signal, layout.latency, spec.latencyEdgesMs.slice(0, upTo + 1))
  }
  if (name === 'mean' && argument === 'score' && layout.score.bins > 0)
    return mean(signal, layout.score, spec.scoreEdges)
  const index = spec.features.findIndex((feature) => feature.name === argument)
  const feature = spec.features[index]
  const place = layout.features[index]
  if (feature === undefined || place === undefined) throw unknown(`names no feature of this deployment`)
  switch (name) {
    case 'missing':
    case 'invalid':
      return rate(signal, [specialAt(place, name)], layout)
    case 'unseen': {
      const cells = (['unseen', 'below', 'above'] as const).map((special) => specialAt(place, special))
      return rate(
        signal,
        cells.filter((cell) => cell >= 0),
        layout,
      )
    }
    case 'distribution':
      return feature.kind === 'numeric'
        ? numeric(signal, place, feature.edges)
        : histogram(signal, place, feature.vocabulary)
    case 'mean':
      if (feature.kind !== 'numeric' || place.bins === 0) throw unknown('needs a feature with numbers')
      return mean(signal, place, feature.edges)
    default:
      throw unknown('does not exist')
  }
}

function sumOf(counts: Float64Array, cells: readonly number[]): number {
  let sum = 0
  for (const cell of cells) sum += counts[cell] as number
  return sum
}

function rate(id: string, cells: readonly number[], layout: Layout): SignalView {
  return {
    kind: 'rate',
    id,
    read: (counts) => ({ events: sumOf(counts, cells), trials: counts[layout.rows] as number }),
  }
}

type Outside = Partial<Record<SpecialBin, string>>

function histogram(
  id: string,
  place: HistogramPlace,
  regular: readonly string[],
  outside: Outside = {},
): Extract<SignalView, { kind: 'histogram' }> {
  const bins = [...regular, ...place.specials.map((special) => outside[special] ?? special)]
  const width = histogramWidth(place)
  return { kind: 'histogram', id, bins, read: (counts) => counts.slice(place.at, place.at + width) }
}

/** A histogram over edges: "100 to 200" for each bin, and what lies outside: "below 100", "1,600 and more". */
function numeric(id: string, place: HistogramPlace, edges: readonly number[]): SignalView {
  const regular = edges.slice(1).map((edge, bin) => `${grouped(edges[bin] as number)} to ${grouped(edge)}`)
  if (edges.length < 2) return histogram(id, place, regular)
  const [first, last] = [grouped(edges[0] as number), grouped(edges.at(-1) as number)]
  const special = (name: 'below' | 'above'): number => specialAt(place, name) - place.at
  const ordered = [special('below'), ...regular.keys(), special('above')]
  return { ...histogram(id, place, regular, { below: `below ${first}`, above: `${last} and more` }), ordered }
}

/** Bins up to `edges`, in the order of their values; what lies above them is pooled. */
function mean(id: string, place: HistogramPlace, edges: readonly number[]): SignalView {
  const within = edges.length - 1
  const names = edges.slice(1).map((edge, bin) => `${grouped(edges[bin] as number)} to ${grouped(edge)}`)
  const bins = [`below ${grouped(edges[0] as number)}`, ...names, `${grouped(edges.at(-1) as number)} and more`]
  const [below, above] = [specialAt(place, 'below'), specialAt(place, 'above')]
  return {
    kind: 'mean',
    id,
    edges,
    bins,
    read: (counts) => {
      const read = new Float64Array(within + 2)
      read[0] = counts[below] as number
      for (let bin = 0; bin < within; bin++) read[bin + 1] = counts[place.at + bin] as number
      let beyond = counts[above] as number
      for (let bin = within; bin < place.bins; bin++) beyond += counts[place.at + bin] as number
      read[within + 1] = beyond
      return read
    },
  }
}

/** Place of a baseline's limit among the edges. */
function limitAt(id: string, limitMs: number, spec: CountSpec): number {
  const at = spec.latencyEdgesMs.indexOf(limitMs)
  if (at < 0)
    throw new RangeError(
      `${id}: the baseline's limit ${limitMs} ms is no edge of the latency histogram; build the baseline again with this count spec`,
    )
  return at
}

function latencyOver(id: string, limitMs: number, spec: CountSpec, layout: Layout): SignalView {
  const from = limitAt(id, limitMs, spec)
  const { at, bins } = layout.latency
  const regular = Array.from({ length: bins }, (_, bin) => at + bin)
  const above = specialAt(layout.latency, 'above')
  const over = [...regular.slice(from), above]
  const all = [...regular, specialAt(layout.latency, 'below'), above]
  return { kind: 'rate', id, read: (counts) => ({ events: sumOf(counts, over), trials: sumOf(counts, all) }) }
}

/** A number with thousands set apart, at most six digits after the first. */
function grouped(value: number): string {
  const [whole, rest] = String(Number(value.toPrecision(7))).split('.') as [string, string?]
  if (/e/i.test(whole) || rest?.includes('e')) return String(value)
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return rest === undefined ? groups : `${groups}.${rest}`
}

/** The candidate that goes on from `text`, or else has the fewest edits (Levenshtein) to it; the first of equals. */
export function nearestOf(text: string, candidates: readonly string[]): string {
  const longer = candidates.find((candidate) => text !== '' && candidate.startsWith(text))
  if (longer !== undefined) return longer
  let nearest = ''
  let fewest = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const edits = editsBetween(text, candidate)
    if (edits < fewest) {
      fewest = edits
      nearest = candidate
    }
  }
  return nearest
}

function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(same, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
