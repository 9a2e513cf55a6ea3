import type { CountSpec, DetectorSetup, Guardrail, SignalView } from '@interlock/contracts'
import { layoutOf } from '@interlock/contracts'
import { detectorFor, ln } from '@interlock/statistics'
import { expect, test } from 'vitest'
import { designEffect } from './design-effect.ts'
import { designEffects } from './design-effects.ts'

/** Numbers from 0 to 1 that look random and are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const rows = 200
const rate = 0.02
/** Events come in clumps of 2 (six in ten) or 3: the variance of a pane's events is 2.5 times its mean. */
const clumped = (next: () => number): number => {
  let events = 0
  for (let trial = 0; trial < rows; trial++) if (next() < rate / 2.4) events += next() < 0.6 ? 2 : 3
  return events
}
const independent = (next: () => number): number => {
  let events = 0
  for (let trial = 0; trial < rows; trial++) if (next() < rate) events += 1
  return events
}

const signal: SignalView = {
  kind: 'rate',
  id: 'slow',
  read: (counts) => ({ events: counts[0] as number, trials: counts[1] as number }),
}
const guardrail: Guardrail = {
  id: 'slow',
  signal: 'slow',
  reference: 'baseline',
  detector: 'binomial-shiryaev-roberts',
  tolerance: { harm: 0, safe: 0.5 },
  budget: { falsePerYear: 1 },
  role: 'guard',
  action: 'hold',
  protects: 'nobody',
  slices: [],
  minimumSample: 0,
}

/** Panes until the evidence reaches `limit`, cut off at `most`; φ̂ and the baseline are estimated anew from 30 windows of 100 panes. */
function runLength(
  next: () => number,
  events: (next: () => number) => number,
  limit: number,
  most: number,
  tempered: boolean,
): number {
  const windows = Array.from({ length: 30 }, () => {
    let sum = 0
    for (let pane = 0; pane < 100; pane++) sum += events(next)
    return Float64Array.of(sum, 100 * rows - sum)
  })
  const baseline = Float64Array.of(
    windows.reduce((sum, [own]) => sum + (own as number), 0),
    windows.length * 100 * rows,
  )
  const setup: DetectorSetup = {
    guardrail,
    signal,
    baseline,
    phi: tempered ? designEffect(windows) : 1,
    paneMs: 10_000,
  }
  const detector = detectorFor(guardrail.detector)
  let state = detector.start(setup)
  for (let pane = 0; pane < most; pane++) {
    const now = Float64Array.of(events(next), rows)
    state = detector.update(setup, state, { start: pane * 10_000, ms: 10_000, now, reference: null, coverage: 1 })
    if (detector.read(setup, state).logE.harm >= limit) return pane + 1
  }
  return most
}

/** Estimate of the run length from censored runs: panes watched for each alarm. */
function panesAnAlarm(lengths: readonly number[], most: number): number {
  const alarms = lengths.filter((length) => length < most).length
  return lengths.reduce((a, b) => a + b, 0) / Math.max(1, alarms)
}

test('events in clumps have φ̂ near their 2.5, independent ones near 1', () => {
  const phiOf = (events: (next: () => number) => number, seed: number): number => {
    const next = seeded(seed)
    const windows = Array.from({ length: 200 }, () => {
      let sum = 0
      for (let pane = 0; pane < 10; pane++) sum += events(next)
      return Float64Array.of(sum, 10 * rows - sum)
    })
    return designEffect(windows)
  }
  expect(phiOf(clumped, 1)).toBeGreaterThan(2.1)
  expect(phiOf(clumped, 1)).toBeLessThan(3)
  expect(phiOf(independent, 2)).toBeLessThan(1.3)
})

test('with φ̂ from healthy windows the run length holds on events in clumps (φ = 2.5); without, it is a fraction of it', () => {
  const [limit, most, runs] = [200, 1_000, 60]
  const lengthsOf = (tempered: boolean): readonly number[] => {
    const next = seeded(2_500)
    return Array.from({ length: runs }, () => runLength(next, clumped, ln(limit), most, tempered))
  }
  expect(panesAnAlarm(lengthsOf(true), most)).toBeGreaterThan(limit)
  expect(panesAnAlarm(lengthsOf(false), most)).toBeLessThan(limit / 2)
})

test('rates have a design effect where they have events, volume never', () => {
  const spec: CountSpec = {
    v: 1,
    features: [{ kind: 'categorical', name: 'origin', vocabulary: ['ORD'] }],
    latencyEdgesMs: [0, 1, 2, 4],
    scoreEdges: [0, 1],
    classes: [],
    segments: [],
    producers: [],
  }
  const layout = layoutOf(spec)
  const [origin] = layout.features
  const windows = Array.from({ length: 10 }, (_, day) => {
    const vector = new Float64Array(layout.width)
    vector[layout.rows] = 1_000
    // ORD, then the special bins: every other day a tenth is unseen.
    vector[origin!.at] = day % 2 === 0 ? 1_000 : 900
    vector[origin!.at + 1] = day % 2 === 0 ? 0 : 100
    return vector
  })
  const effects = designEffects(spec, { p50: 1, p90: 2, p99: 4 }, windows)
  const special = layout.features[0]!.specials[0]!
  expect(effects[`${special}(origin)`]).toBeGreaterThan(20)
  expect(Object.keys(effects).filter((name) => /^(errors|volume|invalid|latency-over)/.test(name))).toEqual([])
})
