import type {
  CountSpec,
  Driver,
  Evidence,
  Guardrail,
  GuardrailEvidence,
  Hash,
  Policy,
  VersionId,
} from '@interlock/contracts'
import { ln, resolveSignal } from '@interlock/statistics'
import { expect, test } from 'vitest'
import { factOfEvidence, oddsOf, type WatchContext } from './fact-of-evidence.ts'
import { say } from './say.ts'

const noon = Date.UTC(2026, 3, 1, 12, 0, 0)
const v1 = 'flight-delay@v1' as VersionId
const v2 = 'flight-delay@v2' as VersionId
const spec: CountSpec = {
  v: 1,
  features: [
    { kind: 'numeric', name: 'distance', edges: [0, 800, 1_600], scale: 1 },
    { kind: 'categorical', name: 'origin', vocabulary: ['ORD', '1 to 5', '__other__'] },
  ],
  latencyEdgesMs: [0, 10, 20],
  scoreEdges: [0, 0.5, 1],
  classes: ['late', 'on time'],
  segments: [],
  producers: [],
}
const watch: WatchContext = {
  policy: {
    riskClass: 'medium',
    words: { rows: 'flights', features: { distance: { name: 'flight distance', unit: 'miles' } } },
  } as unknown as Policy,
  spec,
  stable: v1,
  baselines: [],
}
const rule = (change: Partial<Guardrail>): Guardrail => ({
  id: 'rule',
  signal: 'errors',
  reference: 'stable',
  detector: 'conditional-beta-binomial',
  tolerance: { harm: 0.2, safe: 0.5 },
  budget: { alpha: 0.001 },
  role: 'guard',
  action: 'roll-back',
  protects: 'travellers',
  slices: [],
  minimumSample: 200,
  ...change,
})
const limit = ln(1_000 * 10)
const found = (change: Partial<Evidence>): GuardrailEvidence => ({
  guardrail: 'rule',
  version: v2,
  variant: 'candidate',
  limit,
  evidence: {
    status: 'ok',
    logE: { harm: limit, safe: 0 },
    effect: { estimate: 0, low: 0, high: 0 },
    n: 1_000,
    m: 10_000,
    events: { now: 24, reference: 30 },
    phi: 1,
    onset: { from: noon, to: noon },
    drivers: [],
    dataTo: noon + 60_000,
    window: 'w' as Hash,
    ...change,
  },
})
const bin = (value: string, now: number, reference: number, share: number): Driver => ({
  dimension: 'bin',
  value,
  now,
  reference,
  share,
})
const text = (evidence: Partial<Evidence>, change: Partial<Guardrail>): string =>
  say(factOfEvidence(found(evidence), rule(change), 'breach', watch)).text

test('a breach of a rate tells both rates on one base, onset and odds', () => {
  expect(text({}, {})).toBe(
    'v2 fails on 24 in 1,000 flights since 12:00 UTC; v1 on 3. Fewer than 1 in 1,000 healthy rollouts look like this.',
  )
})

test('a breach in one slice names it and counts within it', () => {
  expect(
    text({ slice: { dimension: 'segment:airport', value: 'ORD' }, n: 100, events: { now: 40, reference: 30 } }, {}),
  ).toContain('v2 fails on 400 in 1,000 flights of airport "ORD"')
})

test('what is told since the onset was counted since then, whatever was before', () => {
  const since = { from: noon + 15_000, n: 300, m: 5_700, events: { now: 60, reference: 0 } }
  const told = text(
    { n: 20_000, events: { now: 60, reference: 0 }, onset: { from: noon + 14_000, to: noon + 16_000 }, since },
    { signal: 'missing(originDelayRate)' },
  )
  expect(told).toMatch(/^"originDelayRate" is missing in 20 in 100 flights of v2 since 12:00:15 UTC; in v1 it is 0\. /)
})

test('an onset known to minutes only stays "about" its likeliest moment', () => {
  const since = { from: noon + 130_000, n: 1_000, m: 9_000, events: { now: 24, reference: 27 } }
  const told = text({ onset: { from: noon, to: noon + 180_000 }, since }, {})
  expect(told).toContain('since about 12:02 UTC')
})

test('a slice with most of the excess is named, one with little is not', () => {
  const driver = (share: number): Driver => ({ dimension: 'producer', value: 'northeast', share, now: 0, reference: 0 })
  expect(text({ drivers: [driver(0.8)] }, {})).toContain('Most of it comes from producer "northeast".')
  expect(text({ drivers: [driver(0.4)] }, {})).not.toContain('northeast')
})

test('a distribution is told by the bin with most of the distance, with name, unit and factor', () => {
  const drivers = [bin('0 to 800', 0.3, 0.5, 0.3), bin('1,600 and more', 0.25, 0.08, 0.6), bin('missing', 0, 0, 0.1)]
  expect(text({ drivers, typical: { now: 1_609, reference: 1_000 } }, { signal: 'distribution(distance)' })).toBe(
    'Flight distance in v2 is about 1.6 times that in v1 since 12:00 UTC. Of 100 flights, 25 are at least 1,600 miles; in v1 it is 8. Fewer than 1 in 1,000 healthy rollouts look like this.',
  )
})

test('a category that looks like a range is a category, and a feature without a name stands in quotes', () => {
  const told = text({ drivers: [bin('1 to 5', 0.12, 0.04, 1)] }, { signal: 'distribution(origin)' })
  expect(told).toContain('"origin" in v2 differs from v1 since 12:00 UTC: 12 in 100 flights have "1 to 5"')
})

test('against training the odds are in time, and no other version is named', () => {
  const told = text(
    { drivers: [bin('1,600 and more', 0.25, 0.08, 1)], logE: { harm: limit + ln(30), safe: 0 } },
    { signal: 'distribution(distance)', reference: 'baseline', budget: { falsePerYear: 365 / 90 } },
  )
  expect(told).toBe(
    'Flight distance differs from the training data since 12:00 UTC: 25 in 100 flights are at least 1,600 miles; it was 8 in 100. Chance alone would do this less than once in 5 years.',
  )
})

test('every bin that a signal names is put into words, and none of a number is taken for a category', () => {
  const limits = { p50: 10, p90: 10, p99: 20 }
  for (const signal of ['distribution(distance)', 'distribution(origin)', 'distribution(latency)', 'predictions']) {
    const view = resolveSignal(signal, spec, limits)
    if (view.kind !== 'histogram') throw new Error(`${signal} is no histogram`)
    const told = view.bins.map((name) => text({ drivers: [bin(name, 0.2, 0.1, 1)] }, { signal }))
    expect(new Set(told).size).toBe(told.length)
    for (const one of told) {
      expect(one.includes('have "')).toBe(signal === 'distribution(origin)' && /have "(?:ORD|1 to 5)"/.test(one))
    }
  }
})

test('odds at the limit are the budget, and grow with the evidence beyond it', () => {
  expect(oddsOf(0, { alpha: 0.001 })).toEqual({ odds: 1_000, oddsOf: 'rollouts' })
  expect(oddsOf(ln(3), { alpha: 0.001 })).toEqual({ odds: 2_000, oddsOf: 'rollouts' })
  expect(oddsOf(ln(1e9), { alpha: 0.001 })).toEqual({ odds: 1_000_000, oddsOf: 'rollouts' })
  expect(oddsOf(-0.1, { alpha: 0.001 })).toEqual({ odds: null, oddsOf: null })
  expect(oddsOf(0, { falsePerYear: 1 })).toEqual({ odds: 1, oddsOf: 'years' })
  expect(oddsOf(0, { falsePerYear: 365 / 90 })).toEqual({ odds: 50, oddsOf: 'days' })
  expect(oddsOf(1e6, { falsePerYear: 1 })).toEqual({ odds: 1_000, oddsOf: 'years' })
})

test('every signal has a sentence for every verdict, without holes', () => {
  const signals: readonly Partial<Guardrail>[] = [
    { signal: 'errors' },
    { signal: 'missing(distance)' },
    { signal: 'unseen(origin)' },
    { signal: 'invalid(distance)' },
    { signal: 'latency-over(p99)' },
    { signal: 'distribution(latency)' },
    { signal: 'distribution(distance)', reference: 'baseline' },
    { signal: 'predictions', reference: 'baseline' },
    { signal: 'volume', reference: 'history', detector: 'gap' },
    { signal: 'volume', reference: 'history', detector: 'poisson-shiryaev-roberts' },
    { signal: 'mean(distance)', reference: 'baseline', detector: 'binned-betting' },
    { signal: 'mean(latency)', reference: 'baseline', detector: 'binned-betting' },
    { signal: 'mean(score)', reference: 'baseline', detector: 'binned-betting' },
  ]
  for (const change of signals) {
    for (const verdict of ['pass', 'watch', 'breach', 'inconclusive', 'no-data'] as const) {
      for (const evidence of [found({}), found({ n: 0, m: 0, onset: null, status: 'too-few' })]) {
        const told = say(factOfEvidence(evidence, rule(change), verdict, watch)).text
        expect(told).not.toMatch(/undefined|null|NaN|""/)
        if (verdict !== 'pass') expect(told).not.toMatch(/within its limit|is safe\.$/)
      }
    }
  }
})

test('a gate says how many rows it has of about how many, and opens only on its proof', () => {
  const gate = rule({ role: 'gate' })
  const half = found({ n: 1_900, logE: { harm: 0, safe: Math.log(20) / 2 } })
  expect(say(factOfEvidence(half, gate, 'inconclusive', watch)).text).toBe(
    'The gate for errors is not open yet: 1,900 of about 3,800. There is much evidence that v2 is safe.',
  )
  const few = found({ n: 120 })
  expect(say(factOfEvidence(few, gate, 'inconclusive', watch)).text).toBe(
    'Not enough data yet on errors in v2: 120 of about 200.',
  )
  const proven = found({ logE: { harm: 0, safe: Math.log(20) } })
  expect(factOfEvidence(proven, gate, 'pass', watch).kind).toBe('gate-safe')
  expect(factOfEvidence(half, gate, 'pass', watch).kind).toBe('within-limit')
})

test('a move of a mean is told in the unit of the feature, an amount in rows', () => {
  const moved = found({ effect: { estimate: -0.25, low: -0.3, high: -0.2 } })
  const mean = rule({ signal: 'mean(distance)', reference: 'baseline', detector: 'binned-betting' })
  expect(factOfEvidence(moved, mean, 'breach', watch)).toMatchObject({ kind: 'mean-moved', by: -400, unit: 'miles' })
  const score = rule({ signal: 'mean(score)', reference: 'baseline', detector: 'binned-betting' })
  expect(factOfEvidence(moved, score, 'breach', watch)).toMatchObject({ feature: 'score', by: -0.25, unit: null })
  const fewer = found({ events: { now: 120, reference: 300 } })
  const amount = rule({ signal: 'volume', reference: 'history', detector: 'poisson-shiryaev-roberts' })
  expect(factOfEvidence(fewer, amount, 'breach', watch)).toMatchObject({
    kind: 'amount-differs',
    now: 120,
    before: 300,
  })
})
