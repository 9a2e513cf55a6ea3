/** A small baseline for tests only; no product code imports this. */
import {
  type BaselineDocument,
  type CountSpec,
  contentHash,
  layoutOf,
  packCounts,
  type VersionId,
} from '@interlock/contracts'

const spec: CountSpec = {
  v: 1,
  features: [
    { kind: 'numeric', name: 'distance', edges: [0, 200, 400, 800, 1_600], scale: 1 },
    { kind: 'numeric', name: 'weight', edges: [0, 0.5, 1], scale: 0.001 },
    { kind: 'categorical', name: 'origin', vocabulary: ['ORD', 'ATL', 'JFK'] },
  ],
  latencyEdgesMs: [0, 5, 10, 20, 40],
  scoreEdges: [0, 0.25, 0.5, 0.75, 1],
  classes: ['late', 'on-time'],
  segments: [{ name: 'airport', values: ['ORD', 'ATL', 'JFK'] }],
  producers: ['east', 'west'],
}

/** `rows` rows of each producer; the west's distances are longer. */
export function sampleBaseline(rows = 10_000): BaselineDocument {
  const layout = layoutOf(spec)
  const vector = (n: number, distance: readonly number[]): Float64Array => {
    const counts = new Float64Array(layout.width)
    const put = (at: number, parts: readonly number[]): void => {
      for (const [bin, part] of parts.entries()) counts[at + bin] = Math.round(n * part)
    }
    const [miles = 0, weight = 0, origin = 0] = layout.features.map(({ at }) => at)
    counts[layout.rows] = n
    counts[layout.status] = n
    put(layout.latency.at, [0.5, 0.4, 0.09, 0.01])
    put(layout.score.at, [0.4, 0.3, 0.2, 0.1])
    put(layout.prediction.at, [0.2, 0.8])
    put(miles, distance)
    put(weight, [0.5, 0.5])
    put(origin, [0.6, 0.3, 0.1])
    return counts
  }
  const slice = (dimension: string, value: string, counts: Float64Array) => ({
    ...{ dimension, value },
    counts: Buffer.from(packCounts(counts)).toString('base64'),
  })
  const near = [0.4, 0.3, 0.2, 0.1]
  const far = [0.1, 0.2, 0.3, 0.4]
  return {
    kind: 'baseline',
    version: 'delay@1' as VersionId,
    from: 'March',
    ...{ spec, specHash: contentHash(spec), rows: 2 * rows },
    slices: [
      slice('producer', 'east', vector(rows, near)),
      slice('producer', 'west', vector(rows, far)),
      slice('segment:airport', 'ORD', vector(1.88 * rows, near)),
      slice('segment:airport', 'ATL', vector(0.1 * rows, near)),
      slice('segment:airport', 'JFK', vector(0.02 * rows, near)),
    ],
    latencyLimitsMs: { p50: 5, p90: 10, p99: 20 },
    phi: {},
  }
}

/** A policy whose rules look at the distance and not at the weight. */
export const samplePolicy = `
policy: delay
class: medium
times: { pane: 1s, lateness: 1s, stall: 5s }
no-data: 8s
stages:
  - { share: shadow, rows: 500, at-least: 3s, at-most: 60s }
  - { share: 20%, rows: 500, at-least: 4s, at-most: 60s }
  - { share: 100% }
guardrails:
  errors:
    signal: errors
    against: stable
    role: gate
    tolerate: 50%
    safe: 200%
    absolute: 3%
    action: roll back
    protects: travellers who get no answer
  inputs:
    signal: distribution(distance, origin)
    against: stable
    tolerate: 0.05
    action: roll back
    protects: travellers who get a wrong forecast
  inputs-since-training:
    signal: distribution(distance)
    against: baseline
    tolerate: 0.05
    by: [producer]
    action: hold
    protects: travellers who get a wrong forecast
`
