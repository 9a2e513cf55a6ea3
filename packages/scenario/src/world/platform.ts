import { type AnyOut, type Command, compareOrders, type Fact, type Observed } from '@interlock/contracts'
import type { Cast } from './cast.ts'

/** Between two looks of the agent at its platform, and two checks of the versions, ms. */
const observeEveryMs = 2_000
const readinessEveryMs = 20_000

/**
 * An agent and its platform that do at once what the highest command says. It never refuses, never lapses and never lies:
 * a scenario is about the policy.
 */
export class SimulatedPlatform {
  readonly #cast: Cast
  #highest: Command | null = null
  #observedAt = Number.NEGATIVE_INFINITY
  #checkedAt = Number.NEGATIVE_INFINITY
  observed: Observed

  constructor(cast: Cast) {
    this.#cast = cast
    this.observed = {
      ...{ version: 'token', generation: 0, stable: cast.stable.digest, candidate: null },
      ...{ share: 0, shadow: false, fallback: false },
    }
  }

  /** Takes the commands among the outs, and says what it did and sees. */
  facts(outs: readonly AnyOut[], time: number): readonly Uint8Array[] {
    const facts: Fact[] = []
    for (const out of outs) {
      if (out.kind !== 'command') continue
      const { command } = out
      if (this.#highest !== null && compareOrders(command.order, this.#highest.order) <= 0) continue
      this.#highest = command
      const { desired, order } = command
      this.observed = {
        version: 'token',
        generation: order[0],
        stable: desired.target,
        candidate: desired.candidate,
        share: desired.shareMax,
        shadow: desired.shadow,
        fallback: desired.fallback,
        order,
      }
      facts.push({ kind: 'received', order }, { kind: 'applied', order, observed: this.observed })
    }
    if (facts.length > 0 || time - this.#observedAt >= observeEveryMs) {
      this.#observedAt = time
      facts.push({ kind: 'observed', order: this.#highest?.order ?? null, observed: this.observed })
    }
    if (time - this.#checkedAt >= readinessEveryMs) {
      this.#checkedAt = time
      for (const { digest } of [this.#cast.stable, this.#cast.candidate])
        facts.push({ kind: 'readiness', target: digest, ready: { ok: true, checks: [] } })
    }
    return facts.map((fact) => this.#cast.fact(fact))
  }
}
