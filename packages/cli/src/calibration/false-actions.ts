import type { Action, EventTime, GuardrailEvidence, Policy } from '@interlock/contracts'
import { calmPanes, calmPart, judge, type Watched } from '@interlock/deployment'
import { poissonUpper } from '@interlock/statistics'

const yearMs = 365 * 86_400_000
const level = 0.95

/** What healthy panes made a policy do. All of it is false. */
export interface FalseActions {
  readonly action: Action
  readonly count: number
  /** When each began. */
  readonly at: readonly EventTime[]
  /** Part of the panes in which it lasted. A rule that never comes to rest acts once, and holds for ever. */
  readonly part: number
}

/** The nearest that each rule came to its limit, in ln: 1 is a breach. */
export interface Nearest {
  readonly guardrail: string
  readonly progress: number
  readonly at: EventTime
}

/**
 * Judges a run of panes as the governor would, and counts what it did. An action lasts until its rules were calm for twelve
 * panes in a row, as a hold does, and what comes after is another one.
 */
export class Bystander {
  readonly #policy: Policy
  readonly #watched: Watched
  readonly #actions = new Map<Action, EventTime[]>()
  readonly #lasting = new Map<Action, number>()
  readonly #held = new Map<Action, number>()
  readonly #nearest = new Map<string, Nearest>()
  panes = 0

  constructor(policy: Policy, watched: Watched) {
    this.#policy = policy
    this.#watched = watched
  }

  see(at: EventTime, guardrails: readonly GuardrailEvidence[]): void {
    this.panes += 1
    const { judged, breaches } = judge(this.#policy, { guardrails }, this.#watched)
    const restless = new Set<Action>()
    for (const { guardrail, progress } of judged) {
      if (progress >= calmPart) restless.add(guardrail.action)
      if (progress > (this.#nearest.get(guardrail.id)?.progress ?? -1))
        this.#nearest.set(guardrail.id, { guardrail: guardrail.id, progress, at })
    }
    for (const [action, calm] of this.#lasting) {
      if (restless.has(action)) this.#lasting.set(action, 0)
      else if (calm + 1 >= calmPanes) this.#lasting.delete(action)
      else this.#lasting.set(action, calm + 1)
    }
    for (const { action } of breaches) {
      if (!this.#lasting.has(action)) this.#actions.set(action, [...(this.#actions.get(action) ?? []), at])
      this.#lasting.set(action, 0)
    }
    for (const action of this.#lasting.keys()) this.#held.set(action, (this.#held.get(action) ?? 0) + 1)
  }

  actions(): readonly FalseActions[] {
    const wanted = [...new Set(this.#policy.guardrails.map(({ action }) => action))].sort()
    return wanted.map((action) => {
      const at = this.#actions.get(action) ?? []
      return { action, count: at.length, at, part: this.panes === 0 ? 0 : (this.#held.get(action) ?? 0) / this.panes }
    })
  }

  nearest(): readonly Nearest[] {
    return [...this.#nearest.values()]
  }
}

/** A count over a time as a rate a year, with the exact upper 95 % bound that it supports. */
export function yearly(count: number, ms: number): { readonly mean: number; readonly atMost: number } {
  const years = ms / yearMs
  return { mean: count / years, atMost: poissonUpper(count, level) / years }
}

/** Years without an event that show, at 95 %, that there are no more than so many a year. */
export function yearsNeeded(perYear: number): number {
  return poissonUpper(0, level) / perYear
}
