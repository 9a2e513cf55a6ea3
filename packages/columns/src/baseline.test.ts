import { addPacked, layoutOf, specialAt, type VersionId } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildBaseline } from './baseline.ts'
import { type BaselineBatch, BaselineProblem } from './baseline-rows.ts'
import { BinLookup } from './bin-lookup.ts'
import { designEffect } from './design-effect.ts'
import { equalMassEdges, momentScale } from './equal-mass-edges.ts'
import { latencyEdges, latencyLimitsOf } from './latency-edges.ts'
import { vocabularyOf } from './vocabulary.ts'
import { specProblem } from './wanted.ts'

const version = 'm@v1' as VersionId

/** Numbers from 0 to 1 that look random and are the same in every run. */
function series(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function batch(rows: number, seed: number, day = 0): BaselineBatch {
  const next = series(seed)
  const column = <Value>(of: () => Value): Value[] => Array.from({ length: rows }, of)
  return {
    features: {
      distance: Float64Array.from({ length: rows }, () => (next() < 0.02 ? Number.NaN : Math.floor(next() * 2_000))),
      origin: column(() => (next() < 0.01 ? null : next() < 0.001 ? 'RARE' : next() < 0.5 ? 'ORD' : 'ATL')),
    },
    score: Float64Array.from({ length: rows }, next),
    prediction: column(() => (next() < 0.2 ? 'delayed' : 'on-time')),
    producer: column(() => (next() < 0.5 ? 'east' : 'west')),
    segments: { airport: column(() => `A${Math.floor(next() * 400)}`) },
    latencyMs: Float64Array.from({ length: rows }, () => Math.floor(2 + next() * 20)),
    window: new Int32Array(rows).fill(day),
  }
}

test('every bin of equal-mass edges holds its part, and an atom has a bin of its own', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.integer({ min: -50, max: 50 }),
          fc.constant(0),
          fc.double({ noNaN: true, noDefaultInfinity: true }),
        ),
        {
          minLength: 1,
          maxLength: 400,
        },
      ),
      fc.integer({ min: 2, max: 20 }),
      (values, bins) => {
        const sorted = Float64Array.from(values).sort()
        const edges = equalMassEdges(sorted, bins)
        const plausible = sorted.filter((value) => Math.abs(value) < 1e300)
        expect(edges.length - 1).toBeLessThanOrEqual(2 * bins + 1)
        edges.forEach((edge, index) => {
          expect(Number.isFinite(edge) && (index === 0 || edge > edges[index - 1]!)).toBe(true)
        })
        const lookup = new BinLookup(edges)
        const counts = new Map<number, Set<number>>()
        for (const value of plausible) {
          const bin = lookup.of(value)
          expect(bin).toBeLessThan(lookup.bins)
          counts.set(bin, (counts.get(bin) ?? new Set()).add(value + 0))
        }
        for (const distinct of counts.values()) {
          const mass = plausible.filter((value) => distinct.has(value + 0)).length
          if (distinct.size > 1) {
            expect(mass).toBeLessThanOrEqual((2 * plausible.length) / bins)
            for (const value of distinct)
              expect(plausible.filter((other) => other === value).length * bins).toBeLessThanOrEqual(plausible.length)
          }
        }
        const scale = momentScale(edges)
        expect(Math.round((edges[edges.length - 1]! - edges[0]!) / scale)).toBeLessThan(2 ** 20)
      },
    ),
    { numRuns: 400 },
  )
})

test('a flag of zeros and ones has a bin for each, and a constant one bin', () => {
  expect(equalMassEdges(Float64Array.of(0, 0, 0, 1, 1), 20).slice(0, 2)).toEqual([0, 1])
  expect(equalMassEdges(Float64Array.of(7, 7), 20)[0]).toBe(7)
  expect(equalMassEdges(new Float64Array(), 20)).toEqual([0, 1])
})

test('twenty bins of uniform values hold a twentieth each', () => {
  const edges = equalMassEdges(
    Float64Array.from({ length: 10_000 }, (_, index) => index / 10),
    20,
  )
  expect(edges).toEqual([...Array.from({ length: 20 }, (_, bin) => bin * 50), 999.9])
})

test('rare categories share a bin, the most frequent stands first', () => {
  const words = [...Array(900).fill('a'), ...Array(95).fill('b'), ...Array(4).fill('c'), 'd']
  expect(vocabularyOf([words], 1_000, 0.005)).toEqual({ vocabulary: ['a', 'b', '__other__'], pooled: ['c', 'd'] })
  expect(vocabularyOf([['a', null, 'a', 'a', 'a', 'a']], 6, 0.005)).toEqual({ vocabulary: ['a'], pooled: [] })
})

test('latency limits lie above their quantiles, and are edges exactly', () => {
  const limits = latencyLimitsOf(Float64Array.from({ length: 1_000 }, (_, index) => Math.floor(index / 100)))!
  expect(limits).toEqual({ p50: 4.5, p90: 8.5, p99: 9 + 9 / 1_024 })
  const edges = latencyEdges(limits)
  for (const limit of Object.values(limits)) expect(edges).toContain(limit)
  expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b))
  expect(edges[edges.length - 1]).toBeGreaterThan(60_000)
})

test('the design effect is near one for independent windows and sees days that differ', () => {
  const next = series(7)
  const windows = (spread: number): Float64Array[] =>
    Array.from({ length: 40 }, () => {
      const counts = new Float64Array(10)
      const favourite = Math.floor(next() * 10)
      for (let row = 0; row < 2_000; row++) counts[next() < spread ? favourite : Math.floor(next() * 10)]! += 1
      return counts
    })
  expect(designEffect(windows(0))).toBeLessThan(1.2)
  expect(designEffect(windows(0.05))).toBeGreaterThan(3)
  expect(designEffect(windows(0.05).slice(0, 4))).toBe(1)
  expect(designEffect([])).toBe(1)
})

test('the design effect is the mean of χ² over its degrees of freedom, window against the rest', () => {
  const anyWindows = fc.array(fc.array(fc.nat(50), { minLength: 4, maxLength: 4 }), { minLength: 5, maxLength: 8 })
  fc.assert(
    fc.property(anyWindows, (windows) => {
      const filled = windows.filter((window) => window.some((count) => count > 0))
      const totals = [0, 1, 2, 3].map((bin) => filled.reduce((sum, window) => sum + window[bin]!, 0))
      const used = totals.filter((count) => count > 0)
      fc.pre(filled.length >= 5 && used.length > 1)
      const all = used.reduce((sum, count) => sum + count, 0)
      const effects = filled.map((window) => {
        const rows = window.reduce((sum, count) => sum + count, 0)
        const cells = totals.flatMap((both, bin) =>
          both === 0
            ? []
            : [
                { observed: window[bin]!, expected: (both * rows) / all },
                { observed: both - window[bin]!, expected: (both * (all - rows)) / all },
              ],
        )
        const chiSquare = cells.reduce((sum, { observed, expected }) => sum + (observed - expected) ** 2 / expected, 0)
        return chiSquare / (used.length - 1)
      })
      const mean = effects.reduce((sum, effect) => sum + effect, 0) / effects.length
      expect(designEffect(windows.map((window) => Float64Array.from(window)))).toBeCloseTo(Math.max(1, mean), 6)
    }),
    { numRuns: 200 },
  )
})

test('a baseline holds every row in each dimension under a lawful spec', () => {
  const baseline = buildBaseline({ version, from: 'test', batches: [batch(3_000, 1), batch(2_000, 2)] })
  expect(specProblem(baseline.spec)).toBeNull()
  expect(baseline.rows).toBe(5_000)
  const layout = layoutOf(baseline.spec)
  const sums = new Map<string, Float64Array>()
  for (const { dimension, counts } of baseline.slices) {
    const sum = sums.get(dimension) ?? new Float64Array(layout.width)
    sums.set(dimension, sum)
    addPacked(Buffer.from(counts, 'base64'), sum)
  }
  const producer = sums.get('producer')!
  expect(producer[layout.rows]).toBe(5_000)
  expect([...sums.get('segment:airport')!]).toEqual([...producer])
  const [distance, origin] = layout.features
  expect(producer[specialAt(distance!, 'missing')]).toBeGreaterThan(50)
  for (const special of ['below', 'above', 'invalid'] as const) expect(producer[specialAt(distance!, special)]).toBe(0)
  expect(producer[specialAt(origin!, 'unseen')]).toBe(0)
  expect(baseline.spec.segments[0]!.values).toHaveLength(300)
  expect(Object.keys(baseline.phi).sort()).toEqual([
    'distribution(distance)',
    'distribution(latency)',
    'distribution(origin)',
    'latency-over(p50)',
    'latency-over(p90)',
    'mean(distance)',
    'mean(latency)',
    'mean(score)',
    'missing(distance)',
    'missing(origin)',
    'predictions',
  ])
  expect(baseline.volume).toBeUndefined()
})

test('rows with times say how busy the hours of the week are, and rows without a time are left out', () => {
  const hours = Array.from({ length: 3 * 168 + 2 }, (_, hour) => hour)
  const times = hours.flatMap((hour) => Array.from({ length: 1 + (hour % 24) }, () => hour * 3_600_000))
  const timeMs = Float64Array.from([...times, Number.NaN])
  const rows = { ...batch(timeMs.length, 8), timeMs }
  const { volume, phi } = buildBaseline({ version, from: 'three weeks', batches: [rows] })
  // 1970 began on a Thursday, in UTC; the first and the last hour may be cut and are left out.
  expect(volume?.rows).toEqual(Array.from({ length: 168 }, (_, hour) => 1 + (hour % 24)))
  expect(volume?.weeks.reduce((a, b) => a + b, 0)).toBe(hours.length - 2)
  expect(phi.volume).toBe(1)
  const eastern = buildBaseline({ version, from: 'three weeks', batches: [rows], options: { utcOffsetMinutes: -300 } })
  expect(eastern.volume?.rows[0]).toBe(1 + 5)
  const odd = { ...rows, timeMs: timeMs.map((time) => time * 1_000) }
  expect(() => buildBaseline({ version, from: 'x', batches: [odd] })).toThrow(/is this column a time/)
})

test('the same rows in any order and any batches make the same document', () => {
  const all = batch(1_000, 3)
  const take = (from: number, to: number): BaselineBatch => ({
    features: {
      distance: (all.features.distance as Float64Array).slice(from, to),
      origin: (all.features.origin as string[]).slice(from, to),
    },
    score: all.score!.slice(from, to),
    prediction: all.prediction.slice(from, to),
    producer: all.producer.slice(from, to),
    segments: { airport: all.segments.airport!.slice(from, to) },
    latencyMs: all.latencyMs!.slice(from, to),
    window: all.window!.slice(from, to),
  })
  const once = buildBaseline({ version, from: 'test', batches: [all] })
  expect(buildBaseline({ version, from: 'test', batches: [take(600, 1_000), take(0, 0), take(0, 600)] })).toEqual(once)
})

test('a version with fewer features is counted in the bins of one with more, and lacks them in every row', () => {
  const more = buildBaseline({ version, from: 'test', batches: [batch(1_000, 1)] })
  const { origin, ...fewer } = batch(500, 2).features
  const built = buildBaseline({ version, from: 'test', batches: [{ ...batch(500, 2), features: fewer }], like: more })
  expect([built.specHash, built.latencyLimitsMs]).toEqual([more.specHash, more.latencyLimitsMs])
  const layout = layoutOf(built.spec)
  const whole = new Float64Array(layout.width)
  for (const { dimension, counts } of built.slices) {
    if (dimension === 'producer') addPacked(Buffer.from(counts, 'base64'), whole)
  }
  expect(whole[specialAt(layout.features[1]!, 'missing')]).toBe(500)
  const strange = {
    ...batch(10, 3),
    features: { distance: batch(10, 3).features.distance!, fare: new Float64Array(10) },
  }
  expect(() => buildBaseline({ version, from: 'test', batches: [strange], like: more })).toThrow(
    /no bins for feature fare/,
  )
  const swapped = { ...batch(10, 3), features: { distance: Array(10).fill('far') } }
  expect(() => buildBaseline({ version, from: 'test', batches: [swapped], like: more })).toThrow(
    /categorical here and numeric/,
  )
})

test('what cannot be a baseline is refused with what to do', () => {
  const good = batch(10, 1)
  const { latencyMs, ...silent } = good
  const refused: readonly (readonly [readonly BaselineBatch[], RegExp])[] = [
    [[], /no baseline rows/],
    [[batch(0, 1)], /no baseline rows/],
    [[good, { ...good, features: { distance: good.features.distance! } }], /batch 1 has other columns/],
    [[{ ...good, score: new Float64Array(3) }], /score has 3 rows, and prediction 10/],
    [[silent], /no latency.*latencyLimitsMs/],
  ]
  for (const [batches, problem] of refused) {
    expect(() => buildBaseline({ version, from: 'test', batches })).toThrow(BaselineProblem)
    expect(() => buildBaseline({ version, from: 'test', batches })).toThrow(problem)
  }
  const limits = { p50: 5, p90: 10, p99: 20 }
  const built = buildBaseline({ version, from: 'test', batches: [silent], options: { latencyLimitsMs: limits } })
  expect(built.latencyLimitsMs).toEqual(limits)
})
