import type { Prediction } from '@interlock/contracts'

/** One prediction of this deployment as Interlock ingests it: the contract's record, with what is fixed here. */
export type PredictionEvent = Omit<Prediction, 'eventTimeMs' | 'status'> & {
  /** When it was answered, milliseconds since 1970. */
  readonly eventTimeMs: number
  readonly status: 'ok' | 'error' | 'fallback'
  /** `flight-delay@v1`; `flight-delay@rule` where the declared rule answers. */
  readonly version: string
  /** `late` or `on-time`; null where no model answered (`error`, `fallback`), whatever the caller was told. */
  readonly prediction: string | null
  readonly segments: { readonly airport: string }
}

/** Takes events off the hands of a server that is answering. It never throws and never blocks. */
export type Emit = (events: readonly PredictionEvent[]) => void
