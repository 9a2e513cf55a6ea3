import type { DetectorId, Reference } from '@interlock/contracts'

/** What is counted, by its name before the brackets. */
export type SignalKind =
  | 'errors'
  | 'missing'
  | 'unseen'
  | 'invalid'
  | 'latency-over'
  | 'distribution'
  | 'predictions'
  | 'duplicates'
  | 'mean'
  | 'volume'

/** How a signal is counted: some of some, by bins, by bins with a mean, or in time. */
export type SignalShape = 'rate' | 'histogram' | 'mean' | 'volume'

type SignalRule = {
  readonly shape: SignalShape
  /** What stands in the brackets. */
  readonly of: 'nothing' | 'feature' | 'feature-or-latency' | 'number' | 'quantile'
  /** References that have a detector, and which. */
  readonly detectors: Readonly<Partial<Record<Reference, DetectorId>>>
  /** Whether it is counted of all rows only, and not by producer or segment. */
  readonly wholeOnly?: true
}

const rate = { stable: 'conditional-beta-binomial', baseline: 'binomial-shiryaev-roberts' } as const

/** Every signal, what it takes, and the detector that a reference brings with it. */
export const signals = {
  // Training rows have no failed answers to be held against.
  errors: { shape: 'rate', of: 'nothing', detectors: { stable: rate.stable } },
  // Training rows have no ids that might repeat.
  duplicates: { shape: 'rate', of: 'nothing', detectors: { stable: rate.stable }, wholeOnly: true },
  missing: { shape: 'rate', of: 'feature', detectors: rate },
  unseen: { shape: 'rate', of: 'feature', detectors: rate },
  invalid: { shape: 'rate', of: 'feature', detectors: rate },
  'latency-over': { shape: 'rate', of: 'quantile', detectors: rate },
  distribution: {
    shape: 'histogram',
    of: 'feature-or-latency',
    detectors: { stable: 'dirichlet-two-sample', baseline: 'dirichlet-baseline' },
  },
  // A new model answers differently on purpose: its answers are held against its own baseline, never against stable.
  predictions: { shape: 'histogram', of: 'nothing', detectors: { baseline: 'dirichlet-baseline' } },
  // Two versions may differ on purpose in what they answer and how fast: a mean too is held against the version's own baseline.
  mean: { shape: 'mean', of: 'number', detectors: { baseline: 'binned-betting' } },
  volume: { shape: 'volume', of: 'nothing', detectors: { history: 'gap' } },
} as const satisfies Record<SignalKind, SignalRule>

export const signalKinds = Object.keys(signals) as readonly SignalKind[]

/** With a tolerance, volume is the amount of rows and no longer their absence. */
export const amountDetector: DetectorId = 'poisson-shiryaev-roberts'

/** Quantiles of latency whose limits the baseline freezes. */
export const quantiles = ['p50', 'p90', 'p99'] as const

export function signalRule(kind: SignalKind): SignalRule {
  return signals[kind]
}

/** `distribution(distance, origin)` → kind and arguments; null where it is not of that form. */
export function readSignal(text: string): { readonly kind: string; readonly of: readonly string[] } | null {
  const match = /^([a-z-]{1,32})(?:\(([^()]{0,2000})\))?$/.exec(text.trim())
  if (match === null) return null
  const of = match[2] === undefined ? [] : match[2].split(',').map((name) => name.trim())
  return of.includes('') ? null : { kind: match[1]!, of }
}

export function isSignalKind(word: string): word is SignalKind {
  return Object.hasOwn(signals, word)
}
