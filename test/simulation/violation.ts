/** What a run must never show. */
export interface Violation {
  /** S1 … S15 of docs/reliability.md, `L` for liveness after faults have stopped. */
  readonly invariant: string
  readonly at: number
  /** Shard, deployment or topic that it is about: what the shortened trace is cut to. */
  readonly about: string
  readonly text: string
}

export type Accuse = (invariant: string, about: string, text: string) => void
