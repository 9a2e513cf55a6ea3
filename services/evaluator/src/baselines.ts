import {
  addPacked,
  type BaselineDocument,
  type CountSpec,
  canonicalJson,
  contentHash,
  type Hash,
  type HistogramPlace,
  histogramWidth,
  type Layout,
  layoutOf,
} from '@interlock/contracts'
import { added } from './added.ts'
import { otherValue, sliceKey } from './panes.ts'

/** A version's baseline in the places of the spec in force. */
export interface ReadBaseline {
  readonly document: BaselineDocument
  readonly hash: Hash
  readonly whole: Float64Array
  /** By `sliceKey`. */
  readonly slices: ReadonlyMap<string, Float64Array>
  /** Design effect of a signal in a slice: its own where it was estimated, else that of the whole. */
  phiOf(signal: string, slice?: string): number
  /** Whether what a signal reads was counted by the very edges and words of the spec in force. */
  shows(signal: string): boolean
}

/**
 * Reads a baseline under the spec in force. Two versions may have baselines of their own specs; what both define alike (the same
 * edges, the same vocabulary) holds the same counts in other places, and is moved. What differs is not comparable and is
 * left out: `shows` says so, and its guardrails see nothing.
 */
export function readBaseline(document: BaselineDocument, spec: CountSpec, specHash: Hash): ReadBaseline {
  const layout = layoutOf(spec)
  const own = layoutOf(document.spec)
  const moves = document.specHash === specHash ? null : movesBetween(document.spec, own, spec, layout)
  const whole = new Float64Array(layout.width)
  const slices = new Map<string, Float64Array>()
  const phis = new Map<string, Readonly<Record<string, number>>>()
  for (const { dimension, value, counts, phi } of document.slices) {
    const read = new Float64Array(own.width)
    addPacked(Buffer.from(counts, 'base64'), read)
    const vector = moves === null ? read : moved(read, moves, layout.width)
    const key = sliceKey(dimension, valuesOf(spec, dimension).includes(value) ? value : otherValue)
    const old = slices.get(key)
    slices.set(key, old === undefined ? vector : added(old, vector))
    if (phi !== undefined) phis.set(sliceKey(dimension, value), phi)
    if (dimension === 'producer') for (const [index, count] of vector.entries()) whole[index]! += count
  }
  const places = moves === null ? null : new Set(moves.map(({ name }) => name))
  const shows = (signal: string): boolean => places === null || places.has(placeName(signal))
  const phiOf = (signal: string, slice?: string): number =>
    (slice === undefined ? undefined : phis.get(slice)?.[signal]) ??
    document.phi[signal] ??
    document.phi[shapeOf(signal)] ??
    1
  return { document, hash: contentHash(document), whole, slices, phiOf, shows }
}

/** A mean of which a baseline does not say how windows differ has the design effect of the shape it is the mean of. */
function shapeOf(signal: string): string {
  return signal === 'mean(score)' ? 'predictions' : signal.replace(/^mean\(/, 'distribution(')
}

/** Values of a slice dimension that a spec knows; the others count as `other`. */
export function valuesOf(spec: CountSpec, dimension: string): readonly string[] {
  if (dimension === 'producer') return spec.producers
  return spec.segments.find(({ name }) => dimension === `segment:${name}`)?.values ?? []
}

interface Move {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly width: number
}

/** Runs of cells that mean the same under both specs. Moments are not moved: no signal reads them. */
function movesBetween(ownSpec: CountSpec, own: Layout, spec: CountSpec, layout: Layout): readonly Move[] {
  const run = (name: string, from: HistogramPlace, to: HistogramPlace): Move => {
    return { name, from: from.at, to: to.at, width: histogramWidth(to) }
  }
  const same = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b)
  const moves: Move[] = [{ name: 'rows', from: own.rows, to: layout.rows, width: 1 }]
  moves.push({ name: 'status', from: own.status, to: layout.status, width: 4 })
  if (same(ownSpec.latencyEdgesMs, spec.latencyEdgesMs)) moves.push(run('latency', own.latency, layout.latency))
  if (same([ownSpec.scoreEdges, ownSpec.classes], [spec.scoreEdges, spec.classes])) {
    moves.push(run('predictions', own.score, layout.score), run('classes', own.prediction, layout.prediction))
  }
  for (const [index, feature] of spec.features.entries()) {
    const at = ownSpec.features.findIndex((each) => same(each, feature))
    const [from, to] = [own.features[at], layout.features[index]]
    if (from !== undefined && to !== undefined) moves.push(run(`feature ${feature.name}`, from, to))
  }
  return moves
}

/** Name of the run of cells that a signal (contracts `Guardrail.signal`) reads. */
function placeName(signal: string): string {
  if (signal === 'errors') return 'status'
  if (signal === 'predictions') return 'predictions'
  if (signal === 'volume') return 'rows'
  if (signal === 'mean(score)') return 'predictions'
  if (/^(?:latency-over\(.*|(?:distribution|mean)\(latency)\)$/.test(signal)) return 'latency'
  return `feature ${/\((.*)\)$/.exec(signal)?.[1] ?? ''}`
}

function moved(read: Float64Array, moves: readonly Move[], width: number): Float64Array {
  const vector = new Float64Array(width)
  for (const { from, to, width: cells } of moves) vector.set(read.subarray(from, from + cells), to)
  return vector
}
