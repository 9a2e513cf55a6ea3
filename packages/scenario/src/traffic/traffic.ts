import type { BaselineDocument } from '@interlock/contracts'
import type { Row } from '../row.ts'

/** Requests that come whatever a policy decides. Which version answers them is the scenario's business. */
export interface Traffic {
  /** Said in reports: "recorded, 12,000 rows" or "drawn from v1's baseline". */
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

/** What all rows have in common. */
export interface RowFrame {
  readonly environment: string
  readonly deployment: string
  readonly baseline: BaselineDocument
}
