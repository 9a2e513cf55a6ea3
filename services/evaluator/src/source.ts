import { type Action, type CountSpec, type Guardrail, type SignalView, severities } from '@interlock/contracts'
import { actionSeverity } from '@interlock/deployment'
import { otherValue, sliceKey } from './panes.ts'

/** A producer that may be left out, or several small ones together. */
export interface Source {
  readonly name: string
  /** `sliceKey`s of its producers. */
  readonly keys: readonly string[]
}

/** Sources of one guardrail: each costs a detector more. The most frequent producers stand alone, the others are one. */
const sourcesAGuardrail = 8

/** What a guardrail guards against one source: a comparison with stable that may stop or move traffic. */
export function sourcesOf(
  { reference, action }: Pick<Guardrail, 'reference' | 'action'>,
  signal: SignalView,
  { producers }: Pick<CountSpec, 'producers'>,
): readonly Source[] {
  if (reference !== 'stable' || signal.kind === 'volume' || !movesTraffic(action) || producers.length === 0) return []
  const alone = producers.slice(0, sourcesAGuardrail - 1)
  const pooled = [...producers.slice(alone.length), otherValue]
  return [
    ...alone.map((name) => ({ name, keys: [sliceKey('producer', name)] })),
    { name: otherValue, keys: pooled.map((name) => sliceKey('producer', name)) },
  ]
}

function movesTraffic(action: Action): boolean {
  return actionSeverity[action] >= severities.halt
}
