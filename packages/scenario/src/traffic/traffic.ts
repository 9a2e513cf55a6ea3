import type { Row } from '../row.ts'

/** Requests that come whatever a policy decides. Which version answers them is the scenario's business. */
export interface Traffic {
  /** Said in reports: "recorded: 12,000 answers of m@v1". */
  readonly from: string
  readonly rowsPerHour: number
  /** Part of the answers that fails while all is well. */
  readonly errorRate: number
  /**
   * Rows of the scenario's time from `from` to `to` (exclusive), ms since it began, as the stable version would answer
   * them, in the order of time. Called with spans that follow each other.
   */
  between(from: number, to: number): readonly Row[]
}
