import type { CountSpec, SignalView } from '@interlock/contracts'
import { layoutOf, specialAt } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { resolveSignal, signalsOf, UnknownSignalError } from './signal.ts'

const spec: CountSpec = {
  v: 1,
  features: [
    { kind: 'numeric', name: 'distance', edges: [0, 500, 1600], scale: 1 },
    { kind: 'categorical', name: 'origin', vocabulary: ['ORD', 'SFO'] },
  ],
  latencyEdgesMs: [0, 10, 20, 50, 100],
  scoreEdges: [0, 0.5, 1],
  classes: ['late', 'on-time'],
  segments: [],
  producers: [],
}
const limits = { p50: 10, p90: 20, p99: 50 }
const layout = layoutOf(spec)

/** A cell whose every count tells its own place. */
const places = Float64Array.from({ length: layout.width }, (_, place) => 1000 + place)
const valueAt = (place: number): number => 1000 + place
const [distance, origin] = layout.features as [(typeof layout.features)[0], (typeof layout.features)[0]]

function read(signal: string): unknown {
  const view: SignalView = resolveSignal(signal, spec, limits)
  expect(view.id).toBe(signal)
  const value = view.read(places)
  return value instanceof Float64Array ? [...value] : value
}

describe('each signal reads its own cells', () => {
  test('errors are errors and timeouts of all rows', () => {
    expect(read('errors')).toEqual({
      events: valueAt(layout.status + 1) + valueAt(layout.status + 2),
      trials: valueAt(layout.rows),
    })
  })
  test('missing, invalid and unseen are of all rows', () => {
    for (const kind of ['missing', 'invalid'] as const)
      expect(read(`${kind}(distance)`)).toEqual({
        events: valueAt(specialAt(distance, kind)),
        trials: valueAt(layout.rows),
      })
    expect(read('unseen(origin)')).toMatchObject({ events: valueAt(specialAt(origin, 'unseen')) })
  })
  test('an unseen number is one outside the edges', () => {
    expect(read('unseen(distance)')).toMatchObject({
      events: valueAt(specialAt(distance, 'below')) + valueAt(specialAt(distance, 'above')),
    })
  })
  test('slow rows are those from the limit on, of the rows with a latency', () => {
    const at = layout.latency.at
    expect(read('latency-over(p90)')).toEqual({
      events: valueAt(at + 2) + valueAt(at + 3) + valueAt(specialAt(layout.latency, 'above')),
      trials: [0, 1, 2, 3, 4, 5].reduce((sum, bin) => sum + valueAt(at + bin), 0),
    })
  })
  test('numeric histograms know the order of their values, from below the edges to above them; categories have none', () => {
    const ordered = (signal: string): unknown => {
      const view = resolveSignal(signal, spec, limits)
      return view.kind === 'histogram' && view.ordered?.map((bin) => view.bins[bin])
    }
    expect(ordered('distribution(distance)')).toEqual(['below 0', '0 to 500', '500 to 1,600', '1,600 and more'])
    expect(ordered('distribution(origin)')).toBeUndefined()
  })
  test('distributions and predictions are whole histograms, special bins included', () => {
    expect(read('distribution(origin)')).toEqual([0, 1, 2, 3, 4].map((bin) => valueAt(origin.at + bin)))
    expect(read('distribution(latency)')).toHaveLength(4 + 4)
    expect(read('predictions')).toEqual([0, 1, 2, 3, 4, 5].map((bin) => valueAt(layout.score.at + bin)))
    expect(read('volume')).toBe(valueAt(layout.rows))
  })
})

test('bins are named for a reader', () => {
  const bins = (signal: string): readonly string[] => {
    const view = resolveSignal(signal, spec, limits)
    return view.kind === 'histogram' ? view.bins : []
  }
  expect(bins('distribution(distance)')).toEqual([
    '0 to 500',
    '500 to 1,600',
    'below 0',
    '1,600 and more',
    'missing',
    'invalid',
  ])
  expect(bins('distribution(origin)')).toEqual(['ORD', 'SFO', 'unseen', 'missing', 'invalid'])
})

test('without a score the predictions are the classes', () => {
  const view = resolveSignal('predictions', { ...spec, scoreEdges: [] }, limits)
  expect(view.kind === 'histogram' && view.bins).toEqual(['late', 'on-time', 'unseen', 'missing', 'invalid'])
  const other = layoutOf({ ...spec, scoreEdges: [] })
  expect(specialAt(other.score, 'below')).toBe(other.score.at)
  const counts = Float64Array.from({ length: other.width }, (_, place) => place)
  expect([...(view.read(counts) as Float64Array)]).toEqual([0, 1, 2, 3, 4].map((bin) => other.prediction.at + bin))
})

test('every signal that is listed can be resolved', () => {
  expect(signalsOf(spec)).toContain('missing(distance)')
  for (const signal of signalsOf(spec)) expect(resolveSignal(signal, spec, limits).id).toBe(signal)
})

test('an unknown signal is refused and the nearest is named', () => {
  for (const [wrong, nearest] of [
    ['error', 'errors'],
    ['mising(distance)', 'missing(distance)'],
    ['missing(distanse)', 'missing(distance)'],
    ['latency-over(p95)', 'latency-over(p90)'],
    ['distribution', 'distribution(latency)'],
    ['latency', 'latency-over(p50)'],
  ] as const) {
    expect(() => resolveSignal(wrong, spec, limits)).toThrow(UnknownSignalError)
    expect(() => resolveSignal(wrong, spec, limits)).toThrow(`write "${nearest}"`)
  }
})

test('a latency limit that is no edge is refused with what to do', () => {
  expect(() => resolveSignal('latency-over(p50)', spec, { ...limits, p50: 11 })).toThrow('build the baseline again')
})
