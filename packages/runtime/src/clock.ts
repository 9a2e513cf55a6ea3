/** The shell's own time: deadlines, ticks, backoff. Never reaches a processor, which knows log time only. */
export interface Clock {
  /** Milliseconds since 1970. May jump; for records and people. */
  now(): number
  /** Milliseconds since some moment of this process. Never goes back; for deadlines. */
  monotonic(): number
  /** Resolves after `ms`, or at once when `signal` is aborted. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `work` after `ms`, unless what it returns is called before. */
  after(ms: number, work: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
  after: (ms, work) => {
    const timer = setTimeout(work, ms)
    return () => clearTimeout(timer)
  },
}

/** An await on the log that took longer than our own deadline. What it was about may still happen. */
export class DeadlineExceeded extends Error {
  constructor(what: string, ms: number) {
    super(`${what}: no answer within ${ms} ms`)
    this.name = 'DeadlineExceeded'
  }
}

/**
 * A client that hangs is worse than one that fails: every await on a log goes through here. After the deadline nobody listens any
 * more; the caller has been told.
 *
 * @throws DeadlineExceeded
 */
export function within<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new DeadlineExceeded(what, ms)))
    work.then(
      (answer) => {
        cancel()
        resolve(answer)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}
