import type { Detector, DetectorSetup, Guardrail, Json } from '@interlock/contracts'
import { averageEvidence, wholeAndSlices } from './combine.ts'
import {
  logBetaBinomial,
  logRatioIncrement,
  mixOverRatios,
  ratiosAbove,
  ratiosBelow,
} from './conditional-beta-binomial.ts'
import { binomialShiryaevRoberts } from './detectors/binomial-shiryaev-roberts.ts'
import { conditionalBetaBinomial } from './detectors/conditional-beta-binomial.ts'
import { dirichletBaseline } from './detectors/dirichlet-baseline.ts'
import { dirichletTwoSample } from './detectors/dirichlet-two-sample.ts'
import { gap } from './detectors/gap.ts'
import { cell, type Pane, run, setupOf } from './detectors/panes.ts'
import { ballTest, baselineShares, baselineSlack, logBestWithin, predictiveAround } from './dirichlet-baseline.ts'
import { logDealIncrement, predictedOdds, tiltedOdds } from './dirichlet-two-sample.ts'
import { divergence, driversOf, logDivergenceAbove, logTwoLaws } from './divergence.ts'
import { exp, expm1, ln, log1p, log1pExp, logAddExp, logSumExp, pow } from './elementary.ts'
import { dispersion, emptyHistory, expectedRows, learn, stepSilence } from './gap.ts'
import { mixtureLogWealth, mixtureRadius, mixtureRho } from './normal-mixture.ts'
import { logOwnRateBelow, logOwnRateIncrement, ratesAbove, ratesBelow } from './own-rate.ts'
import { rateRatio, ratioInterval } from './rate-interval.ts'
import { hits, rowsIn, seeded } from './seeded.ts'
import { bestDelay, stepShiryaevRoberts } from './shiryaev-roberts.ts'
import { betaQuantile, clopperPearson, lgamma, logBeta, logBetaAbove, logBetaBelow, normalQuantile } from './special.ts'
import { logAside, logStartWeight, stepStart } from './start-mixture.ts'
import { keepStart, onsetOf, type Start } from './starts.ts'

/**
 * Every method on inputs that reach its branches: what it says is recorded to the last bit. Nothing but tests may import it.
 * By name of the case, so that a failing one names the method.
 */
export const recordedCases: Readonly<Record<string, () => unknown>> = {
  'elementary functions': () => ({
    ln: positive.map(ln),
    exp: anywhere.map(exp),
    expm1: anywhere.map(expm1),
    log1p: positive.map((x) => log1p(Math.min(x, 1e300))),
    log1pNegative: positive.map((x) => log1p(-x / (1 + x))),
    pow: positive.map((x, at) => pow(x, anywhere[at % anywhere.length]! / 300)),
    log1pExp: anywhere.map(log1pExp),
    logAddExp: anywhere.map((x, at) => logAddExp(x, anywhere[(at * 7) % anywhere.length]!)),
    logSumExp: [logSumExp([1]), logSumExp([-1e3, 0, 3]), logSumExp([700, 710, 709])],
  }),
  'special functions': () => ({
    lgamma: positive.filter((x) => x < 1e15).map(lgamma),
    logBeta: shapes.map(([a, b]) => logBeta(a, b)),
    below: shapes.flatMap(([a, b]) => shares.map((x) => logBetaBelow(x, a, b))),
    above: shapes.flatMap(([a, b]) => shares.map((x) => logBetaAbove(x, a, b))),
    quantile: shapes.flatMap(([a, b]) => shares.map((p) => betaQuantile(p, a, b))),
    clopperPearson: [clopperPearson(0, 10, 0.1), clopperPearson(3, 10, 0.1), clopperPearson(10, 10, 0.05)],
    normalQuantile: [...shares, 1e-9, 0.02425, 0.5, 0.97575, 1 - 1e-9].map(normalQuantile),
  }),
  'ratios and their mixtures': () => {
    const grids = [ratiosAbove(1), ratiosAbove(1.2), ratiosAbove(4), ratiosBelow(1), ratiosBelow(1.5), ratiosBelow(0.8)]
    return {
      grids,
      increments: [1.2, 3].flatMap((ratio) =>
        [0.05, 0.5].map((share) => [
          logRatioIncrement(3, 10, share, ratio, 1.1),
          logRatioIncrement(0, 7, share, ratio, 1),
        ]),
      ),
      nothing: logRatioIncrement(0, 0, 0.5, 2, 1),
      mixed: grids.map((grid) =>
        mixOverRatios(
          grid,
          grid.ratios.map((_, k) => k / 3),
        ),
      ),
      closed: [logBetaBinomial(9, 20, 0.2, 1.3), logBetaBinomial(0, 5, 0.5, 1), logBetaBinomial(4, 0, 0.7, 2, 3)],
    }
  },
  'own rates': () => ({
    grids: [ratesAbove(0.01), ratesAbove(0.4), ratesBelow(0.01), ratesBelow(0.4)],
    increments: [logOwnRateIncrement(3, 100, 0.05, 0.01), logOwnRateIncrement(0, 100, 0.05, 0.01)],
    below: [logOwnRateBelow(0, 1_000, 0.01), logOwnRateBelow(30, 1_000, 0.05)],
  }),
  'intervals of a ratio': () => ({
    intervals: [
      [0, 0, 0.5],
      [5, 0, 0.5],
      [0, 5, 0.5],
      [12, 30, 0.05],
      [900, 1_000, 0.5],
      [3, 3, 0],
      [3, 3, 1],
    ].map(([now, reference, share]) => ratioInterval({ now: now!, reference: reference!, share: share!, alpha: 0.05 })),
    ratios: [
      rateRatio({ events: 0, referenceEvents: 0, weighted: 0, referenceWeighted: 0, share: 0.5, alpha: 0.05 }),
      rateRatio({ events: 9, referenceEvents: 4, weighted: 4.5, referenceWeighted: 1.5, share: 0.4, alpha: 0.05 }),
      rateRatio({ events: 9, referenceEvents: 0, weighted: 4.5, referenceWeighted: 0, share: 0.4, alpha: 0.05 }),
      rateRatio({ events: 0, referenceEvents: 9, weighted: 0, referenceWeighted: 3, share: 0.4, alpha: 0.05 }),
      rateRatio({ events: 9, referenceEvents: 9, weighted: 3, referenceWeighted: 3, share: 1, alpha: 0.05 }),
    ],
  }),
  'distributions against a baseline': () => {
    const p = baselineShares([400, 300, 200, 99, 0])
    const samples = [
      [0, 0, 0, 0, 0],
      [40, 30, 20, 10, 0],
      [10, 30, 50, 10, 1],
      [0, 0, 0, 0, 3],
      [1, 0, 0, 0, 0],
      [400, 1_000, 2, 0, 0],
      [80, 10, 10, 10, 0],
    ]
    const tolerances = [0, 0.01, 0.1, 1]
    return {
      shares: p,
      predictive: samples.map(predictiveAround(p)),
      best: tolerances.flatMap((tolerance) => samples.map((counts) => logBestWithin(counts, p, tolerance))),
      balls: tolerances.flatMap((tolerance) => samples.map(ballTest(p, tolerance, 1.7))),
      slack: [baselineSlack(20, 1_000, 1), baselineSlack(2, 50, 3)],
    }
  },
  'distributions against another': () => {
    const [now, reference] = [
      [5, 0, 9, 20, 1],
      [50, 40, 0, 60, 3],
    ] as const
    const none = [0, 0, 0, 0, 0]
    const tilts = [
      { slope: 0.5, bend: 0 },
      { slope: -2, bend: 1 },
      { slope: 0, bend: -3 },
      { slope: 9, bend: 4 },
    ]
    const odds = [
      ...[0.5, 1, 4].map((strength) => predictedOdds(now, reference, strength)),
      ...tilts.map((tilt) => tiltedOdds(reference, [0, 1, 3, 2], tilt)),
      tiltedOdds(none, [0, 1, 3, 2], tilts[0]!),
      predictedOdds(none, none, 1),
      predictedOdds(none, reference, 1),
    ]
    return {
      odds,
      deals: odds.flatMap((each) => [
        logDealIncrement(now, reference, each),
        logDealIncrement(reference, now, each),
        logDealIncrement(none, reference, each),
        logDealIncrement(now, none, each),
      ]),
    }
  },
  divergences: () => {
    const sample = (bins: readonly number[], rows = bins.reduce((a, b) => a + b, 0)) => ({ bins, rows })
    const pairs = [
      [sample([50, 30, 20, 0]), sample([50, 30, 20, 0])],
      [sample([50, 30, 20, 0], 40), sample([20, 30, 60, 0])],
      [sample([500, 300, 200, 0]), sample([1, 0, 0, 900])],
      [sample([9, 0, 0, 0]), sample([0, 3, 3, 0])],
      [sample([0, 0, 0, 0]), sample([1, 1, 0, 0])],
      [sample([3, 4, 0, 0]), sample([0, 0, 0, 0])],
    ] as const
    return pairs.map(([reference, now]) => ({
      intervals: [1, 2.5].map((phi) => divergence(reference, now, phi, 0.05)),
      above: [0, 0.05, 0.5].map((tolerance) => logDivergenceAbove(reference, now, 1.5, tolerance)),
      laws: logTwoLaws(reference, now, 1.5),
      drivers: driversOf(['a', 'b', 'c', 'd'], 'bin', reference, now),
    }))
  },
  'mixtures of normals, starts and delays': () => {
    let starts: readonly Start[] = []
    const kept: unknown[] = []
    for (let pane = 0; pane < 60; pane++) {
      starts = keepStart(starts, { at: pane * 10, sums: [pane] }, 8)
      if (pane % 7 === 0 || pane > 55) kept.push(starts.map(({ at }) => at))
    }
    const within = (of: number) => (start: Start) => 8 - Math.abs((start.sums[0] as number) - of) / 3
    return {
      rho: [mixtureRho(100, 0.05), mixtureRho(1_000, 0.001)],
      radius: [mixtureRadius(10, 3, 0.05), mixtureRadius(5_000, 3, 0.05)],
      wealth: [-4, 0, 1, 6].map((z) => mixtureLogWealth(z, 50, 7)),
      kept,
      onsets: [0, 20, 33, 59].map((of) => onsetOf(starts, 10, within(of))),
      narrowed: [20, 33].map((of) => onsetOf(starts, 10, within(of), within(of + 12))),
      none: [onsetOf([], 10, within(1)), onsetOf(starts, 10, () => 2)],
      flat: onsetOf(starts, 10, () => 3),
      weights: [0, 1, 9, 10, 11, 500].map(logStartWeight),
      aside: [0, 1, 9, 10, 11, 500].map(logAside),
      steps: [stepStart(null, -2, 1), stepStart(3, -2, -1), stepShiryaevRoberts(null, 1), stepShiryaevRoberts(3, -1)],
      delays: [bestDelay(1_000, 0.1), bestDelay(1e6, 3)],
    }
  },
  'volume and silence': () => {
    let history = emptyHistory
    const said: unknown[] = []
    for (let pane = 0; pane < 20; pane++) {
      const silence = { panes: pane % 4, exposure: (pane % 4) * 2 }
      history = learn(history, 10 + ((pane * 7) % 13), 2, silence)
      if (pane % 5 === 0) said.push(history, expectedRows(history, 3), dispersion(history, 1), dispersion(history, 40))
    }
    return {
      said,
      none: [expectedRows(emptyHistory, 3), dispersion(emptyHistory, 1.5)],
      steps: [true, false].flatMap((endless) => [
        stepSilence(null, 4, 1.3, { endless, index: 3 }),
        stepSilence(2, 4, 1.3, { endless, index: 30 }),
      ]),
    }
  },
  averages: () => [
    averageEvidence([
      { weight: 1, logE: 2 },
      { weight: 3, logE: -1 },
    ]),
    wholeAndSlices(3, [1, 2, 9]),
    wholeAndSlices(3, [1, 2, 9], 7),
    wholeAndSlices(3, []),
    wholeAndSlices(-1, [], 2),
  ],
  ...detectors(),
}

const shares = [0, 1e-6, 0.05, 0.3, 0.5, 0.9, 1]
const shapes = [
  [0.5, 0.5],
  [1, 1],
  [3, 20],
  [40, 2.5],
  [900, 1_100],
  [2, 1e5],
] as const
/** Points on both sides of every border at which a function changes its formula. */
const positive = [5e-324, 1e-310, 1e-20, 1e-9, 1e-5, 0.01, 0.1, 0.25, 0.4, 0.41, 0.5, 0.7, 0.75, 0.99, 1, 1.01].concat([
  1.4, 1.42, 1.5, 2, 2.5, 3, 6.9, 7, 7.5, 8, 10, 12, 15, 20, 57, 170, 1e3, 1e6, 1e10, 1e17, 1e200, 1e308,
])
const anywhere = [-800, -745.2, -740, -708.5, -100, -40, -37, -30, -10, -2, -1, -0.7, -0.5, -0.36, -0.3, -0.1].concat([
  -1e-3, -1e-9, -1e-17, 0, 1e-17, 1e-9, 1e-3, 0.1, 0.3, 0.36, 0.5, 0.7, 1, 2, 10, 30, 37, 40, 100, 700, 709.5,
])

/** Each detector over 26 panes: healthy ones, one that is incomplete, empty arms, and harm from the thirteenth on. */
function detectors(): Record<string, () => unknown> {
  const rates = (seed: number, rise: number): readonly Pane[] =>
    panesOf(seed, (draw, pane) => ({
      now: cell(90, hits(90, pane < 13 ? 0.02 : 0.02 * rise, draw)),
      reference: cell(200, hits(200, 0.02, draw)),
    }))
  const shifted = [0.2, 0.5, 0.28, 0.01, 0.01]
  const usual = [0.6, 0.3, 0.1, 0, 0]
  const shapesOf = (seed: number): readonly Pane[] =>
    panesOf(seed, (draw, pane) => ({
      now: cell(90, 0, rowsIn(90, pane < 13 ? usual : shifted, draw)),
      reference: cell(200, 0, rowsIn(200, usual, draw)),
    }))
  const silent = panesOf(5, (draw, pane) => {
    const rows = pane < 13 || pane === 20 ? 40 + Math.floor(draw() * 9) : 0
    return { now: cell(rows), reference: cell(100 + Math.floor(draw() * 20)) }
  })
  const alpha: Partial<Guardrail> = {}
  const endless: Partial<Guardrail> = { budget: { falsePerYear: 4 } }
  const gate: Partial<Guardrail> = { tolerance: { harm: 0.2, safe: 1, absolute: 0.05 }, minimumSample: 300 }
  const loose: Partial<Guardrail> = { tolerance: { harm: 0.05, safe: 0 } }
  const own = { baseline: cell(3_000, 60, [1_800, 900, 290, 0, 10]) }
  const of = <State extends Json>(
    detector: Detector<State>,
    signal: string,
    fields: Partial<Guardrail>,
    panes: readonly Pane[],
    more: Partial<DetectorSetup> = {},
  ) => {
    const setup = setupOf(signal, { detector: detector.id, ...fields }, more)
    const { readings, state } = run(detector, setup, panes)
    return {
      first: detector.read(setup, detector.start(setup)),
      readings: readings.filter((_, pane) => pane % 3 === 1),
      state,
    }
  }
  const baseline = { reference: 'baseline' } as const
  const history = { reference: 'history' } as const
  return {
    'detector of rates against stable': () => [
      of(conditionalBetaBinomial, 'errors', alpha, rates(1, 6)),
      of(conditionalBetaBinomial, 'errors', gate, rates(2, 4), { phi: 1.6 }),
      of(conditionalBetaBinomial, 'errors', gate, rates(3, 0)),
    ],
    'detector of rates against a baseline': () => [
      of(binomialShiryaevRoberts, 'errors', { ...alpha, ...baseline }, rates(1, 6), own),
      of(binomialShiryaevRoberts, 'errors', { ...endless, ...gate, ...baseline }, rates(2, 4), { ...own, phi: 1.6 }),
      of(binomialShiryaevRoberts, 'errors', { ...gate, ...baseline }, rates(3, 0), own),
    ],
    'detector of distributions against stable': () => [
      of(dirichletTwoSample, 'distribution(origin)', alpha, shapesOf(1)),
      of(dirichletTwoSample, 'distribution(origin)', { ...loose, minimumSample: 300 }, shapesOf(2), { phi: 1.6 }),
    ],
    'detector of distributions against a baseline': () => [
      of(dirichletBaseline, 'distribution(origin)', { ...loose, ...baseline }, shapesOf(1), own),
      of(dirichletBaseline, 'distribution(origin)', { ...endless, ...loose, ...baseline }, shapesOf(2), {
        ...own,
        phi: 1.6,
      }),
    ],
    'detector of silence': () => [
      of(gap, 'volume', { ...endless, ...history }, silent),
      of(gap, 'volume', { minimumSample: 500 }, silent, { phi: 1.6 }),
    ],
  }
}

/** 26 panes; the eighth is incomplete, and of the ninth to eleventh one arm or both have no row. */
function panesOf(seed: number, pane: (draw: () => number, index: number) => Pane): readonly Pane[] {
  const draw = seeded(seed)
  return Array.from({ length: 26 }, (_, index) => {
    const drawn = pane(draw, index)
    if (index === 7) return { ...drawn, coverage: 0.5 }
    if (index === 8) return { ...drawn, now: cell(0, 0, []) }
    if (index === 9) return { now: cell(0, 0, []), reference: cell(0, 0, []) }
    if (index === 10) return { ...drawn, reference: cell(0, 0, []) }
    return drawn
  })
}
