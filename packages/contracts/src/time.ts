/** Milliseconds since 1970 as the log's append time says. The only clock that a processor knows. */
export type LogTime = number

/** Milliseconds since 1970 as the producer says. Chooses the pane. */
export type EventTime = number

/** First millisecond of the pane that holds `at`; panes tumble and are aligned to 1970. */
export function paneStart(at: EventTime, paneMs: number): EventTime {
  return Math.floor(at / paneMs) * paneMs
}

/** The defaults that hold where a policy or deployment says nothing else. All in milliseconds. */
export const defaultTimes = {
  paneMs: 10_000,
  latenessMs: 10_000,
  tickMs: 1_000,
  stallTimeoutMs: 15_000,
  maxFutureSkewMs: 60_000,
  grantMs: 30_000,
  maxDecisionAgeMs: 600_000,
} as const
