import type { DetectorId, DetectorSetup, SignalView } from '@interlock/contracts'
import { detectorFor } from '@interlock/statistics'
import { type Random, random } from '../sampling/random.ts'

/** What may happen in production and is no fault of the candidate: the laws of both arms in a pane. */
const laws = {
  seasonal: (pane: number) => ({
    rows: 1_000 + 600 * Math.sin(pane / 60),
    errors: 0.01 * (1 + 0.8 * Math.sin(pane / 90)),
    tilt: 0.4 * Math.sin(pane / 75),
  }),
  'burst of volume': (pane: number) => ({ rows: pane % 500 < 60 ? 3_000 : 1_000, errors: 0.01, tilt: 0 }),
  'spike of errors in both arms': (pane: number) => ({ rows: 1_000, errors: pane % 400 < 30 ? 0.3 : 0.01, tilt: 0 }),
  'slow drift in both arms': (pane: number) => ({ rows: 1_000, errors: 0.01, tilt: pane / 2_000 }),
} as const satisfies Record<string, (pane: number) => { rows: number; errors: number; tilt: number }>

export interface ControlResult {
  readonly control: string
  readonly panes: number
  readonly rollouts: number
  readonly rollbacks: number
}

const bins = 10
const paneMs = 10_000
/** Panes of one rollout: shares 5, 20 and 50 %, in equal parts. */
const rolloutPanes = 1_000
const shares = [0.05, 0.2, 0.5] as const
/** Both guards share the budget of one false rollback in a thousand rollouts. */
const limit = Math.log(1_000 * 2)

function setup(detector: DetectorId, signal: SignalView): DetectorSetup {
  return {
    guardrail: {
      id: detector,
      signal: signal.id,
      detector,
      reference: 'stable',
      tolerance: { harm: 0, safe: 0 },
      budget: { alpha: 0.001 },
      role: 'guard',
      action: 'roll-back',
      protects: 'the benchmark',
      slices: [],
      minimumSample: 0,
    },
    signal,
    baseline: null,
    phi: 1,
    paneMs,
  }
}

/** Counts: rows, errors, then the bins of a feature. */
const guards = [
  setup('conditional-beta-binomial', {
    kind: 'rate',
    id: 'errors',
    read: (counts) => ({ events: counts[1]!, trials: counts[0]! }),
  }),
  setup('dirichlet-two-sample', {
    kind: 'histogram',
    id: 'distribution(feature)',
    bins: Array.from({ length: bins }, (_, bin) => String(bin)),
    ordered: Array.from({ length: bins }, (_, bin) => bin),
    read: (counts) => counts.slice(2),
  }),
]

function arm(rows: number, errors: number, tilt: number, draw: Random): Float64Array {
  const weights = Array.from({ length: bins }, (_, bin) => Math.exp((tilt * (bin - 4.5)) / 4.5))
  const total = weights.reduce((a, b) => a + b, 0)
  return Float64Array.from([
    rows,
    draw.binomial(rows, errors),
    ...draw.multinomial(
      rows,
      weights.map((weight) => weight / total),
    ),
  ])
}

/** Healthy rollouts, one after another, under each control: how many the two concurrent guards would roll back. */
export function benignControls(panes: number, seed: number): readonly ControlResult[] {
  return Object.entries(laws).map(([control, law], index) => {
    const draw = random(seed + index)
    const rollouts = Math.ceil(panes / rolloutPanes)
    let rollbacks = 0
    for (let rollout = 0; rollout < rollouts; rollout++) {
      let states = guards.map((guard) => detectorFor(guard.guardrail.detector).start(guard))
      for (let i = 0; i < rolloutPanes; i++) {
        const pane = rollout * rolloutPanes + i
        const { rows, errors, tilt } = law(pane)
        const candidates = draw.binomial(Math.round(rows), shares[Math.floor((i / rolloutPanes) * shares.length)]!)
        const now = arm(candidates, errors, tilt, draw)
        const reference = arm(Math.round(rows) - candidates, errors, tilt, draw)
        states = guards.map((guard, k) =>
          detectorFor(guard.guardrail.detector).update(guard, states[k]!, {
            start: pane * paneMs,
            ms: paneMs,
            now,
            reference,
            coverage: 1,
          }),
        )
        const stopped = guards.some(
          (guard, k) => detectorFor(guard.guardrail.detector).read(guard, states[k]!).logE.harm >= limit,
        )
        if (!stopped) continue
        rollbacks++
        break
      }
    }
    return { control, panes: rollouts * rolloutPanes, rollouts, rollbacks }
  })
}
