import type { CountSpec, DetectorSetup } from '@interlock/contracts'
import { layoutOf } from '@interlock/contracts'
import { detectorFor, resolveSignal } from '@interlock/statistics'
import { type Random, random } from './sampling/random.ts'

/**
 * How many panes a change of one numeric feature in the candidate takes to be found, through the detector as it serves:
 * 1,500 rows a pane, shares 5, 20 and 50 %, three sizes, after 3 or 20 healthy panes. Beside it how often a law that is
 * exactly as far away as is tolerated reaches an e-value of 20 or 1,000 in 60 panes (the evidence above a tolerance is
 * asymptotic: this is its check).
 *
 * `--quick` draws a quarter; `--seed=n` another set.
 */
const paneMs = 1_000
const rowsPerPane = 1_500
const limit = Math.log(10_000)
const tolerance = 0.05

/** Twenty bins of equal mass, as the profiler cuts them. */
const bins = 20
const spec: CountSpec = {
  v: 1,
  features: [{ kind: 'numeric', name: 'distance', edges: Array.from({ length: bins + 1 }, (_, i) => i), scale: 1 }],
  latencyEdgesMs: [0, 10],
  scoreEdges: [],
  classes: [],
  segments: [],
  producers: [],
}
const layout = layoutOf(spec)
const place = layout.features[0]
if (place === undefined) throw new Error('the spec of this benchmark has one feature')
const usual = Array.from({ length: bins }, () => 1 / bins)

/** Flight distances under `unit` (kilometres for miles) in the bins of March: the example's own law. */
const kilometres = [
  0.0073, 0.0364, 0.0077, 0.0127, 0.03, 0.0177, 0.0609, 0.0359, 0.0468, 0.0786, 0.0405, 0.0595, 0.0477, 0.0427, 0.0414,
  0.0482, 0.0614, 0.0973, 0.0945, 0.1328,
]

function divergence(law: readonly number[]): number {
  return usual.reduce((sum, share, bin) => sum + share * Math.log(share / (law[bin] as number)), 0)
}

/** The law between the usual one and `law` that lies `nats` from the usual one. */
function partWay(law: readonly number[], nats: number): readonly number[] {
  const total = law.reduce((a, b) => a + b, 0)
  const at = (part: number): number[] =>
    usual.map((share, bin) => share + part * ((law[bin] as number) / total - share))
  let [near, far] = [0, 1]
  for (let i = 0; i < 50; i++) {
    const middle = (near + far) / 2
    if (divergence(at(middle)) < nats) near = middle
    else far = middle
  }
  return at(far)
}
const steep = usual.map((_, bin) => Math.exp((6 * bin) / bins))
const shifts = {
  mild: partWay(kilometres, 0.12),
  unit: partWay(kilometres, 0.224),
  big: partWay(steep, 0.6),
} as const

const setup: DetectorSetup = {
  guardrail: {
    id: 'inputs',
    signal: 'distribution(distance)',
    detector: 'dirichlet-two-sample',
    reference: 'stable',
    tolerance: { harm: tolerance, safe: 0 },
    budget: { alpha: 0.001 },
    role: 'guard',
    action: 'roll-back',
    protects: 'the benchmark',
    slices: [],
    minimumSample: 0,
  },
  signal: resolveSignal('distribution(distance)', spec, { p50: 10, p90: 10, p99: 10 }),
  baseline: null,
  phi: 1,
  paneMs,
}
const detector = detectorFor('dirichlet-two-sample')

function cell(rows: number, law: readonly number[], draw: Random): Float64Array {
  const counts = new Float64Array(layout.width)
  counts[layout.rows] = rows
  counts.set(draw.multinomial(rows, law), (place as { at: number }).at)
  return counts
}

/** Readings of a candidate that follows one law after another, pane by pane, until `stop`. */
function watch(laws: Iterable<readonly number[]>, rows: number, draw: Random, stop: (harm: number) => boolean): number {
  let state = detector.start(setup)
  let pane = 0
  for (const law of laws) {
    const now = cell(draw.binomial(rowsPerPane, rows / rowsPerPane), law, draw)
    const reference = cell(rowsPerPane - rows, usual, draw)
    state = detector.update(setup, state, { start: pane * paneMs, ms: paneMs, now, reference, coverage: 1 })
    pane++
    const { logE, effect } = detector.read(setup, state)
    if (stop(effect.low > tolerance ? logE.harm : 0)) break
  }
  return pane
}

function* lawsAfter(healthy: number, law: readonly number[], panes: number): Iterable<readonly number[]> {
  for (let i = 0; i < healthy; i++) yield usual
  for (let i = 0; i < panes; i++) yield law
}

export interface LateShift {
  readonly shift: keyof typeof shifts
  readonly nats: number
  readonly share: number
  readonly healthyPanes: number
  readonly medianPanes: number
  readonly ninthDecile: number
}

/** Panes from the change to the evidence, median and 90 % of `runs`; 61 stands for "not within 60". */
export function lateShift(
  shift: keyof typeof shifts,
  share: number,
  healthyPanes: number,
  runs: number,
  seed: number,
): LateShift {
  const found = Array.from({ length: runs }, (_, run) => {
    let reached = false
    const panes = watch(lawsAfter(healthyPanes, shifts[shift], 60), rowsPerPane * share, random(seed + run), (harm) => {
      reached = harm >= limit
      return reached
    })
    return reached ? panes - healthyPanes : 61
  }).sort((a, b) => a - b)
  return {
    shift,
    nats: divergence(shifts[shift]),
    share,
    healthyPanes,
    medianPanes: found[Math.floor(runs / 2)] as number,
    ninthDecile: found[Math.floor(runs * 0.9)] as number,
  }
}

/** How often a law at the border of the tolerance reaches 20 and 1,000 within 60 panes. */
function atTheBorder(share: number, runs: number, seed: number) {
  const law = partWay(kilometres, tolerance)
  const most = Array.from({ length: runs }, (_, run) => {
    let greatest = 0
    watch(lawsAfter(0, law, 60), rowsPerPane * share, random(seed + run), (harm) => {
      greatest = Math.max(greatest, harm)
      return false
    })
    return greatest
  })
  const part = (evidence: number): number => most.filter((logE) => logE >= Math.log(evidence)).length / runs
  return { share, runs, reach20: part(20), reach1000: part(1_000) }
}

export function bench(flags: readonly string[]): void {
  const quick = flags.includes('--quick')
  const seed = Number(flags.find((flag) => flag.startsWith('--seed='))?.slice('--seed='.length) ?? 1)
  if (!Number.isSafeInteger(seed)) throw new Error('--seed takes a whole number')
  const began = performance.now()
  const runs = quick ? 50 : 200
  const delays = (['mild', 'unit', 'big'] as const).flatMap((shift) =>
    [0.05, 0.2, 0.5].flatMap((share) => [3, 20].map((healthy) => lateShift(shift, share, healthy, runs, seed))),
  )
  const border = [0.05, 0.5].map((share) => atTheBorder(share, 2 * runs, seed + 1_000_000))
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(
    `Panes until a changed feature is found at e-value ${Math.round(Math.exp(limit))}, ${runs} runs, seed ${seed}`,
  )
  console.table(delays.map((row) => ({ ...row, nats: Number(row.nats.toPrecision(3)) })))
  console.log(`A law at the tolerance (${tolerance} nats), 60 panes: part that reaches the evidence`)
  console.table(border)
  console.log(JSON.stringify({ bench: 'late-shift', seed, quick, seconds, delays, border }))
}
