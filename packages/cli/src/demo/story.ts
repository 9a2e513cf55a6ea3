import {
  type AnyOut,
  addPacked,
  type DecisionOut,
  type EvidenceOut,
  type GuardrailEvidence,
  layoutOf,
  type ProgressOut,
  type StateOut,
  type WatchOut,
} from '@interlock/contracts'

/** Last line of `interlock demo --json`. Times are ISO 8601, or null where it did not come to that. */
export interface Summary {
  readonly event: 'summary'
  readonly fault: string
  readonly seed: number
  readonly rolledBack: boolean
  /** A hold stands at the end. */
  readonly held: boolean
  readonly promoted: boolean
  readonly fromVersion: string
  readonly toVersion: string | null
  readonly cause: string | null
  readonly onset: string | null
  readonly estimatedOnset: string | null
  readonly breachAt: string | null
  readonly issuedAt: string | null
  readonly appliedAt: string | null
  readonly verifiedAt: string | null
  readonly eventsProcessed: number
  readonly eventsPerSecond: number
  readonly deadLetters: number
  readonly badPredictionsServed: number
  readonly falseAlarms: number
}

/** Decisions of the machine that stop or slow something: false alarms where nothing is wrong. */
const alarms: readonly DecisionOut['outcome'][] = [
  'held',
  'halted',
  'ramped-down',
  'rolled-back',
  'fell-back',
  'data-incident',
]

/**
 * What happened, folded from the outs of the three processors. The summary is read from the logs, never from what the demo
 * meant to do.
 */
export class Story {
  readonly decisions: DecisionOut[] = []
  state: StateOut | undefined
  evidence: EvidenceOut | undefined
  onset: number | undefined
  readonly #faultySource: string | undefined
  #watch: WatchOut | undefined
  #width = 0
  #taken = 0
  #dead = 0
  #firstAt: number | undefined
  #lastAt = 0
  /** Rows of the bad version (or source) by pane. */
  readonly #bad = new Map<number, number>()
  readonly #commandTimes = new Map<string, Readonly<Record<string, number>>>()

  constructor(options: { readonly faultySource?: string }) {
    this.#faultySource = options.faultySource
  }

  take(out: AnyOut, at: number): void {
    switch (out.kind) {
      case 'watch':
        this.#watch = out
        this.#width = layoutOf(out.spec).width
        return
      case 'progress':
        this.#progress(out, at)
        return
      case 'counts':
        this.#countBad(out)
        return
      case 'evidence':
        this.evidence = out
        return
      case 'state':
        this.state = out
        if (out.command !== null) this.#commandTimes.set(out.command.decision, out.command.times)
        return
      case 'decision':
        this.decisions.push(out)
        return
    }
  }

  /** The guardrail whose harm evidence stands closest to its limit, and how close (1 = at it). */
  strongest(): { readonly about: GuardrailEvidence; readonly part: number } | undefined {
    const parts = (this.evidence?.guardrails ?? [])
      .filter(({ evidence }) => evidence.status === 'ok')
      .map((about) => ({ about, part: Math.max(0, about.evidence.logE.harm) / about.limit }))
    return parts.toSorted((a, b) => b.part - a.part)[0]
  }

  summary(fault: string, seed: number): Summary {
    // An early hold rests on panes that are not whole; what it was about is told by the decision after it.
    const decided = this.decisions.find(
      (one) =>
        this.onset !== undefined &&
        one.at >= this.onset &&
        alarms.includes(one.outcome) &&
        one.facts.kind !== 'held-early',
    )
    const rollback = this.decisions.find(({ outcome }) => outcome === 'rolled-back')
    const times = rollback === undefined ? undefined : this.#commandTimes.get(rollback.id)
    const seconds = Math.max(1, (this.#lastAt - (this.#firstAt ?? this.#lastAt)) / 1000)
    const about = decided?.guardrail?.evidence.onset
    const { stable, candidate } = this.#versions()
    return {
      event: 'summary',
      fault,
      seed,
      rolledBack: rollback !== undefined,
      held: (this.state?.view.holds.length ?? 0) > 0,
      promoted: this.decisions.some(({ outcome }) => outcome === 'completed'),
      fromVersion: stable,
      toVersion: candidate,
      cause: decided === undefined ? null : String(decided.facts.because ?? decided.text),
      onset: iso(this.onset),
      estimatedOnset: iso(about?.from),
      breachAt: iso(decided?.at),
      issuedAt: iso(times?.issued),
      appliedAt: iso(times?.applied),
      verifiedAt: iso(times?.verified),
      eventsProcessed: this.#taken,
      eventsPerSecond: Math.round(this.#taken / seconds),
      deadLetters: this.#dead,
      badPredictionsServed: this.#badServed(),
      falseAlarms: this.decisions.filter(
        (one) => alarms.includes(one.outcome) && (this.onset === undefined || one.at < this.onset),
      ).length,
    }
  }

  #versions(): { stable: string; candidate: string | null } {
    const started = this.decisions.find(({ outcome }) => outcome === 'rollout-started')
    return {
      stable: started?.after.stable ?? this.#watch?.stable ?? 'none',
      candidate: started?.after.candidate ?? null,
    }
  }

  #progress(out: ProgressOut, at: number): void {
    if (out.taken > 0) {
      this.#firstAt ??= at
      this.#lastAt = at
    }
    this.#taken += out.taken
    for (const rows of Object.values(out.dead)) this.#dead += rows
  }

  #countBad(out: Extract<AnyOut, { kind: 'counts' }>): void {
    const source = this.#faultySource
    const rows =
      source === undefined
        ? out.variant === 'candidate'
          ? out.rows
          : 0
        : out.slices
            .filter(({ dimension, value }) => dimension === 'producer' && value === source && out.variant !== 'shadow')
            .reduce((sum, { counts }) => sum + this.#rowsOf(counts), 0)
    if (rows > 0) this.#bad.set(out.pane, (this.#bad.get(out.pane) ?? 0) + rows)
  }

  #rowsOf(counts: Uint8Array): number {
    const vector = new Float64Array(this.#width)
    addPacked(counts, vector)
    return vector[0] ?? 0
  }

  /** Answers from the pane of the onset on. The pane is whole, so this may count up to a pane's rows too many. */
  #badServed(): number {
    const { onset } = this
    if (onset === undefined) return 0
    const paneMs = this.#watch?.policy.times.paneMs ?? 1
    const from = Math.floor(onset / paneMs) * paneMs
    return [...this.#bad].reduce((sum, [pane, rows]) => (pane >= from ? sum + rows : sum), 0)
  }
}

function iso(at: number | undefined | null): string | null {
  return at === undefined || at === null ? null : new Date(at).toISOString()
}
