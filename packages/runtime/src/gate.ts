import type { LogRecord } from '@interlock/contracts'

/**
 * Holds records back until another input has brought what they need to be understood. It decides when a record is taken
 * and never what a step makes of it: the entry names what was taken, so re-execution needs no gate.
 */
export interface Gate {
  /**
   * Whether this step may take the record. The records behind one that it may not take wait too; they are asked about again
   * when another input grows, when the gate says so, and each tick.
   *
   * @param takenTo how far the step takes another input; undefined where it is none
   */
  admits(record: LogRecord, takenTo: TakenTo): boolean
  /** Resolves when it may answer otherwise though no input has grown, when `ms` are over, or when `signal` is aborted. */
  change(signal: AbortSignal, ms: number): Promise<void>
}

export type TakenTo = (topic: string, partition: number) => bigint | undefined
