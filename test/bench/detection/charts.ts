import type { Detector, DetectorId, DetectorSetup, SignalView } from '@interlock/contracts'
import { detectorFor } from '@interlock/statistics'
import { random } from '../sampling/random.ts'
import type { ChartKind } from './chart.ts'
import { type Family, likelihoodRatio, paneValue, usualValue } from './families.ts'
import { adwin, adwinThreshold } from './peers/adwin.ts'
import { cusumThreshold, tabularCusum } from './peers/cusum.ts'
import { ddm, ddmThreshold } from './peers/ddm.ts'
import { eddm, eddmThreshold } from './peers/eddm.ts'
import { ewma, ewmaThreshold } from './peers/ewma.ts'
import { frourosCusum, frourosCusumThreshold } from './peers/frouros-cusum.ts'
import { kswin, kswinThreshold } from './peers/kswin.ts'
import { pageHinkley, pageHinkleyThreshold } from './peers/page-hinkley.ts'
import {
  chiSquare,
  chiSquareThreshold,
  fixedThreshold,
  kolmogorovSmirnov,
  ksThreshold,
  psi,
  psiThreshold,
} from './peers/window-tests.ts'

/** Rows of the baseline that ours is given: as good as known, so that the detector is measured and not the baseline. */
const baselineRows = 1e9
const paneMs = 10_000

/** The product's detector with this id for a family, or null where the product has none (yet). */
export function ours(family: Family, id: string, phi: number): ChartKind | null {
  const detector = detectorFor(id as DetectorId) as Detector | undefined
  if (detector === undefined) return null
  const setup = setupOf(family, id as DetectorId, phi)
  return {
    name: id,
    whose: 'ours',
    threshold: (run) => Math.log(run),
    start() {
      let state = detector.start(setup)
      let start = 0
      return {
        step(counts) {
          state = detector.update(setup, state, {
            start,
            ms: paneMs,
            now: counts.slice(),
            reference: null,
            coverage: 1,
          })
          start += paneMs
          return detector.read(setup, state).logE.harm
        },
      }
    },
  }
}

function setupOf(family: Family, detector: DetectorId, phi: number): DetectorSetup {
  return {
    guardrail: {
      id: family.id,
      signal: family.id,
      detector,
      reference: family.kind === 'volume' ? 'history' : 'baseline',
      tolerance: { harm: 0, safe: 0 },
      budget: { falsePerYear: 1 },
      role: 'guard',
      action: 'roll-back',
      protects: 'the benchmark',
      slices: [],
      minimumSample: 0,
    },
    signal: detector === 'binned-betting' ? meanOf(family) : signalOf(family),
    baseline: Float64Array.from(family.shares(0), (share) => Math.round(share * baselineRows)),
    phi,
    paneMs,
  }
}

/** The mean of the bins, equally wide on [0, 1]; no value lies outside. */
function meanOf({ id, scores }: Family): SignalView {
  const edges = [...scores.map((_, bin) => bin / scores.length), 1]
  const bins = ['below', ...scores.map(String), 'above']
  return { kind: 'mean', id, edges, bins, read: (counts) => Float64Array.of(0, ...counts, 0) }
}

function signalOf({ id, kind, scores }: Family): SignalView {
  switch (kind) {
    case 'rate':
      return { kind, id, read: (counts) => ({ events: counts[1]!, trials: counts[0]! + counts[1]! }) }
    case 'histogram':
      return { kind, id, bins: scores.map(String), ordered: [...scores.keys()], read: (counts) => counts }
    case 'volume':
      return { kind, id, read: (counts) => counts[0]! }
  }
}

/** CUSUM of the true likelihood ratio: no detector of the same run length has a smaller worst mean delay (Moustakides 1986). */
export function oracle(family: Family, size: number): ChartKind {
  const { weights, constant } = likelihoodRatio(family, size)
  return {
    name: 'oracle',
    whose: 'oracle',
    threshold: () => null,
    start() {
      let sum = 0
      return {
        step(counts) {
          let gain = constant
          for (let cell = 0; cell < counts.length; cell++) gain += weights[cell]! * counts[cell]!
          sum = Math.max(0, sum) + gain
          return sum
        },
      }
    },
  }
}

/** All peers that can read a family. Scalar ones get the standardised value of a pane; those on single answers its rows. */
export function peersOf(family: Family): readonly ChartKind[] {
  const { mean, deviation } = usualValue(family)
  const reference = family.shares(0)
  const peer = (
    name: string,
    threshold: number | null,
    start: (seed: number) => (counts: Float64Array) => number,
  ): ChartKind => ({
    name,
    whose: 'peer',
    threshold: () => threshold,
    start: (seed) => ({ step: start(seed) }),
  })
  const scalar = (name: string, threshold: number, make: (seed: number) => (z: number) => number): ChartKind =>
    peer(name, threshold, (seed) => {
      const step = make(seed)
      return (counts) => step((paneValue(family, counts) - mean) / deviation)
    })
  const shape = (name: string, threshold: number | null, test: (counts: Float64Array) => number): ChartKind =>
    peer(name, threshold, () => test)
  return [
    scalar('tabular CUSUM', cusumThreshold, tabularCusum),
    scalar('EWMA', ewmaThreshold, ewma),
    scalar('Page–Hinkley', pageHinkleyThreshold, () => pageHinkley(0.5)),
    scalar('frouros CUSUM', frourosCusumThreshold, () => frourosCusum(0.5)),
    scalar('ADWIN on panes', adwinThreshold, () => adwin(1)),
    scalar('KSWIN', kswinThreshold, kswin),
    scalar('fixed threshold', fixedThreshold, () => (z) => z),
    ...(family.kind === 'volume'
      ? []
      : [
          shape('PSI a window', psiThreshold, (counts) => psi(counts, reference)),
          shape('χ² a window', chiSquareThreshold(reference.length), (counts) => chiSquare(counts, reference)),
        ]),
    ...(family.kind === 'histogram'
      ? [shape('KS a window', ksThreshold, (counts) => kolmogorovSmirnov(counts, reference))]
      : []),
    ...(family.kind === 'rate' ? answerByAnswer(family) : []),
  ]
}

/** Rules on single answers: a pane's events fall on random places among its rows; the pane's number is the greatest of its rows. */
function answerByAnswer(family: Family): readonly ChartKind[] {
  const made = (name: string, threshold: number, make: () => (isError: number) => number): ChartKind => ({
    name,
    whose: 'peer',
    threshold: () => threshold,
    start(seed) {
      const step = make()
      const draw = random(seed ^ 0x5bd1e995)
      return {
        step(counts) {
          let events = counts[1]!
          let greatest = Number.NEGATIVE_INFINITY
          for (let left = family.rows; left > 0; left--) {
            const isError = events > 0 && draw.next() * left < events ? 1 : 0
            events -= isError
            greatest = Math.max(greatest, step(isError))
          }
          return greatest
        },
      }
    },
  })
  return [made('ADWIN', adwinThreshold, adwin), made('DDM', ddmThreshold, ddm), made('EDDM', eddmThreshold, eddm)]
}
