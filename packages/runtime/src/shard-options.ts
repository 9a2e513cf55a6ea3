import type { Entry, InputSource, Processor } from '@interlock/contracts'
import type { Logger } from 'pino'
import { type Clock, DeadlineExceeded } from './clock.ts'
import { type EventLog, LogUnavailable } from './event-log.ts'
import type { Gate } from './gate.ts'
import type { Point } from './re-execute.ts'
import type { ShardLimits } from './shard-limits.ts'

export interface ShardOptions<State> {
  readonly log: EventLog
  readonly clock: Clock
  readonly processor: Processor<State>
  readonly shard: number
  /** In the order in which a step takes them. */
  readonly inputs: readonly InputSource[]
  /** Names this code; a difference in re-execution under the same build stops the shard. */
  readonly build: string
  /** Stop also when another build's outs cannot be reproduced: for who must not disagree with what it published. */
  readonly mustReproduce?: boolean
  /** A fresh id for each time the shard is owned. */
  readonly newOwner: () => string
  readonly logger: Logger
  /** Called once the entry is known to be valid: from here on it may be shown. */
  readonly onValid?: (point: Point<State>, entry: Entry) => void
  /** Asked before anything is taken: false under memory pressure, and then entries take nothing but time goes on. */
  readonly mayTake?: () => boolean
  /** Decides which records of plain topics have to wait. */
  readonly gate?: Gate
  /** Before the names of our own topics. */
  readonly prefix?: string
  readonly limits?: Partial<ShardLimits>
}

/** Another owner's entry came first. Memory is void; owning again starts from the log. */
export class Lost extends Error {
  override readonly name = 'Lost'
}

/** The shard cannot go on by itself: somebody has to look. */
export class ShardStopped extends Error {
  override readonly name = 'ShardStopped'
}

/** Failures of the world and of luck: the shard is owned again after a while. Everything else stops it. */
export function isTransient(error: unknown): boolean {
  return error instanceof Lost || error instanceof DeadlineExceeded || error instanceof LogUnavailable
}
