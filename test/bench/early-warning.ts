import type { CountSpec, DetectorSetup } from '@interlock/contracts'
import { layoutOf } from '@interlock/contracts'
import { detectorFor, ln, resolveSignal, timeToBreach } from '@interlock/statistics'
import { random } from './sampling/random.ts'

/**
 * How often the time of a breach lies within the interval of the early warning that came before it, which claims nine in ten: a
 * candidate's error rate rises from 2 % to 1.4, 1.7 and 2.2 times that, at 500 and 1,500 rows a pane, at once or after 20 or 100
 * healthy panes, through the detector as it serves. Every pane with a warning counts, and apart from that every first warning.
 *
 * `--quick` draws a fifth; `--seed=n` another set.
 */
const paneMs = 10_000
const errorRate = 0.02
const candidateShare = 0.3
const panesAtMost = 500
const limit = ln(2_000)

const spec: CountSpec = {
  v: 1,
  features: [],
  latencyEdgesMs: [0, 10, 20, 50, 100],
  scoreEdges: [],
  classes: [],
  segments: [],
  producers: [],
}
const layout = layoutOf(spec)
const setup: DetectorSetup = {
  guardrail: {
    id: 'errors',
    signal: 'errors',
    detector: 'conditional-beta-binomial',
    reference: 'stable',
    tolerance: { harm: 0.2, safe: 0.5 },
    budget: { alpha: 0.001 },
    role: 'guard',
    action: 'roll-back',
    protects: 'the benchmark',
    slices: [],
    minimumSample: 0,
  },
  signal: resolveSignal('errors', spec, { p50: 10, p90: 20, p99: 50 }),
  baseline: null,
  phi: 1,
  paneMs,
}

function cell(rows: number, failed: number): Float64Array {
  const counts = new Float64Array(layout.width)
  counts[layout.rows] = rows
  counts[layout.status] = rows - failed
  counts[layout.status + 1] = failed
  return counts
}

export interface Coverage {
  readonly ratio: number
  readonly rows: number
  readonly healthyPanes: number
  /** Panes with a warning, those whose interval held the breach, and those that it came before or after. */
  readonly warnings: number
  readonly within: number
  readonly earlier: number
  readonly later: number
  /** Runs with a warning, and those whose first interval held the breach. */
  readonly runs: number
  readonly firstWithin: number
}

interface Scenario {
  readonly ratio: number
  readonly rows: number
  readonly healthyPanes: number
}

/** A breach falls into a pane: half of one to either side is the same pane. */
const roundingPanes = 1 / 2

export function coverageOf({ ratio, rows, healthyPanes }: Scenario, runs: number, seed: number): Coverage {
  const found = { warnings: 0, within: 0, earlier: 0, later: 0, runs: 0, firstWithin: 0 }
  for (let run = 0; run < runs; run++) {
    const { warnings, breach } = oneRun({ ratio, rows, healthyPanes }, seed + run)
    for (const [index, { pane, low, high }] of warnings.entries()) {
      const left = breach - pane
      const isEarlier = left < low - roundingPanes
      const isLater = left > high + roundingPanes
      found.warnings++
      if (isEarlier) found.earlier++
      else if (isLater) found.later++
      else found.within++
      if (index > 0) continue
      found.runs++
      if (!isEarlier && !isLater) found.firstWithin++
    }
  }
  return { ratio, rows, healthyPanes, ...found }
}

/** All warnings before the breach, and its pane (beyond every interval where it never came). */
function oneRun({ ratio, rows, healthyPanes }: Scenario, seed: number) {
  const draw = random(seed)
  const detector = detectorFor('conditional-beta-binomial')
  let state = detector.start(setup)
  const path = [0]
  const warnings: { readonly pane: number; readonly low: number; readonly high: number }[] = []
  for (let pane = 0; pane < healthyPanes + panesAtMost; pane++) {
    const n = draw.binomial(rows, candidateShare)
    const rate = errorRate * (pane >= healthyPanes ? ratio : 1)
    const now = cell(n, draw.binomial(n, rate))
    const reference = cell(rows - n, draw.binomial(rows - n, errorRate))
    state = detector.update(setup, state, { start: pane * paneMs, ms: paneMs, now, reference, coverage: 1 })
    const { logE, since } = detector.read(setup, state)
    path.push(logE.harm)
    if (logE.harm >= limit) return { warnings, breach: pane }
    const time = since === undefined ? null : timeToBreach(path.slice(since.from / paneMs), limit)
    if (time !== null) warnings.push({ pane, low: time.low, high: time.high })
  }
  return { warnings, breach: Number.MAX_SAFE_INTEGER }
}

export const scenarios: readonly Scenario[] = [1.4, 1.7, 2.2].flatMap((ratio) =>
  [500, 1_500].flatMap((rows) => [0, 20, 100].map((healthyPanes) => ({ ratio, rows, healthyPanes }))),
)

export function summed(all: readonly Coverage[]): { readonly coverage: number; readonly firstCoverage: number } {
  const sum = (of: (one: Coverage) => number): number => all.reduce((total, one) => total + of(one), 0)
  return {
    coverage: sum(({ within }) => within) / sum(({ warnings }) => warnings),
    firstCoverage: sum(({ firstWithin }) => firstWithin) / sum(({ runs }) => runs),
  }
}

export function bench(flags: readonly string[]): void {
  const runs = flags.includes('--quick') ? 40 : 200
  const seed = Number(flags.find((flag) => flag.startsWith('--seed='))?.slice('--seed='.length) ?? 1)
  if (!Number.isSafeInteger(seed)) throw new Error('--seed takes a whole number')
  const began = performance.now()
  const all = scenarios.map((scenario, index) => coverageOf(scenario, runs, seed + index * 1_000_000))
  const total = summed(all)
  const seconds = Math.round((performance.now() - began) / 1_000)
  console.log(`Early warnings whose interval (nine in ten) held the breach, seed ${seed}`)
  console.table(all.map((one) => ({ ...one, coverage: one.warnings === 0 ? null : one.within / one.warnings })))
  console.log(`all warnings ${total.coverage.toFixed(3)}, first warnings ${total.firstCoverage.toFixed(3)}`)
  console.log(JSON.stringify({ bench: 'early-warning', seed, runs, seconds, ...total, all }))
}
