import type { CountSpec } from '@interlock/contracts'
import { resolveSignal, signalsOf } from '@interlock/statistics'
import { designEffect } from './design-effect.ts'
import type { LatencyLimits } from './latency-edges.ts'

/**
 * φ̂ of every histogram, and of every rate that has events, by its name in policies. A rate is a histogram of two bins: events and the rest.
 *
 * @param windows count vectors of healthy windows, as the spec's layout says
 */
export function designEffects(
  spec: CountSpec,
  limits: LatencyLimits,
  windows: readonly Float64Array[],
): Record<string, number> {
  const effects: [string, number][] = []
  for (const name of signalsOf(spec)) {
    const signal = resolveSignal(name, spec, limits)
    // Volume has no trials: its dispersion is that of the hours of the week.
    if (signal.kind === 'volume') continue
    const bins = windows.map((window) => (signal.kind === 'rate' ? twoBins(signal.read(window)) : signal.read(window)))
    // A rate without an event says nothing of how its windows differ.
    if (signal.kind === 'rate' && !bins.some(([events]) => (events as number) > 0)) continue
    effects.push([name, designEffect(bins)])
  }
  return Object.fromEntries(effects)
}

function twoBins({ events, trials }: { readonly events: number; readonly trials: number }): Float64Array {
  return Float64Array.of(events, trials - events)
}
