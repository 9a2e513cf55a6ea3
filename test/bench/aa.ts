import type { CountSpec, DetectorSetup, Guardrail } from '@interlock/contracts'
import { layoutOf } from '@interlock/contracts'
import { averageEvidence, clopperPearson, detectorFor, resolveSignal } from '@interlock/statistics'
import { type Random, random } from './sampling/random.ts'

/**
 * How often a canary is stopped that is the same as the stable version (A/A), through the detectors as they serve, and
 * how long a doubled error rate takes. Everything is drawn anew from the seed; nothing here knows the result.
 *
 * `--quick` draws a tenth (under a minute); `--seed=n` another set of canaries.
 */
const paneMs = 10_000
const errorRate = 0.01
const slowRate = 0.01
const ramp = [0.01, 0.05, 0.2, 0.5]

const spec: CountSpec = {
  v: 1,
  features: [{ kind: 'numeric', name: 'distance', edges: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], scale: 1 }],
  latencyEdgesMs: [0, 10, 20, 50, 100],
  scoreEdges: [0, 0.5, 1],
  classes: ['yes', 'no'],
  segments: [],
  producers: [],
}
const layout = layoutOf(spec)
const limits = { p50: 10, p90: 20, p99: 50 }
const distance = layout.features[0]
if (distance === undefined) throw new Error('the spec of this benchmark has one feature')

/** Tolerance 0: the null is at its border, where false stops are likeliest. */
function guardrail(id: string, signal: string, detector: Guardrail['detector']): DetectorSetup {
  return {
    guardrail: {
      id,
      signal,
      detector,
      reference: 'stable',
      tolerance: { harm: 0, safe: 0.2 },
      budget: { alpha: 0.001 },
      role: 'guard',
      action: 'roll-back',
      protects: 'the benchmark',
      slices: [],
      minimumSample: 0,
    },
    signal: resolveSignal(signal, spec, limits),
    baseline: null,
    phi: 1,
    paneMs,
  }
}
const setups = [
  guardrail('errors', 'errors', 'conditional-beta-binomial'),
  guardrail('slow', 'latency-over(p99)', 'conditional-beta-binomial'),
  guardrail('distance', 'distribution(distance)', 'dirichlet-two-sample'),
]

/** What both arms are made of in one pane: the same law, which moves with the hour. */
interface Law {
  readonly errors: number
  readonly slow: number
  readonly bins: readonly number[]
}
function lawAt(pane: number, phase: number): Law {
  const hour = Math.sin(pane / 7 + phase)
  const weights = Array.from({ length: 10 }, (_, bin) => (1 + 0.5 * hour * Math.cos(bin)) * (1 + bin))
  const total = weights.reduce((a, b) => a + b, 0) / 0.98
  const bins = [...weights.map((weight) => weight / total), 0, 0.005, 0.01, 0.005]
  return { errors: errorRate * (1 + 0.5 * hour), slow: slowRate * (1 - 0.5 * hour), bins }
}

function countsOf(rows: number, law: Law, draw: Random): Float64Array {
  const counts = new Float64Array(layout.width)
  const errors = draw.binomial(rows, law.errors)
  const slow = draw.binomial(rows, law.slow)
  counts[layout.rows] = rows
  counts[layout.status] = rows - errors
  counts[layout.status + 1] = errors
  counts[layout.latency.at] = rows - slow
  counts[layout.latency.at + 3] = slow
  counts.set(draw.multinomial(rows, law.bins), (distance as { at: number }).at)
  return counts
}

/** Greatest evidence of harm that a canary ever shows: every guardrail's, and their average as the governor takes it. */
function worstOf(draw: Random, panesPerStage: number, rowsPerPane: number): number[] {
  const phase = draw.next() * 6.28
  let states = setups.map((setup) => detectorFor(setup.guardrail.detector).start(setup))
  const worst = new Array<number>(setups.length + 1).fill(Number.NEGATIVE_INFINITY)
  let pane = 0
  for (const share of ramp) {
    for (let i = 0; i < panesPerStage; i++, pane++) {
      const law = lawAt(pane, phase)
      const candidates = draw.binomial(rowsPerPane, share)
      const now = countsOf(candidates, law, draw)
      const reference = countsOf(rowsPerPane - candidates, law, draw)
      states = setups.map((setup, k) =>
        detectorFor(setup.guardrail.detector).update(setup, states[k] ?? null, {
          start: pane * paneMs,
          ms: paneMs,
          now,
          reference,
          coverage: 1,
        }),
      )
      const harms = setups.map(
        (setup, k) => detectorFor(setup.guardrail.detector).read(setup, states[k] ?? null).logE.harm,
      )
      const average = averageEvidence(harms.map((logE) => ({ weight: 1, logE }))).logE
      for (const [k, logE] of [...harms, average].entries()) worst[k] = Math.max(worst[k] as number, logE)
    }
  }
  return worst
}

interface FalseStops {
  readonly what: string
  readonly alpha: number
  readonly canaries: number
  readonly stopped: number
  readonly rate: number
  readonly low: number
  readonly high: number
}

function falseStops(
  alphas: readonly number[],
  canaries: number,
  panes: number,
  rows: number,
  seed: number,
): FalseStops[] {
  const names = [...setups.map(({ guardrail: { id } }) => id), 'average']
  const worst = Array.from({ length: canaries }, (_, run) => worstOf(random(seed + run), panes, rows))
  return alphas.flatMap((alpha) =>
    names.map((what, k) => {
      const stopped = worst.filter((logE) => (logE[k] as number) >= Math.log(1 / alpha)).length
      const [low, high] = clopperPearson(stopped, canaries, 0.05)
      return { what, alpha, canaries, stopped, rate: stopped / canaries, low, high }
    }),
  )
}

interface Delay {
  readonly ratio: number
  readonly share: number
  readonly alpha: number
  readonly runs: number
  readonly medianRequests: number
  readonly idealRequests: number
  readonly delayRatio: number
}

/** Requests until errors at `ratio` times the stable rate are found, against ln(1/α)/KL. */
function delayOf(ratio: number, share: number, alpha: number, runs: number, seed: number): Delay {
  const rows = 200
  const setup = setups[0] as DetectorSetup
  const detector = detectorFor('conditional-beta-binomial')
  const requests = Array.from({ length: runs }, (_, run) => {
    const draw = random(seed + run)
    let state = detector.start(setup)
    for (let pane = 0; ; pane++) {
      const law = lawAt(0, 0)
      const now = countsOf(rows * share, { ...law, errors: errorRate * ratio }, draw)
      const reference = countsOf(rows * (1 - share), { ...law, errors: errorRate }, draw)
      state = detector.update(setup, state, { start: pane * paneMs, ms: paneMs, now, reference, coverage: 1 })
      if (detector.read(setup, state).logE.harm >= Math.log(1 / alpha)) return (pane + 1) * rows
    }
  }).sort((a, b) => a - b)
  const failing = (share * ratio) / (share * ratio + 1 - share)
  const nats = failing * Math.log(failing / share) + (1 - failing) * Math.log((1 - failing) / (1 - share))
  const idealRequests = Math.log(1 / alpha) / nats / (errorRate * (share * ratio + 1 - share))
  const medianRequests = requests[runs >> 1] as number
  return { ratio, share, alpha, runs, medianRequests, idealRequests, delayRatio: medianRequests / idealRequests }
}

/** A row for the eye: three digits of every broken number. The JSON has them all. */
function rounded(row: object): object {
  const short = (value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(3)) : value
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, short(value)]))
}

export function bench(flags: readonly string[]): void {
  const part = flags.includes('--quick') ? 0.1 : 1
  const seed = Number(flags.find((flag) => flag.startsWith('--seed='))?.slice('--seed='.length) ?? 1)
  if (!Number.isSafeInteger(seed)) throw new Error('--seed takes a whole number')
  const began = performance.now()
  const stops = [
    ...falseStops([0.05, 0.01], 2_000 * part, 24, 2_000, seed),
    ...falseStops([0.001], 50_000 * part, 10, 2_000, seed + 1_000_000),
  ]
  const delays = ([1.5, 2, 5] as const).map((ratio) => delayOf(ratio, 0.5, 0.001, 4_000 * part, seed + 2_000_000))
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(`A/A canaries, shares ${ramp.join(' → ')}, seed ${seed}: how often each would have been stopped`)
  console.table(stops.map(rounded))
  console.log('Requests (both arms) until a worse error rate is found')
  console.table(delays.map(rounded))
  console.log(JSON.stringify({ bench: 'aa', seed, quick: part < 1, seconds, stops, delays }))
}
