import type { AgentId, DeploymentId, Fact, FactRecord } from '@interlock/contracts'

/** Facts kept for `GET /v1/facts` and for a log that is away. */
export const factsKept = 1_024

/** A fact as it was signed, with its number: 1, 2, 3 … since this process started. */
export interface ReportedFact {
  readonly n: number
  readonly record: FactRecord
  readonly envelope: Uint8Array
}

/**
 * What an agent reported, newest last, bounded. Reporting never waits: a log that is away must not keep an agent from
 * carrying out a rollback that came by the second path.
 */
export class FactOutbox {
  readonly #environment: string
  readonly #agent: AgentId
  readonly #sign: (record: FactRecord) => Uint8Array
  readonly #facts: ReportedFact[] = []
  #next = 1
  #wake: (() => void) | undefined

  constructor(environment: string, agent: AgentId, sign: (record: FactRecord) => Uint8Array) {
    this.#environment = environment
    this.#agent = agent
    this.#sign = sign
  }

  report(deployment: DeploymentId, fact: Fact): void {
    const record: FactRecord = { v: 1, environment: this.#environment, deployment, by: this.#agent, fact }
    this.#facts.push({ n: this.#next++, record, envelope: this.#sign(record) })
    if (this.#facts.length > factsKept) this.#facts.shift()
    this.#wake?.()
  }

  /** The facts after number `n` that are still held, oldest first. */
  after(n: number, most = factsKept): readonly ReportedFact[] {
    const first = this.#facts[0]?.n ?? this.#next
    const from = Math.max(0, n + 1 - first)
    return this.#facts.slice(from, from + most)
  }

  /** The newest fact of each kind about a deployment. */
  latest(deployment: DeploymentId): Readonly<Partial<Record<Fact['kind'], Fact>>> {
    const latest: Partial<Record<Fact['kind'], Fact>> = {}
    for (const { record } of this.#facts) if (record.deployment === deployment) latest[record.fact.kind] = record.fact
    return latest
  }

  /** Resolves once there is a fact after `n`, or `signal` is aborted. For one caller at a time. */
  async news(n: number, signal: AbortSignal): Promise<void> {
    if (this.#next > n + 1 || signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#wake = undefined
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#wake = done
      signal.addEventListener('abort', done, { once: true })
    })
  }

  /** Has a newer observation of the same thing been made? Then the older one is no news any more. */
  isOutdated({ n, record: { deployment, fact } }: ReportedFact): boolean {
    if (fact.kind !== 'observed' && fact.kind !== 'readiness') return false
    return this.after(n).some(
      ({ record: newer }) =>
        newer.deployment === deployment &&
        newer.fact.kind === fact.kind &&
        (newer.fact.kind !== 'readiness' || fact.kind !== 'readiness' || newer.fact.target === fact.target),
    )
  }
}
