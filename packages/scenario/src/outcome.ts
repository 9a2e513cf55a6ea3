import type { AnyOut, DecisionKind, DecisionOut, Observed, Policy } from '@interlock/contracts'
import type { Injection } from './faults/inject.ts'
import type { Row } from './row.ts'
import type { Cast } from './world/cast.ts'

/** A decision of the machine about a guardrail. */
export interface Caught {
  readonly outcome: DecisionKind
  readonly guardrail: string
  /** Name of the stage in which it was decided. */
  readonly stage: string | null
  /** Log time, and ms since the fault began (null where none had). */
  readonly at: number
  readonly afterMs: number | null
}

/** What a scenario came to. */
export interface Played {
  readonly decisions: readonly DecisionOut[]
  /** When the first fault began, log time, whether or not a row was hit at once; null where none did. */
  readonly onset: number | null
  /** The first decision about a guardrail after the onset, or at all where there is no fault. */
  readonly caught: Caught | null
  /** The first of them that rests on closed panes: what open panes foretell may only hold. */
  readonly confirmed: Caught | null
  /** The first that took the new version's traffic away, or stopped its rollout until people say otherwise. */
  readonly stopped: Caught | null
  /** A decision about a guardrail before any fault was on: a false alarm. */
  readonly falseAlarm: Caught | null
  /** Answers of the new version to people since the onset (since the beginning where there is no fault), and to how many. */
  readonly exposure: { readonly answers: number; readonly units: number; readonly harmed: number }
  /** Whether the new version took all of the traffic. */
  readonly completed: boolean
  readonly stage: string | null
  /** Guardrails that were in breach at any time, also those that only watch. */
  readonly breached: readonly string[]
  readonly rows: number
  /** Rows that could not be counted, by reason. */
  readonly dead: Readonly<Record<string, number>>
  /** Scenario time that was played, ms. */
  readonly lengthMs: number
}

const stopping: readonly DecisionKind[] = ['rolled-back', 'halted', 'ramped-down', 'fell-back']
const catching: readonly DecisionKind[] = [...stopping, 'held', 'data-incident', 'not-watched']

/** Listens to a scenario while it is played. */
export class Outcome {
  readonly #cast: Cast
  readonly #policy: Policy
  readonly #decisions: DecisionOut[] = []
  readonly #entered = new Map<string, number>()
  readonly #units = new Set<string>()
  readonly #breached = new Set<string>()
  readonly #dead: Record<string, number> = {}
  #onset: number | null = null
  #stage: string | null = null
  #caught: Caught | null = null
  #confirmed: Caught | null = null
  #stopped: Caught | null = null
  #falseAlarm: Caught | null = null
  #completed = false
  #answers = 0
  #harmed = 0
  #began: number | null = null
  #now = 0
  readonly #hasFault: boolean

  constructor(cast: Cast, policy: Policy, hasFault: boolean) {
    this.#cast = cast
    this.#policy = policy
    this.#hasFault = hasFault
  }

  get onset(): number | null {
    return this.#onset
  }

  get isCaught(): boolean {
    return this.#caught !== null
  }

  /** Nothing of the new version is left to decide about. */
  get isOver(): boolean {
    return this.#stopped !== null
  }

  /** What the platform serves from this time on. */
  stage({ candidate, share, shadow }: Observed, at: number): void {
    this.#began ??= at
    this.#now = at
    if (candidate === null && share === 0) return
    const stage = this.#policy.stages.find((each) => (shadow ? each.shadow : !each.shadow && each.share === share))
    if (stage === undefined) return
    this.#stage = stage.name
    if (!this.#entered.has(stage.name)) this.#entered.set(stage.name, at)
  }

  /** When the injection begins to be on, log time; null while its stage was not entered. */
  onsetOf({ onset: { stage, afterMs } }: Injection): number | null {
    const wanted = stage ?? this.#policy.stages.find((each) => !each.shadow)?.name ?? ''
    const entered = this.#entered.get(wanted)
    return entered === undefined ? null : entered + afterMs
  }

  /** A fault is on from that log time. */
  begin(onset: number): void {
    this.#onset ??= onset
  }

  /** One answer as it was given, and whether a fault changed what is known of it. */
  answer({ version, variant, unit, eventTimeMs }: Row, isHarmed: boolean): void {
    if (variant === 'shadow' || version !== this.#cast.candidate.version) return
    if (this.#hasFault && (this.#onset === null || eventTimeMs < this.#onset)) return
    this.#answers++
    this.#units.add(unit)
    if (isHarmed) this.#harmed++
  }

  take(outs: readonly AnyOut[]): void {
    for (const out of outs) {
      if (out.kind === 'decision') this.#decide(out)
      else if (out.kind === 'state') {
        for (const { guardrail, verdict } of out.verdicts) if (verdict === 'breach') this.#breached.add(guardrail)
      } else if (out.kind === 'progress') {
        for (const [reason, rows] of Object.entries(out.dead)) this.#dead[reason] = (this.#dead[reason] ?? 0) + rows
      }
    }
  }

  #decide(decision: DecisionOut): void {
    this.#decisions.push(decision)
    if (decision.outcome === 'completed') this.#completed = true
    const isSilence = decision.outcome === 'not-watched'
    if (!catching.includes(decision.outcome) || (decision.guardrail === null && !isSilence)) return
    const caught: Caught = {
      outcome: decision.outcome,
      guardrail: decision.guardrail?.guardrail ?? decision.rule,
      stage: this.#stage,
      at: decision.at,
      afterMs: this.#onset === null ? null : decision.at - this.#onset,
    }
    if (this.#hasFault && this.#onset === null) {
      this.#falseAlarm ??= caught
      if (stopping.includes(decision.outcome)) this.#stopped ??= caught
      return
    }
    this.#caught ??= caught
    if (!decision.rule.startsWith('provisional:')) this.#confirmed ??= caught
    if (stopping.includes(decision.outcome)) this.#stopped ??= caught
  }

  result(rows: number): Played {
    return {
      decisions: this.#decisions,
      onset: this.#onset,
      caught: this.#caught,
      confirmed: this.#confirmed,
      stopped: this.#stopped,
      falseAlarm: this.#falseAlarm,
      exposure: { answers: this.#answers, units: this.#units.size, harmed: this.#harmed },
      completed: this.#completed,
      stage: this.#stage,
      breached: [...this.#breached].sort(),
      rows,
      dead: this.#dead,
      lengthMs: this.#now - (this.#began ?? this.#now),
    }
  }
}
