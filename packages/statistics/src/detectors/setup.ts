import type {
  DetectorId,
  DetectorPane,
  DetectorReading,
  DetectorSetup,
  Reference,
  SignalView,
} from '@interlock/contracts'

type Kind = SignalView['kind']

/** What each detector can be asked for. */
const abilities = {
  'conditional-beta-binomial': { kind: 'rate', references: ['stable'] },
  'binomial-shiryaev-roberts': { kind: 'rate', references: ['baseline'] },
  'dirichlet-two-sample': { kind: 'histogram', references: ['stable'] },
  'dirichlet-baseline': { kind: 'histogram', references: ['baseline', 'history'] },
  gap: { kind: 'volume', references: ['stable', 'history'] },
  'poisson-shiryaev-roberts': { kind: 'volume', references: ['history'] },
  'binned-betting': { kind: 'mean', references: ['baseline'] },
} as const satisfies Record<DetectorId, { kind: Kind; references: readonly Reference[] }>

/** Why a detector cannot judge such a signal against such a reference, as a sentence; null when it can. */
export function whyNot(detector: DetectorId, kind: Kind, reference: Reference): string | null {
  const able = abilities[detector]
  if (able.kind !== kind) return `detector "${detector}" reads a ${able.kind}, and the signal is a ${kind}`
  if (!(able.references as readonly Reference[]).includes(reference))
    return `detector "${detector}" compares with ${able.references.join(' or ')}, not with ${reference}`
  return null
}

/** The signal of a setup, of the kind that the detector reads. @throws Error when the policy paired them wrongly. */
export function signalOf<K extends Kind>(setup: DetectorSetup, kind: K): Extract<SignalView, { kind: K }> {
  const { guardrail, signal } = setup
  const problem = whyNot(guardrail.detector, signal.kind, guardrail.reference)
  if (problem !== null || signal.kind !== kind)
    throw new Error(`guardrail "${guardrail.id}": ${problem ?? `signal is no ${kind}`}; run \`policy check\``)
  return signal as Extract<SignalView, { kind: K }>
}

/** A pane that not every shard reported moves nothing. */
export function isWhole(pane: DetectorPane): boolean {
  return pane.coverage >= 1
}

/** Level of the intervals that detectors publish. */
export const intervalAlpha = 0.05

export function statusOf(
  setup: DetectorSetup,
  seen: { readonly n: number; readonly m: number; readonly incomplete: boolean },
): DetectorReading['status'] {
  if (seen.incomplete) return 'incomplete'
  if (!(seen.n > 0 && seen.m > 0)) return 'no-data'
  return seen.n < setup.guardrail.minimumSample ? 'too-few' : 'ok'
}
