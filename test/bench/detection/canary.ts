import type { DetectorSetup } from '@interlock/contracts'
import { clopperPearson, detectorFor } from '@interlock/statistics'
import { type Random, random } from '../sampling/random.ts'

/** Candidate and stable side by side: rates, as the product judges them. `npm run bench -- aa` also draws histograms. */
const detector = detectorFor('conditional-beta-binomial')
const paneMs = 10_000
const rate = 0.01
const rowsPerPane = 2_000
const ramp = [0.01, 0.05, 0.2, 0.5]
const panesPerStage = 10

const setup: DetectorSetup = {
  guardrail: {
    id: 'errors',
    signal: 'errors',
    detector: 'conditional-beta-binomial',
    reference: 'stable',
    tolerance: { harm: 0, safe: 0.2 },
    budget: { alpha: 0.001 },
    role: 'guard',
    action: 'roll-back',
    protects: 'the benchmark',
    slices: [],
    minimumSample: 0,
  },
  signal: { kind: 'rate', id: 'errors', read: (counts) => ({ events: counts[1]!, trials: counts[0]! }) },
  baseline: null,
  phi: 1,
  paneMs,
}

export interface FalseStops {
  readonly alpha: number
  readonly canaries: number
  readonly stopped: number
  readonly rate: number
  readonly low: number
  readonly high: number
}

/** Canaries that equal the stable version, in a ramp whose error rate moves with the hour: how many are stopped. */
export function falseStops(alpha: number, canaries: number, seed: number): FalseStops {
  let stopped = 0
  for (let canary = 0; canary < canaries; canary++) if (isStopped(random(seed + canary), Math.log(1 / alpha))) stopped++
  const [low, high] = clopperPearson(stopped, canaries, 0.05)
  return { alpha, canaries, stopped, rate: stopped / canaries, low, high }
}

function isStopped(draw: Random, limit: number): boolean {
  const phase = draw.next() * 2 * Math.PI
  let state = detector.start(setup)
  for (let pane = 0; pane < ramp.length * panesPerStage; pane++) {
    const now = rate * (1 + 0.5 * Math.sin(pane / 7 + phase))
    const candidates = draw.binomial(rowsPerPane, ramp[Math.floor(pane / panesPerStage)]!)
    state = step(state, pane, arm(candidates, now, draw), arm(rowsPerPane - candidates, now, draw))
    if (detector.read(setup, state).logE.harm >= limit) return true
  }
  return false
}

function arm(rows: number, errors: number, draw: Random): Float64Array {
  return Float64Array.of(rows, draw.binomial(rows, errors))
}

function step(state: ReturnType<typeof detector.start>, pane: number, now: Float64Array, reference: Float64Array) {
  return detector.update(setup, state, { start: pane * paneMs, ms: paneMs, now, reference, coverage: 1 })
}

export interface CanaryDelay {
  readonly alpha: number
  readonly ratio: number
  readonly runs: number
  readonly medianRequests: number
  readonly meanRequests: number
  /** ln(1/α)/KL, in requests of both arms. */
  readonly idealRequests: number
  readonly overIdeal: number
}

/** Requests of both arms, half each, until errors at `ratio` times the stable rate are found. */
export function canaryDelay(ratio: number, alpha: number, runs: number, seed: number): CanaryDelay {
  const half = 100
  const requests = Array.from({ length: runs }, (_, run) => {
    const draw = random(seed + run)
    let state = detector.start(setup)
    for (let pane = 0; ; pane++) {
      state = step(state, pane, arm(half, rate * ratio, draw), arm(half, rate, draw))
      if (detector.read(setup, state).logE.harm >= Math.log(1 / alpha)) return (pane + 1) * 2 * half
    }
  }).sort((a, b) => a - b)
  const failing = ratio / (1 + ratio)
  const nats = failing * Math.log(2 * failing) + (1 - failing) * Math.log(2 * (1 - failing))
  const idealRequests = Math.log(1 / alpha) / nats / (rate * 0.5 * (1 + ratio))
  const medianRequests = requests[runs >> 1]!
  const meanRequests = requests.reduce((a, b) => a + b, 0) / runs
  return { alpha, ratio, runs, medianRequests, meanRequests, idealRequests, overIdeal: medianRequests / idealRequests }
}
