import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'
import { isTransient } from './shard-options.ts'

export const backoff = {
  firstMs: 100,
  mostMs: 5_000,
  /** Work that went well for so long starts again with the first delay. */
  forgottenAfterMs: 30_000,
} as const

export interface KeepRunning {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Runs `work` again after a transient failure, with exponential backoff and jitter, until it ends or `signal` says so. */
export async function keepRunning(
  { clock, random, logger }: KeepRunning,
  what: string,
  signal: AbortSignal,
  work: () => Promise<void>,
  mayTryAgain: (error: unknown) => boolean = isTransient,
): Promise<void> {
  for (let failures = 0; ; ) {
    const startedAt = clock.monotonic()
    try {
      return await work()
    } catch (error) {
      if (!mayTryAgain(error)) throw error
      if (signal.aborted) return
      if (clock.monotonic() - startedAt > backoff.forgottenAfterMs) failures = 0
      const most = Math.min(backoff.mostMs, backoff.firstMs * 2 ** failures++)
      const delayMs = Math.round(most * (0.5 + random() / 2))
      logger.warn({ what, error: (error as Error).message, delayMs }, 'tries again')
      await clock.sleep(delayMs, signal)
      if (signal.aborted) return
    }
  }
}
