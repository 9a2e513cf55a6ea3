import type {
  CountSpec,
  Detector,
  DetectorPane,
  DetectorReading,
  DetectorSetup,
  Guardrail,
  Json,
  SignalView,
} from '@interlock/contracts'
import { layoutOf } from '@interlock/contracts'
import { resolveSignal } from '../signal.ts'

/** Made-up panes for the detectors' tests. Nothing but tests may import it. */
export const spec: CountSpec = {
  v: 1,
  features: [{ kind: 'categorical', name: 'origin', vocabulary: ['ORD', 'SFO', 'JFK'] }],
  latencyEdgesMs: [0, 10, 20, 50, 100],
  scoreEdges: [],
  classes: [],
  segments: [],
  producers: [],
}
const layout = layoutOf(spec)
const [origin] = layout.features as [(typeof layout.features)[0]]
export const paneMs = 10_000
const bins = ['ORD', 'SFO', 'JFK', 'unseen', 'missing', 'invalid']

/** A cell with so many rows, of which so many failed, spread over the bins of `origin`. */
export function cell(rows: number, failed = 0, origins: readonly number[] = [rows]): Float64Array {
  const counts = new Float64Array(layout.width)
  counts[layout.rows] = rows
  counts[layout.status] = rows - failed
  counts[layout.status + 1] = failed
  for (const [bin] of bins.entries()) counts[origin.at + bin] = origins[bin] ?? 0
  return counts
}

/** The bins of `origin` taken for numbers from 0 to 4, with "ORD" below them and "invalid" above. */
export const meanOfOrigins: SignalView = {
  kind: 'mean',
  id: 'mean(origin)',
  edges: [0, 1, 2, 3, 4],
  bins,
  read: (counts) => counts.slice(origin.at, origin.at + bins.length),
}

export function setupOf(
  signal: string,
  guardrail: Partial<Guardrail> & Pick<Guardrail, 'detector'>,
  more: Partial<DetectorSetup> = {},
): DetectorSetup {
  return {
    guardrail: {
      id: 'rule',
      signal,
      reference: 'stable',
      tolerance: { harm: 0, safe: 0.5 },
      budget: { alpha: 0.001 },
      role: 'guard',
      action: 'roll-back',
      protects: 'passengers',
      slices: [],
      minimumSample: 0,
      ...guardrail,
    },
    signal: more.signal ?? resolveSignal(signal, spec, { p50: 10, p90: 20, p99: 50 }),
    baseline: null,
    phi: 1,
    paneMs,
    ...more,
  }
}

export type Pane = Partial<DetectorPane> & Pick<DetectorPane, 'now' | 'reference'>

/** Runs panes through a detector, each state frozen first, and reads after each. */
export function run<State extends Json>(
  detector: Detector<State>,
  setup: DetectorSetup,
  panes: readonly Pane[],
): { readonly state: State; readonly readings: readonly DetectorReading[] } {
  let state = frozen(detector.start(setup))
  const readings = panes.map((pane, i) => {
    state = frozen(detector.update(setup, state, { start: i * paneMs, ms: paneMs, coverage: 1, ...pane }))
    return detector.read(setup, state)
  })
  return { state, readings }
}

function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(frozen)
  }
  return value
}
